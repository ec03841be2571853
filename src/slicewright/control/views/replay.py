"""Replay: fold a log again, make its decisions again, and report every difference."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from slicewright.control.decision.certifying import certificate
from slicewright.control.decision.decide import LAST_GOOD, decide, decide_last_good
from slicewright.control.decision.recording import decided
from slicewright.control.decision.settlement import Settlement
from slicewright.control.journal.records import GENESIS, BrokenChainError, Record, verify
from slicewright.control.state.errors import ControlError
from slicewright.control.state.events import (
    Attempt,
    Certified,
    Checkpoint,
    Decided,
    DecisionChanged,
    Restored,
    SharesReported,
)
from slicewright.control.state.events.differences import whole_decision
from slicewright.control.state.fold import fold
from slicewright.control.state.options import ControlOptions
from slicewright.control.state.state import OrchestratorState, dump, load
from slicewright.control.views.picture import Picture
from slicewright.errors import UnknownNameError
from slicewright.slicing.certificate import lower_bound
from slicewright.slicing.plan import Plan

_MEASURED = ("duration_s", "attempts")
"""Fields of a decision that depend on clocks: they are recorded, not recomputed."""
_MOST_PLANS = 500


@dataclass(frozen=True)
class Difference:
    """Something that does not come out as recorded.

    Attributes:
        sequence: record. what: field, ``chain``, ``input`` or ``method``. detail: recorded and recomputed.
    """

    sequence: int
    what: str
    detail: str


@dataclass(frozen=True)
class ReplayReport:
    """Result of a replay.

    Attributes:
        records, decisions: how many were read. recomputed: decisions made again. differences: what was found.
    """

    records: int
    decisions: int
    recomputed: int
    differences: tuple[Difference, ...]


def replay_log(records: Iterable[Record]) -> ReplayReport:
    """Fold and recompute. A log may begin with a checkpoint; what was before it cannot be checked."""
    state, plans = OrchestratorState(), _Plans()
    count = decisions = recomputed = 0
    differences: list[Difference] = []
    try:
        for record in verify(records):
            starts = count == 0
            count += 1
            if starts and record.previous != GENESIS and not isinstance(record.event, Checkpoint | Restored):
                differences.append(Difference(record.sequence, "chain", "the log begins in the middle"))
                break
            if isinstance(record.event, Decided | DecisionChanged):
                decisions += 1
                found, again, plan = _compare(state, record.sequence, _whole(state, record.event))
                plans.add(record.event.epoch, plan)
                recomputed += again
                differences.extend(found)
            if isinstance(record.event, Certified):
                differences.extend(_certified(plans, record.sequence, record.event))
            if isinstance(record.event, Checkpoint) and not starts and not _is_dump(record.event, state):
                differences.append(
                    Difference(record.sequence, "checkpoint", "is not the fold of what precedes it")
                )
            state = fold(state, record.event)
            if isinstance(record.event, SharesReported):
                differences.extend(_judged(state, record.sequence))
    except (BrokenChainError, ControlError) as error:
        differences.append(Difference(count + 1, "chain", str(error)))
    return ReplayReport(count, decisions, recomputed, tuple(differences))


def _whole(state: OrchestratorState, event: Decided | DecisionChanged) -> Decided:
    return event if isinstance(event, Decided) else whole_decision(state.last, event)


def _is_dump(checkpoint: Checkpoint, state: OrchestratorState) -> bool:
    """Whether a checkpoint is a state's, even if it was written before states had all the fields of today."""
    return dump(load(checkpoint.state)) == dump(state)


def _judged(state: OrchestratorState, sequence: int) -> list[Difference]:
    """What the judge says of shares that a manager's model found, once every slice holds what it was told to."""
    if not state.settled or state.dirty:
        return []
    plan = Picture(state).plan
    if plan is None or plan.violations.feasible:
        return []
    return [Difference(sequence, "shares", plan.violations.explain())]


