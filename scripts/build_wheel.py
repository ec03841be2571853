"""Build a wheel with compiled kernels in it, and check that its first plans compile nothing.

Run by ``make wheel`` with the Python, numba and NumPy that users are to have: others compile their own kernels.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
from pathlib import Path
from tempfile import TemporaryDirectory

from slicewright.kernel_cache import READY_FEATURES, READY_PROCESSOR

ROOT = Path(__file__).parents[1]
KERNELS = ROOT / "build" / "ready_kernels"
PLANS = """
import slicewright as sw
for queueing in ("device", "node"):
    scenario = {"schema": "slicewright/scenario/v1", "preset": "paper-slicing", "devices": 3, "queueing": queueing}
    for method in ("auto", "exact", "best-response", "greedy", "bipartite-raw"):
        sw.plan(scenario, method=method, rounds=1).to_dict()
"""
PLACEMENTS = """
import slicewright as sw
from slicewright.placement.problem.presets import placement_preset
sw.place(placement_preset("paper-placement", tasks=8), method="auto", budget_s=0.05).to_dict()
"""
FIRST = {
    "slicewright plan": ["plan", "paper-slicing", "--devices", "20"],
    "slicewright plan, few enough devices for a proof": ["plan", "paper-slicing", "--devices", "8"],
    "slicewright plan --method exact": ["plan", "paper-slicing", "--devices", "10", "--method", "exact"],
    "slicewright place": ["place", "paper-placement"],
}
"""First commands on a machine, each with an empty cache."""


def compile_kernels() -> None:
    """Planning and placement side by side, for the level of processors that is shipped."""
    with TemporaryDirectory() as cache:
        environment = {
            **os.environ,
            "SLICEWRIGHT_CACHE": cache,
            "NUMBA_CPU_NAME": READY_PROCESSOR,
            "NUMBA_CPU_FEATURES": READY_FEATURES,
        }
        running = [
            subprocess.Popen([sys.executable, "-c", code], env=environment) for code in (PLANS, PLACEMENTS)
        ]
        codes = [process.wait() for process in running]
        if any(codes):
            raise SystemExit("the kernels did not compile")
        shutil.rmtree(KERNELS, ignore_errors=True)
        shutil.copytree(Path(cache) / "slicewright", KERNELS, ignore=shutil.ignore_patterns("announced"))


def build(folder: Path) -> Path:
    """The wheel, with the kernels that :func:`compile_kernels` left."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(command, check=True, env={**os.environ, "SLICEWRIGHT_READY_KERNELS": str(KERNELS)})
    return max(folder.glob("slicewright-*.whl"), key=lambda path: path.stat().st_mtime)


def check(wheel: Path) -> None:
    """Install the wheel beside this Python's other packages and run first commands, each with an empty cache."""
    with TemporaryDirectory() as name:
        here = Path(name)
        venv.create(here / "venv", with_pip=False)
        paths = {"base": str(here / "venv"), "platbase": str(here / "venv")}
        packages = Path(sysconfig.get_path("purelib", "venv", paths))
        target = ["--no-deps", "--quiet", "--target", str(packages)]
        subprocess.run([sys.executable, "-m", "pip", "install", *target, str(wheel)], check=True)
        (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        for k, (title, arguments) in enumerate(FIRST.items()):
            cache = here / f"cache-{k}"
            began, used = time.perf_counter(), os.times()
            run = subprocess.run(
                [here / "venv" / "bin" / "python", "-m", "slicewright", *arguments],
                env={**environment, "SLICEWRIGHT_CACHE": str(cache)},
                cwd=here,
                capture_output=True,
                text=True,
            )
            now = os.times()
            seconds = now.children_user + now.children_system - used.children_user - used.children_system
            compiled = list(cache.rglob("*.nbc"))
            if run.returncode or compiled:
                names = ", ".join(path.name for path in compiled)
                raise SystemExit(f"{title}: exit code {run.returncode}, compiled: {names}\n{run.stderr}")
            print(
                f"{title}: {time.perf_counter() - began:.1f} s, {seconds:.1f} s of a processor, nothing compiled"
            )


def main() -> None:
    """Kernels, wheel, check."""
    compile_kernels()
    folder = ROOT / "dist"
    wheel = build(folder)
    print(f"{wheel.relative_to(ROOT)}: {wheel.stat().st_size / 1e6:.1f} MB")
    check(wheel)


if __name__ == "__main__":
    main()
