"""One turn of the orchestrator before it is in the journal."""

from __future__ import annotations

from slicewright.control.orchestrator.inbox import Command
from slicewright.control.state.events import Event
from slicewright.control.state.fold import fold
from slicewright.control.state.state import OrchestratorState
from slicewright.errors import SlicewrightError


class Draft:
    """Events of one turn, and the state they lead to; nothing of it counts until it is in the journal."""

    def __init__(self, state: OrchestratorState) -> None:
        self.state = state
        self.events: list[Event] = []

    def add(self, *events: Event) -> None:
        """These happen next."""
        for event in events:
            self.state = fold(self.state, event)
            self.events.append(event)

    def carry_out(self, command: Command) -> bool:
        """Add what a command wants; False if it refuses."""
        try:
            events = command.change(self.state)
        except SlicewrightError as error:
            command.refuse(error)
            return False
        self.add(*events)
        return True
