"""One turn of the orchestrator, pure: what there is in, events and instructions out. No clock, no task, no socket.

A turn has two halves, since methods decide in threads of their own and under a deadline: :func:`begin_turn` says
whether a decision is wanted, whoever runs the turn gets it made, and :func:`finish_turn` says what happens. Nothing
of it counts until the events are in the journal; only then are the instructions carried out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from slicewright.control.decision.fallback import DecisionMade, DecisionWanted
from slicewright.control.decision.recording import decided
from slicewright.control.decision.settlement import Settlement
from slicewright.control.messages.status import Status
from slicewright.control.orchestrator.inbox import Request
from slicewright.control.orchestrator.turn import status_events
from slicewright.control.orchestrator.turn.informing import details_to_send
from slicewright.control.orchestrator.turn.instructions import (
    AnswerRequest,
    Certify,
    Instruction,
    Publish,
    RefuseRequest,
    Shadow,
)
from slicewright.control.orchestrator.turn.term import Term
from slicewright.control.state.events import Certified, Checkpoint, Decided, Event, MethodChanged, Sent
from slicewright.control.state.events.differences import told_after
from slicewright.control.state.fold import fold, sends
from slicewright.control.state.options import ControlOptions
from slicewright.control.state.state import OrchestratorState, dump


@dataclass(frozen=True)
class Inputs:
    """What a turn knows of the world at a moment.

    Attributes:
        now_s: a clock that never goes back.
        statuses: newest of every manager. heard_s: when each of them came.
    """

    now_s: float
    statuses: Mapping[str, Status] = field(default_factory=dict)
    heard_s: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Begun:
    """The first half of a turn.

    Attributes:
        state: after the events. events: so far. term: as it would be.
        accepted: requests that are in the events. refused: those that are not, to be told at once.
        away: slices that cannot be changed now.
        wanted: the decision that is needed before the turn can be finished.
    """

    state: OrchestratorState
    events: tuple[Event, ...]
    term: Term
    accepted: tuple[Request, ...]
    refused: tuple[RefuseRequest, ...]
    away: frozenset[str]
    wanted: DecisionWanted | None


@dataclass(frozen=True, eq=False)
class Turn:
    """A whole turn.

    Attributes:
        state: after the events. events: for the journal, all together.
        instructions: to be carried out afterwards, in this order.
        term: what to remember, once the events are in the journal.
        settlement: the decision, if one was made.
    """

    state: OrchestratorState
    events: tuple[Event, ...]
    instructions: tuple[Instruction, ...]
    term: Term
    settlement: Settlement | None


class _Draft:
    """Events so far, and the state they lead to."""

    def __init__(self, state: OrchestratorState, events: Sequence[Event] = ()) -> None:
        self.state = state
        self.events = list(events)

    def add(self, *events: Event) -> None:
        for event in events:
            self.state = fold(self.state, event)
            self.events.append(event)

    def decide(self, decision: Decided) -> None:
        """A decision: what is different is written down, and need not be put together again to be known."""
        event, whole = told_after(self.state.last, decision)
        self.state = fold(self.state, whole)
        self.events.append(event)


def begin_turn(
    state: OrchestratorState,
    term: Term,
    requests: Sequence[Request],
    inputs: Inputs,
    options: ControlOptions,
    *,
    certificate: tuple[Certified, ...] = (),
) -> Begun:
    """Carry out requests, take in what managers say, and see whether a decision is wanted.

    Args:
        state: as the journal has it.
        term: memory.
        requests: new ones, in the order of their arrival.
        inputs: time and statuses.
        options: settings.
        certificate: of the last decision or one before, if it has just been worked out.
    """
    draft = _Draft(state)
    accepted, refused = _carry_out(draft, requests)
    draft.add(*status_events.adopted(draft.state, inputs.statuses))
    draft.add(*status_events.grants_answered(draft.state, inputs.statuses))
    draft.add(*status_events.shares_reported(draft.state, inputs.statuses))
    due = inputs.now_s >= term.next_epoch_s
    if due:
        term = replace(term, next_epoch_s=inputs.now_s + options.epoch_s)
        draft.add(*status_events.devices_measured(draft.state, inputs.statuses))
    accounts = draft.state.accounts
    liveness = term.liveness.seen(accounts, inputs.now_s)
    away = liveness.away(accounts, inputs.heard_s, inputs.now_s, options)
    draft.add(*certificate)
    wanted = None
    term = replace(term, liveness=liveness).heard(accounts, inputs.heard_s, away)
    if _must_decide(draft.state, term, away, due=due, options=options):
        here = draft.state
        wanted = DecisionWanted(here.situation(away), here.methods.active, here.places, here.epoch + 1)
    return Begun(draft.state, tuple(draft.events), term, accepted, refused, away, wanted)


def finish_turn(
    begun: Begun,
    made: DecisionMade | None,
    inputs: Inputs,
    options: ControlOptions,
    *,
    certificate: tuple[Certified, ...] = (),
    probe: bool = False,
) -> Turn:
    """Record the decision, send the grants that may go out, and say what is to be done.

    Args:
        begun: the first half.
        made: the decision, exactly if one was wanted.
        inputs: time and statuses by now.
        options: settings.
        certificate: of a decision before, if it came while this one was made.
        probe: write a checkpoint if there is nothing else to write, to see whether the journal takes records again.
    """
    draft, term = _Draft(begun.state, begun.events), begun.term
    if begun.wanted is not None and made is not None:
        draft.add(*certificate)
        decision = _record(begun, begun.wanted, made, options)
        draft.decide(decision)
        failures, rollback = _rollback(draft.state, decision, term.failures, options)
        term = replace(term, failures=failures)
        draft.add(*rollback)
    elif not draft.state.dirty and draft.state.settled:
        shares = status_events.rebalanced(draft.state, inputs.statuses, begun.away, options.rebalance_ratio)
        draft.add(*shares)
    draft.add(*_sends(draft.state, term, begun.away))
    if probe and not draft.events:
        draft.add(Checkpoint(dump(draft.state)))
    answers, waiting = _answers(draft.state, begun.accepted, term.waiting)
    instructions = (
        *_about_decision(begun, made),
        *answers,
        *details_to_send(draft.state, inputs.statuses, term.told),
        *_grants(draft, term, inputs, options),
    )
    settlement = None if made is None else made.settlement
    return Turn(draft.state, tuple(draft.events), instructions, replace(term, waiting=waiting), settlement)


def _carry_out(
    draft: _Draft, requests: Sequence[Request]
) -> tuple[tuple[Request, ...], tuple[RefuseRequest, ...]]:
    accepted: list[Request] = []
    refused: list[RefuseRequest] = []
    for request in requests:
        try:
            events = request.change(draft.state)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one request, all others go on
            refused.append(RefuseRequest(request.number, error))
            continue
        draft.add(*events)
        accepted.append(request)
    return tuple(accepted), tuple(refused)


def _must_decide(
    state: OrchestratorState, term: Term, away: frozenset[str], *, due: bool, options: ControlOptions
) -> bool:
    if state.network is None or not (due or state.dirty):
        return False
    answering = any(account.sent is not None and name not in away for name, account in state.accounts.items())
    if answering or _sends(state, term, away):
        return False  # grants are on their way: what they free will be known soon
    pins_changed = state.last is not None and set(state.last.pinned) != away & set(state.accounts)
    asked = state.dirty and (options.on_demand or state.last is None)
    return asked or (due and (state.dirty or pins_changed))


def _sends(state: OrchestratorState, term: Term, away: frozenset[str]) -> list[Sent]:
    return [] if term.unheard else sends(state, away)


def _record(begun: Begun, wanted: DecisionWanted, made: DecisionMade, options: ControlOptions) -> Decided:
    return decided(
        wanted.situation,
        made.settlement,
        made.attempts,
        epoch=wanted.epoch,
        options=options.for_devices(len(wanted.situation.devices)),
        pinned=begun.away & set(begun.state.accounts),
        previous=wanted.previous,
        duration_s=made.duration_s,
    )


def _rollback(
    state: OrchestratorState, decision: Decided, failures: int, options: ControlOptions
) -> tuple[int, tuple[MethodChanged, ...]]:
    """After too many decisions without an answer, go back to the method before; how many there are now."""
    failures = 0 if decision.attempts[0].result == "used" else failures + 1
    previous = state.methods.previous
    if previous is None or failures < options.most_failures:
        return failures, ()
    why = f"{state.methods.active} gave no usable answer {options.most_failures} times in a row"
    return 0, (MethodChanged("roll-back", previous, why),)


def _about_decision(begun: Begun, made: DecisionMade | None) -> list[Instruction]:
    if begun.wanted is None or made is None:
        return []
    out: list[Instruction] = [Certify(begun.wanted.epoch, made.settlement.plan)]
    canary = begun.state.methods.canary
    if canary is not None:
        out.append(Shadow(begun.wanted.situation, canary, made.settlement))
    return out


def _answers(
    state: OrchestratorState, accepted: Sequence[Request], waiting: tuple[int, ...]
) -> tuple[list[AnswerRequest], tuple[int, ...]]:
    """Answers to those that do not wait, and to all once nothing is left to decide; who waits on."""
    at_once = [request.number for request in accepted if not request.wait]
    waiting = (*waiting, *(request.number for request in accepted if request.wait))
    if state.dirty and state.network is not None:
        return [AnswerRequest(number) for number in at_once], waiting
    return [AnswerRequest(number) for number in (*at_once, *waiting)], ()


def _grants(draft: _Draft, term: Term, inputs: Inputs, options: ControlOptions) -> list[Publish]:
    """New grants, and those that managers seem not to have seen."""
    accounts = draft.state.accounts
    new = [event.slice for event in draft.events if isinstance(event, Sent)]
    liveness = term.liveness.published(new, inputs.now_s)
    unseen = liveness.without_newest(
        accounts, inputs.statuses, inputs.now_s, options, unplaced=term.unplaced - set(new)
    )
    return [
        *(Publish(accounts[name].newest) for name in new if name in accounts),
        *(Publish(accounts[name].newest, again=True) for name in unseen),
    ]
