"""An orchestrator's turns with three managers, driven by a test: no loop, no clock, no messages on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from slicewright.control.decision.fallback import decide_in_place
from slicewright.control.messages.status import Status
from slicewright.control.orchestrator.inbox import Change, Request
from slicewright.control.orchestrator.turn.instructions import (
    Inform,
    Instruction,
    Publish,
)
from slicewright.control.orchestrator.turn.term import Term
from slicewright.control.orchestrator.turn.turn import Inputs, Turn, begin_turn, finish_turn
from slicewright.control.slice_manager.state import ManagerState, status_of, take
from slicewright.control.state.events import (
    Certified,
)
from slicewright.control.state.options import ControlOptions
from slicewright.control.state.state import OrchestratorState
from tests.control.support.scenes import scenario_of, state_with

OPTIONS = ControlOptions(rounds=3, epoch_s=1.0)
SCENARIO = scenario_of(8, 1)
SLICES = ("s0", "s1", "s2")


@dataclass
class World:
    """An orchestrator's turns and three managers, with messages handed over by the test; no loop, no clock."""

    state: OrchestratorState = field(default_factory=lambda: state_with(SCENARIO)[0])
    term: Term = field(default_factory=Term)
    now_s: float = 100.0
    options: ControlOptions = OPTIONS
    managers: dict[str, ManagerState] = field(
        default_factory=lambda: {name: ManagerState.fresh(name) for name in SLICES}
    )
    statuses: dict[str, Status] = field(default_factory=dict)
    heard_s: dict[str, float] = field(default_factory=dict)
    requests: int = 0

    def __post_init__(self) -> None:
        begun, _ = Term.begin(self.state, self.now_s)
        self.term = replace(
            begun, unheard=frozenset(), unplaced=frozenset()
        )  # as if all managers had spoken in this term

    def hear(self, *names: str) -> None:
        """Statuses of managers arrive."""
        for name in names or SLICES:
            self.statuses[name] = status_of(self.managers[name], f"m-{name}")
            self.heard_s[name] = self.now_s

    def request(self, change: Change, *, wait: bool = True) -> Request:
        self.requests += 1
        return Request(self.requests, change, wait)

    def turn(self, *requests: Request, certificate: tuple[Certified, ...] = (), probe: bool = False) -> Turn:
        """One turn, recorded and carried out."""
        inputs = Inputs(self.now_s, dict(self.statuses), dict(self.heard_s))
        begun = begin_turn(self.state, self.term, requests, inputs, self.options, certificate=certificate)
        made = None if begun.wanted is None else decide_in_place(begun.wanted, self.options)
        turn = finish_turn(begun, made, inputs, self.options, probe=probe)
        self.state, self.term = turn.state, turn.term
        for item in turn.instructions:
            self.carry_out(item)
        self.refused = begun.refused
        return turn

    def carry_out(self, item: Instruction) -> None:
        """What the loop does, as far as managers are concerned."""
        self.term = self.term.carried_out(item, self.now_s)
        if isinstance(item, Publish):
            name = item.grant.slice
            self.managers[name] = take(self.managers[name], item.grant).state
        if isinstance(item, Inform):
            self.managers[item.slice] = take(self.managers[item.slice], item.details).state

    def settle(self) -> None:
        """Turns until nothing is left to do."""
        while self.turn().events:
            self.hear()


def kinds(events: Iterable[object]) -> list[type]:
    return [type(event) for event in events]


def published(turn: Turn) -> list[str]:
    return [item.grant.slice for item in turn.instructions if isinstance(item, Publish)]
