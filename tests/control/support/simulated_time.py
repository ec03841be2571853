"""An event loop whose time passes only while nothing can be done."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

LONGEST_S = 86_400.0
"""Hardly a story lasts a simulated day: one that does waits for what never comes, and would for ever."""


class _SkippingSelector(selectors.SelectSelector):
    """Does not wait: it tells the loop's clock how long it would have."""

    def __init__(self, longest_s: float) -> None:
        super().__init__()
        self.skipped_s, self._longest_s = 0.0, longest_s

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout is not None and timeout > 0:
            self.skipped_s += timeout
            if self.skipped_s > self._longest_s:
                raise TimeoutError(f"nothing ended this story within {self._longest_s:.0f} simulated s")
        elif not ready and timeout is None:
            ready = super().select(None)
        return ready


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only while nothing can be done. Not for threads."""

    def __init__(self, longest_s: float = LONGEST_S) -> None:
        self._skipping = _SkippingSelector(longest_s)
        super().__init__(self._skipping)

    def time(self) -> float:
        """Simulated s."""
        return self._skipping.skipped_s


def simulate(main: Callable[[], Any], *, longest_s: float = LONGEST_S) -> Any:
    """Run a coroutine function in simulated time, for so many s at most."""
    with asyncio.Runner(loop_factory=lambda: SimulatedLoop(longest_s)) as runner:
        return runner.run(main())