class _Plans:
    """Decisions made again that no certificate of the log is about yet; of long logs without any, the newest."""

    def __init__(self) -> None:
        self._plans: dict[int, Plan | None] = {}
        self.certified = 0

    def add(self, epoch: int, plan: Plan | None) -> None:
        """One more; None if it could not be made again, which was reported there."""
        self._plans[epoch] = plan
        if len(self._plans) > _MOST_PLANS:
            del self._plans[next(iter(self._plans))]

    def take(self, epoch: int) -> Plan | None:
        """The plan of a decision, if it is there; none of before is looked at any more."""
        plan, self.certified = self._plans.get(epoch), epoch
        self._plans = {other: kept for other, kept in self._plans.items() if other > epoch}
        return plan

    def may_follow(self, epoch: int) -> bool:
        """Whether a certificate of a decision may come now: it was made, and none after it has one."""
        return self.certified < epoch and (not self._plans or epoch <= max(self._plans))


def _certified(plans: _Plans, sequence: int, recorded: Certified) -> list[Difference]:
    """A certificate against the one of the decision made again."""
    if not plans.may_follow(recorded.epoch):
        return [Difference(sequence, "epoch", f"{recorded.epoch} is not that of a decision without one")]
    plan = plans.take(recorded.epoch)
    if plan is None:
        return []
    again = certificate(recorded.epoch, plan)
    if recorded == again or _proves_less(recorded, again, plan):
        return []
    return [
        Difference(sequence, "certificate", f"{again.lower_bound_s!r}, recorded {recorded.lower_bound_s!r}")
    ]


def _proves_less(recorded: Certified, again: Certified, plan: Plan) -> bool:
    """Whether a certificate is that of a release which proved less, but says what follows from it."""
    return (
        recorded.lower_bound_s <= again.lower_bound_s
        and recorded.gap == plan.cost_s / recorded.lower_bound_s - 1.0
    )


def _compare(
    state: OrchestratorState, sequence: int, recorded: Decided
) -> tuple[list[Difference], bool, Plan | None]:
    """Differences of a decision made again, whether it could be, and its plan."""
    situation = state.situation(recorded.pinned)
    if situation.digest != recorded.input_digest:
        return (
            [Difference(sequence, "input", f"hash {situation.digest}, recorded {recorded.input_digest}")],
            False,
            None,
        )
    try:
        settlement = _again(state, recorded)
    except UnknownNameError as error:
        return [Difference(sequence, "method", str(error))], False, None
    if settlement is None:
        rejected = f"the answer of {recorded.method} is rejected now"
        return [Difference(sequence, "method", rejected)], True, None
    again = decided(
        situation,
        settlement,
        (Attempt(settlement.method, "used", 0.0),),
        epoch=recorded.epoch,
        options=ControlOptions(rounds=recorded.rounds, seed=recorded.seed, keep_ratio=recorded.keep_ratio),
        pinned=recorded.pinned,
        previous=state.places,
        duration_s=0.0,
        certified=recorded.gap is not None,
    )
    found = []
    proven = ("lower_bound_s", "gap")
    as_first = (recorded.lower_bound_s, recorded.gap) == _first_certificate(settlement.plan)
    for name in Decided.__dataclass_fields__:
        before, after = getattr(recorded, name), getattr(again, name)
        if name not in _MEASURED and before != after and not (as_first and name in proven):
            found.append(Difference(sequence, name, f"{_short(after)}, recorded {_short(before)}"))
    return found, True, settlement.plan


def _first_certificate(plan: Plan | None) -> tuple[float, float] | None:
    """(bound, gap) as release 0.1.0 proved them: it knew less of shared queues, and its logs are as good as ours."""
    if plan is None:
        return None
    start = plan.decisions if plan.violations.feasible else None
    bound = max(lower_bound(plan.scenario, start=start, queues=False), plan.proven_bound_s or 0.0)
    return bound, plan.cost_s / bound - 1.0


def _again(state: OrchestratorState, recorded: Decided) -> Settlement | None:
    situation = state.situation(recorded.pinned)
    if recorded.method == LAST_GOOD:
        return decide_last_good(situation, state.places, epoch=recorded.epoch)
    return decide(
        situation,
        recorded.method,
        rounds=recorded.rounds,
        seed=recorded.seed,
        epoch=recorded.epoch,
        previous=state.places,
        keep_ratio=recorded.keep_ratio,
    )


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:119] + "…"
