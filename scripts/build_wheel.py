"""Build a wheel with compiled kernels in it, and check that its first commands compile nothing.

Run by ``make wheel``. Kernels are compiled for this Python and for every other supported one that is found here, each
in an environment of its own with the newest numba and NumPy for it; users with others compile their own kernels.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
KERNELS = ROOT / "build" / "ready_kernels"
CACHE = ROOT / "build" / "kernel_cache"
SUPPORTED = ("3.11", "3.12", "3.13")
FIRST = {
    "slicewright demo": ["demo"],
    "slicewright plan": ["plan", "paper-slicing"],
    "slicewright plan, few enough devices for a proof": ["plan", "paper-slicing", "--size", "8"],
    "slicewright plan --method exact": ["plan", "paper-slicing", "--method", "exact"],
    "slicewright place": ["place", "paper-placement"],
    "slicewright place --method queue-network": ["place", "paper-placement", "--method", "queue-network"],
}
"""First commands on a machine, each with an empty cache."""


def other_pythons() -> dict[str, str]:
    """Version and interpreter of the supported Pythons beside this one: on the path, or installed by pyenv."""
    home = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found: dict[str, str] = {}
    for version in SUPPORTED:
        if version == this_version():
            continue
        candidates = [shutil.which(f"python{version}"), *sorted(home.glob(f"{version}.*/bin/python"))]
        for candidate in filter(None, candidates):
            asked = [
                str(candidate),
                "-c",
                "import sys, ensurepip, venv; print(*sys.version_info[:2], sep='.')",
            ]
            told = subprocess.run(asked, capture_output=True, text=True)
            if told.returncode == 0 and told.stdout.strip() == version:
                found[version] = str(candidate)
                break
    return found


def this_version() -> str:
    """Of this Python: 3.11."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def environment_of(version: str, python: str) -> str:
    """The interpreter of an environment with this checkout and what it needs; made where it is missing."""
    folder = ROOT / "build" / f"python-{version}"
    inside = folder / "bin" / "python"
    if not inside.exists():
        subprocess.run([python, "-m", "venv", str(folder)], check=True)
    install = [str(inside), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", str(ROOT)]
    subprocess.run(install, check=True, env={**os.environ, "SLICEWRIGHT_READY_KERNELS": "none"})
    return str(inside)


def build(folder: Path) -> Path:
    """The wheel, with the kernels that ``compile_kernels.py`` left."""
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
        target = ["--no-deps", "--quiet", "--disable-pip-version-check", "--target", str(packages)]
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
                f"Python {this_version()}, {title}: {time.perf_counter() - began:.1f} s, "
                f"{seconds:.1f} s of a processor, nothing compiled"
            )


def main() -> None:
    """Kernels, wheel, check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", type=Path, metavar="WHEEL", help="only check a wheel, with this Python")
    parser.add_argument("--only-this", action="store_true", help="kernels for this Python alone")
    asked = parser.parse_args()
    if asked.check:
        check(asked.check)
        return
    others = {} if asked.only_this else other_pythons()
    missing = [v for v in SUPPORTED if v != this_version() and v not in others]
    pythons = [sys.executable, *(environment_of(version, python) for version, python in others.items())]
    shutil.rmtree(KERNELS, ignore_errors=True)
    each(pythons, ROOT / "scripts" / "compile_kernels.py", KERNELS, "--cache", CACHE)
    folder = ROOT / "dist"
    wheel = build(folder)
    brings = ", ".join(sorted({this_version(), *others}))
    print(f"{wheel.relative_to(ROOT)}: {wheel.stat().st_size / 1e6:.1f} MB, kernels for Python {brings}")
    if missing:
        print(f"Python {', '.join(missing)}: not found here, so its users compile on first use")
    each(pythons, __file__, "--check", wheel)


def each(pythons: Iterable[str], script: str | Path, *arguments: str | Path) -> None:
    """Run a script with each interpreter."""
    for python in pythons:
        run = subprocess.run([python, script, *arguments])
        if run.returncode:
            raise SystemExit(run.returncode)


if __name__ == "__main__":
    main()
