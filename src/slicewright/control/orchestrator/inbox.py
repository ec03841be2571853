"""Commands on their way into the orchestrator's loop, and the answers to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from slicewright.control.state.events import Event
from slicewright.control.state.state import OrchestratorState

Change = Callable[[OrchestratorState], tuple[Event, ...]]
"""What a command wants to happen, given the state. Raises a SlicewrightError to refuse."""


@dataclass(eq=False)
class Command:
    """One change that somebody waits for.

    Attributes:
        change: gives the events.
        wait: answer after the next decision rather than as soon as the change is durable.
        done: resolves to the state afterwards.
    """

    change: Change
    wait: bool
    done: asyncio.Future[OrchestratorState] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def answer(self, state: OrchestratorState) -> None:
        """It has happened."""
        if not self.done.done():
            self.done.set_result(state)

    def refuse(self, error: Exception) -> None:
        """It has not happened."""
        if not self.done.done():
            self.done.set_exception(error)


class Inbox:
    """Commands not yet looked at, and those that wait for a decision."""

    def __init__(self) -> None:
        self._new: list[Command] = []
        self._waiting: list[Command] = []

    def add(self, command: Command) -> None:
        """One more."""
        self._new.append(command)

    def take(self) -> list[Command]:
        """All new ones."""
        new, self._new = self._new, []
        return new

    @property
    def empty(self) -> bool:
        """Whether nothing new is there."""
        return not self._new

    def recorded(self, commands: Iterable[Command], state: OrchestratorState, *, decided: bool) -> None:
        """Commands are in the journal: answer those that do not wait, and all once nothing is left to decide."""
        for command in commands:
            if command.wait:
                self._waiting.append(command)
            else:
                command.answer(state)
        if decided:
            for command in self._waiting:
                command.answer(state)
            self._waiting = []

    def refuse(self, error: Exception, commands: Sequence[Command] | None = None) -> None:
        """Refuse some commands, or everything that is here."""
        if commands is None:
            commands = (*self._new, *self._waiting)
            self._new, self._waiting = [], []
        for command in commands:
            command.refuse(error)
