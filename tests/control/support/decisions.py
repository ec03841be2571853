"""Decisions made on the spot."""

from __future__ import annotations

from slicewright.control.decision.decide import decide
from slicewright.control.decision.recording import decided
from slicewright.control.decision.settlement import Settlement
from slicewright.control.state.fold import fold
from slicewright.control.state.options import ControlOptions
from slicewright.control.state.state import OrchestratorState

DECISION_OPTIONS = ControlOptions(rounds=20)


def decide_now(
    state: OrchestratorState, pinned: frozenset[str] = frozenset(), method: str = "auto"
) -> tuple[OrchestratorState, Settlement]:
    situation = state.situation(pinned)
    settlement = decide(
        situation,
        method,
        rounds=DECISION_OPTIONS.rounds,
        seed=0,
        epoch=state.epoch + 1,
        previous=state.places,
        keep_ratio=DECISION_OPTIONS.keep_ratio,
    )
    assert settlement is not None
    event = decided(
        situation, settlement, (), epoch=state.epoch + 1, options=DECISION_OPTIONS, pinned=pinned,
        previous=state.places, duration_s=0.01,
    )  # fmt: skip
    return fold(state, event), settlement
