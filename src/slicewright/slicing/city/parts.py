"""Work on parts of a range in threads: kernels release the interpreter lock.

Not numba's own parallel loops: those may not be entered from two threads at once, which batch planning and the control
plane do. The cuts do not depend on the number of threads, and so neither do sums, bit for bit.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar

import numpy as np

from slicewright.types import IntArray

PARTS = 4
Result = TypeVar("Result")


class Parts:
    """Threads that work on parts.

    Attributes:
        count: of parts, whatever the number of threads.
    """

    count = PARTS

    def __init__(self, threads: int | None = None) -> None:
        wanted = min(threads or os.cpu_count() or 1, PARTS)
        self._pool = ThreadPoolExecutor(wanted) if wanted > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def each(self, work: Callable[..., Result], cuts: IntArray, *arguments: Any) -> list[Result]:
        """Results of ``work(part, begin, end, *arguments)``, in order."""
        parts = [(k, int(cuts[k]), int(cuts[k + 1])) for k in range(len(cuts) - 1)]
        if self._pool is None:
            return [work(*part, *arguments) for part in parts]
        running = [self._pool.submit(work, *part, *arguments) for part in parts]
        return [task.result() for task in running]


def cut(lengths: IntArray, count: int) -> IntArray:
    """(count + 1,) rows at which a list of lists is cut into parts of about equal length.

    Args:
        lengths: (rows,) of each row's list.
        count: of parts.
    """
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if ends.size else 0
    cuts = np.searchsorted(ends, np.linspace(0, total, count + 1)).astype(np.int64)
    cuts[0], cuts[-1] = 0, lengths.size
    return cuts
