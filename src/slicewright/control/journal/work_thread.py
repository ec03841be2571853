"""A thread that does one thing after the other for an event loop, with as little between them as there can be."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")


class WorkThread:
    """One thread. An executor's futures cost more than most of what is done in here.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._todo: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (work := self._todo.get()) is not None:
            work()

    async def do(self, work: Callable[[], Result]) -> Result:
        """Some work in the thread; what it raises is raised here. Once begun it is done, whoever waits for it."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()

        def step() -> None:
            try:
                told: tuple[Callable[[Any], None], Any] = done.set_result, work()
            except BaseException as error:  # noqa: BLE001 - it is raised where the work was asked for
                told = done.set_exception, error
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(_end, done, *told)

        self._todo.put(step)
        return await done

    def end(self) -> None:
        """Let the thread go once everything is done, and wait for that."""
        self._todo.put(None)
        self._thread.join()


def _end(done: asyncio.Future[Any], how: Callable[[Any], None], value: Any) -> None:
    if not done.done():
        how(value)
