"""Target 15: the first command on a machine, whose kernels are not compiled yet, against the same command again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from slicewright.compiled import COMPILATION_SECONDS
from slicewright.kernel_cache import has_ready_kernels

COMMANDS = {
    "auto": (["plan", "paper-slicing", "--size", "20", "--budget", "5ms"], 5.0),
    "auto, 8": (["plan", "paper-slicing", "--size", "8"], None),
    "exact": (["plan", "paper-slicing", "--size", "10", "--method", "exact"], 20.0),
    "placement": (["place", "paper-placement", "--budget", "50ms"], None),
}
"""The command, and the target in s. With 8 devices `auto` proves its plan, which takes the kernels of `exact` too."""


class Run(NamedTuple):
    """One command: s of wall time, s of processors (its own and those of processes that it started), exit code."""

    wall: float
    processors: float
    code: int


def main(scale: str) -> None:
    """Print one line for each command; ``scale`` changes nothing."""
    print(
        f"ready kernels in this installation: {', '.join(p for p in COMPILATION_SECONDS if has_ready_kernels(p))}"
    )
    print("s of wall time (of processors): first, again; a busy machine stretches the former only")
    for name, (arguments, target) in COMMANDS.items():
        with TemporaryDirectory() as cache:
            first, again = _run(arguments, Path(cache)), _run(arguments, Path(cache))
        verdict = (
            "" if target is None else f"   target {target:.0f}: {'met' if first.wall <= target else 'MISSED'}"
        )
        if first.code or again.code:
            verdict = f"   exit codes {first.code}, {again.code}"
        print(
            f"  {name:10} {first.wall:6.1f} ({first.processors:5.1f})"
            f" {again.wall:6.1f} ({again.processors:5.1f}){verdict}",
            flush=True,
        )


def _run(arguments: list[str], cache: Path) -> Run:
    began, before = time.perf_counter(), os.times()
    done = subprocess.run(
        [sys.executable, "-m", "slicewright", *arguments],
        env={**os.environ, "SLICEWRIGHT_CACHE": str(cache)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    after = os.times()
    used = after.children_user - before.children_user + after.children_system - before.children_system
    return Run(time.perf_counter() - began, used, done.returncode)
