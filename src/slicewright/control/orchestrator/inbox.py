"""Requests on their way into the orchestrator's loop, and whoever waits for an answer to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from slicewright.control.state.events import Event
from slicewright.control.state.state import OrchestratorState

Change = Callable[[OrchestratorState], tuple[Event, ...]]
"""What a request wants to happen, given the state. Raises a SlicewrightError to refuse."""


@dataclass(frozen=True)
class Request:
    """One change that somebody waits for.

    Attributes:
        number: of the request.
        change: gives the events.
        wait: answer after the next decision rather than as soon as the change is durable.
    """

    number: int
    change: Change
    wait: bool


class Inbox:
    """Requests that no turn has looked at yet, and the futures of all that are not answered."""

    def __init__(self) -> None:
        self._new: list[Request] = []
        self._unanswered: dict[int, asyncio.Future[OrchestratorState]] = {}
        self._numbers = 0

    def add(self, change: Change, *, wait: bool) -> asyncio.Future[OrchestratorState]:
        """One more; resolves to the state afterwards."""
        self._numbers += 1
        self._new.append(Request(self._numbers, change, wait))
        self._unanswered[self._numbers] = asyncio.get_running_loop().create_future()
        return self._unanswered[self._numbers]

    def take(self) -> tuple[Request, ...]:
        """All new ones."""
        new, self._new = self._new, []
        return tuple(new)

    @property
    def empty(self) -> bool:
        """Whether nothing new is there."""
        return not self._new

    def answer(self, number: int, state: OrchestratorState) -> None:
        """It has happened."""
        future = self._unanswered.pop(number, None)
        if future is not None and not future.done():
            future.set_result(state)

    def refuse(self, error: Exception, numbers: Iterable[int] | None = None) -> None:
        """RefuseRequest some requests, or everything that is here."""
        if numbers is None:
            numbers, self._new = list(self._unanswered), []
        for number in numbers:
            future = self._unanswered.pop(number, None)
            if future is not None and not future.done():
                future.set_exception(error)
