"""Requests on their way into the orchestrator's loop, and whoever waits for an answer to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from slicewright.control.state.clock import pause
from slicewright.control.state.events import Event
from slicewright.control.state.state import OrchestratorState

MOST_GATHERING_S = 0.02
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

    @property
    def count(self) -> int:
        """How many new ones are there."""
        return len(self._new)

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


class Gathering:
    """Lets requests that come together be decided together: one decision, and one sync of the disk, for all of them.

    Callers that were answered together mostly come back together, one shortly after the other. Without this the first
    of them gets a decision of its own, and all others wait for it. So a turn waits for as many as were answered last,
    but no longer than their decision took: waiting costs nobody more than the decision that it spares. A caller that is
    alone does not wait, and in simulated time, where decisions take none, nobody does.
    """

    def __init__(self) -> None:
        self._expected, self._longest_s = 0, 0.0

    def answered(self, count: int, *, decision_s: float) -> None:
        """So many requests have been answered by a decision that took so long, s."""
        self._expected, self._longest_s = count, min(decision_s, MOST_GATHERING_S)

    async def wait(self, inbox: Inbox, news: asyncio.Event, *, waiting: int) -> None:
        """Until as many requests are there as are expected, or for as long as that is worth.

        Args:
            inbox: new ones. news: set when one comes, and by whatever else the next turn is to look at.
            waiting: how many are in the journal already, for the next decision.
        """
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._longest_s
        while 0 < inbox.count < self._expected - waiting and (left_s := until_s - loop.time()) > 0:
            news.clear()
            await pause(news, left_s)
