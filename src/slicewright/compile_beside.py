"""On a machine's first run, a second process compiles part of the kernels at the same time.

numba compiles one function at a time in a process. What the other process compiles comes back by way of the cache; if
it cannot be started, or fails, everything is compiled here: later, to the same code.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def compiled_beside(program: str, *, wanted: bool = True) -> Iterator[None]:
    """Run a Python program beside the block and wait for its end; an exception in the block ends it at once.

    Args:
        program: source that imports what it needs and runs kernels.
        wanted: without, or with a single processor, nothing is started.
    """
    beside = _start(program) if wanted and _processors() > 1 else None
    try:
        yield
    except BaseException:
        if beside is not None:
            beside.kill()
        raise
    finally:
        if beside is not None:
            beside.wait()


def _processors() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start(program: str) -> subprocess.Popen[bytes] | None:
    if not sys.executable:  # Python inside another program
        return None
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        return subprocess.Popen(
            [sys.executable, "-c", program],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None
