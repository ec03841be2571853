"""Where measurements come from: commit, command, date and kind of machine; no names, no paths."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError
from pathlib import Path

from slicewright.types import Document
from slicewright.version import version_of

LIBRARIES = (
    "slicewright", "numpy", "scipy", "numba", "torch", "lightning", "scikit-learn", "onnxruntime", "pyscipopt",
    "highspy", "casadi", "matplotlib",
)  # fmt: skip


def origin(command: str, *, jobs: int) -> Document:
    """Of what is measured now.

    Args:
        command: what was typed.
        jobs: processors that were allowed.
    """
    return {
        "command": command,
        "commit": commit(),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "host": {
            "system": platform.system(), "machine": platform.machine(), "processor": _processor(),
            "processors": os.cpu_count(), "jobs": jobs,
        },
    }  # fmt: skip


def versions() -> dict[str, str]:
    """Of the libraries that figures depend on, as far as they are installed."""
    return {name: v for name in LIBRARIES if (v := _version(name)) is not None}


def _version(name: str) -> str | None:
    try:
        return version_of(name)
    except PackageNotFoundError:
        return None


@cache
def commit() -> str | None:
    """Of the sources when a process first asks, since a checkout may change while it measures.

    With a remark if tracked files of the package differ from it; None outside a checkout.
    """
    package = Path(__file__).parents[3]
    try:
        head = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=package, capture_output=True, text=True, check=True, timeout=20
        ).stdout.strip()
        changed = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=no", "--", "."],
            cwd=package, capture_output=True, text=True, check=True, timeout=20,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return head + (" with changes" if changed else "")


@cache
def _processor() -> str | None:
    """The processor's model as Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or None
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), None)
