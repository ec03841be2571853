"""An event loop whose time passes only while nothing can be done."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

LONGEST_S = 86_400.0
"""Hardly a story lasts a simulated day: one that does waits for what never comes, and would for ever."""
_LOOK_EVERY = 256


class _SkippingSelector(selectors.SelectSelector):
    """Does not wait: it tells the loop's clock how long it would have."""

    def __init__(self, longest_s: float) -> None:
        super().__init__()
        self.skipped_s, self._longest_s, self._rounds = 0.0, longest_s, 0

    def select(self, timeout: float | None = None) -> Any:
        self._rounds += 1
        # Nothing here comes from outside but an interrupt: it is enough to look for that now and then.
        ready = super().select(0) if timeout is None or self._rounds % _LOOK_EVERY == 0 else []
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
