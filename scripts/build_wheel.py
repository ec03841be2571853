"""Build a wheel with compiled kernels in it, and check it as its users meet it (``check_wheel.py``).

Run by ``make wheel``. Kernels are compiled for this Python and for every other supported one that is found here, each
in an environment of its own with the newest numba and NumPy for it; users with others compile their own kernels.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
KERNELS = ROOT / "build" / "ready_kernels"
CACHE = ROOT / "build" / "kernel_cache"
SUPPORTED = ("3.11", "3.12", "3.13")


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


def main() -> None:
    """Kernels, wheel, check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only-this", action="store_true", help="kernels for this Python alone")
    asked = parser.parse_args()
    others = {} if asked.only_this else other_pythons()
    missing = [v for v in SUPPORTED if v != this_version() and v not in others and not asked.only_this]
    pythons = [sys.executable, *(environment_of(version, python) for version, python in others.items())]
    shutil.rmtree(KERNELS, ignore_errors=True)
    each(pythons, ROOT / "scripts" / "compile_kernels.py", KERNELS, "--cache", CACHE)
    folder = ROOT / "dist"
    wheel = build(folder)
    brings = ", ".join(sorted({this_version(), *others}))
    print(f"{wheel.relative_to(ROOT)}: {wheel.stat().st_size / 1e6:.1f} MB, kernels for Python {brings}")
    if missing:
        print(f"Python {', '.join(missing)}: not found here, so its users compile on first use")
    each(pythons, ROOT / "scripts" / "check_wheel.py", wheel)


def each(pythons: Iterable[str], script: str | Path, *arguments: str | Path) -> None:
    """Run a script with each interpreter."""
    for python in pythons:
        run = subprocess.run([python, script, *arguments])
        if run.returncode:
            raise SystemExit(run.returncode)


if __name__ == "__main__":
    main()
