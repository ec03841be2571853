"""A turn of the orchestrator as a pure function: what goes in, which events and instructions come out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from slicewright.control.decision.decide import LAST_GOOD
from slicewright.control.decision.fallback import FALLBACK, decide_in_place
from slicewright.control.messages.details import Details
from slicewright.control.messages.measurement import Measurement
from slicewright.control.orchestrator.turn.instructions import (
    AnswerRequest,
    Certify,
    Inform,
    Publish,
    RefuseRequest,
    Shadow,
)
from slicewright.control.orchestrator.turn.term import Term
from slicewright.control.orchestrator.turn.turn import Inputs, begin_turn, finish_turn
from slicewright.control.requests.commands import UnknownDeviceError, remove
from slicewright.control.sharing.rules import LearnedShares
from slicewright.control.slice_manager.state import ManagerState, take
from slicewright.control.state.events import (
    Acknowledged,
    Certified,
    Checkpoint,
    Decided,
    DecisionChanged,
    DevicesAdmitted,
    DevicesRemoved,
    Event,
    MethodChanged,
    Rebalanced,
    Refused,
    Sent,
    SharesReported,
)
from slicewright.control.state.fold import fold
from tests.control.support.turns import OPTIONS, SLICES, World, kinds, published


def test_the_first_turn_decides_sends_and_answers() -> None:
    world = World()
    newcomer = replace(next(iter(world.state.devices.values())), id="newcomer")
    turn = world.turn(world.request(lambda _: (DevicesAdmitted((newcomer,)),)))
    assert kinds(turn.events) == [DevicesAdmitted, Decided, Sent, Sent, Sent]
    assert turn.events[2:] == tuple(Sent(name, k, "target") for k, name in enumerate(SLICES, 1))
    assert kinds(turn.instructions) == [Certify, AnswerRequest, Publish, Publish, Publish]
    assert turn.instructions[1] == AnswerRequest(1)
    accounts = turn.state.accounts
    assert turn.instructions[2:] == tuple(Publish(accounts[name].newest) for name in SLICES)
    assert turn.settlement is not None
    assert turn.state.places == turn.settlement.places


def test_a_turn_is_a_function_of_what_goes_in() -> None:
    world = World()
    inputs = Inputs(5.0)
    term, _ = Term.begin(world.state, 5.0)
    turns = []
    for _ in range(2):
        begun = begin_turn(world.state, term, (), inputs, OPTIONS)
        assert begun.wanted is not None
        turns.append(finish_turn(begun, decide_in_place(begun.wanted, OPTIONS), inputs, OPTIONS))
    one, two = turns
    assert one.events == two.events
    assert one.term == two.term
    assert one.instructions[1:] == two.instructions[1:], "plans are compared by identity"


def test_the_events_lead_to_the_state_that_the_turn_shows() -> None:
    world = World()
    state = world.state
    for _ in range(4):
        turn = world.turn()
        world.hear()
        for event in turn.events:
            state = fold(state, event)
        assert (state.places, state.accounts, state.epoch) == (
            world.state.places,
            world.state.accounts,
            world.state.epoch,
        )


def test_acknowledgements_and_then_silence() -> None:
    world = World()
    world.turn()
    world.hear("s0", "s2")
    turn = world.turn()
    assert turn.events == (Acknowledged("s0", 1), Acknowledged("s2", 3))
    assert turn.instructions == ()
    assert world.turn().events == (), "nothing is said twice"


def test_a_refusal_is_recorded_and_the_slice_left_alone_until_its_time_is_over() -> None:
    world = World()
    world.turn()
    broken = {"s1": replace(world.state.accounts["s1"].newest, bandwidth={"ap0": 3.0})}
    world.managers["s1"] = take(ManagerState.fresh("s1"), broken["s1"]).state
    world.hear()
    turn = world.turn()
    assert kinds(turn.events) == [Acknowledged, Refused, Acknowledged]
    world.now_s += OPTIONS.epoch_s
    world.hear()
    turn = world.turn()
    decision = turn.events[0]
    assert isinstance(decision, DecisionChanged)
    assert decision.pinned == ("s1",)
    assert "s1" not in published(turn)
    world.now_s += OPTIONS.refusal_retry_s
    someone = next(iter(world.state.devices))
    world.turn(world.request(lambda s: remove(s, someone)))
    world.now_s += OPTIONS.epoch_s
    world.hear()
    world.turn()
    assert world.state.last is not None
    assert world.state.last.pinned == (), "the next decision counts on the slice again"


def test_what_a_request_refuses_is_told_and_leaves_no_trace() -> None:
    world = World()
    world.settle()
    turn = world.turn(world.request(lambda s: remove(s, "nobody")))
    (refusal,) = world.refused
    assert isinstance(refusal, RefuseRequest)
    assert refusal.request == 1
    assert isinstance(refusal.error, UnknownDeviceError)
    assert (turn.events, turn.instructions) == ((), ())


def test_who_waits_is_answered_with_the_decision_who_does_not_at_once() -> None:
    world = World(options=replace(OPTIONS, on_demand=False))
    world.settle()
    first, second = list(world.state.devices)[:2]
    world.now_s += 0.5
    turn = world.turn(
        world.request(lambda s: remove(s, first)),
        world.request(lambda s: remove(s, second), wait=False),
    )
    assert turn.events == (DevicesRemoved((first,)), DevicesRemoved((second,)))
    assert turn.instructions == (AnswerRequest(2),)
    assert list(world.term.waiting) == [1]
    world.now_s += 0.5
    world.hear()
    turn = world.turn()
    assert kinds(turn.events)[0] is DecisionChanged
    assert AnswerRequest(1) in turn.instructions
    assert list(world.term.waiting) == []


def test_while_grants_are_on_their_way_nothing_new_is_decided() -> None:
    world = World()
    world.turn()
    device = next(iter(world.state.devices))
    turn = world.turn(world.request(lambda s: remove(s, device)))
    assert kinds(turn.events) == [DevicesRemoved]
    assert turn.instructions == ()
    world.hear()
    turn = world.turn()
    assert kinds(turn.events)[:4] == [Acknowledged, Acknowledged, Acknowledged, DecisionChanged]
    assert AnswerRequest(1) in turn.instructions


def test_a_slice_that_does_not_answer_is_left_as_it_is() -> None:
    world = World()
    world.turn()
    world.hear("s0", "s2")
    world.turn()
    world.now_s += OPTIONS.ack_timeout_s + 0.5
    world.hear("s0", "s2")
    turn = world.turn()
    decision = turn.events[0]
    assert isinstance(decision, DecisionChanged)
    assert decision.pinned == ("s1",)
    assert not {name for name in published(turn) if name == "s1"}


def test_a_manager_without_its_newest_grant_is_given_it_again() -> None:
    world = World()
    world.settle()
    world.managers["s2"] = ManagerState.fresh("s2")
    world.now_s += OPTIONS.ack_timeout_s / 2
    world.hear()
    assert published(world.turn()) == [], "it may still be on its way"
    world.now_s += OPTIONS.ack_timeout_s
    world.hear()
    turn = world.turn()
    assert Publish(world.state.accounts["s2"].held, again=True) in turn.instructions
    world.hear()
    assert published(world.turn()) == [], "not more often than it takes to answer"


def test_measurements_count_with_the_next_epoch() -> None:
    world = World()
    world.settle()
    name = max(SLICES, key=lambda n: len(world.managers[n].grant.seats))
    device, seat = next(iter(world.managers[name].grant.seats.items()))
    newer = Measurement(device, 1, task_bits=2 * seat.task_bits)
    world.managers[name] = take(world.managers[name], newer).state
    world.now_s += OPTIONS.epoch_s / 2
    world.hear()
    early = world.turn()
    assert not any(isinstance(event, DevicesAdmitted) for event in early.events)
    world.now_s += OPTIONS.epoch_s
    world.hear()
    late = world.turn()
    admitted = next(event for event in late.events if isinstance(event, DevicesAdmitted))
    assert admitted.source == "manager"
    assert [d.task_bits for d in admitted.devices] == [newer.task_bits]


def test_shares_alone_are_rebalanced_between_epochs() -> None:
    world = World()
    world.settle()
    status = next(s for s in world.statuses.values() if s.roots)
    point = next(p for p in status.roots if sum(p in s.roots for s in world.statuses.values()) > 1)
    shifted = {**status.roots, point: 9 * status.roots[point]}
    world.statuses[status.slice] = replace(status, roots=shifted)
    world.now_s += OPTIONS.epoch_s / 2
    turn = world.turn()
    assert kinds(turn.events)[0] is Rebalanced
    assert not any(isinstance(event, Decided | DecisionChanged) for event in turn.events)


def test_a_certificate_is_recorded_before_the_next_decision() -> None:
    world = World()
    world.settle()
    certified = Certified(world.state.epoch, 1.0, 0.5)
    device = next(iter(world.state.devices))
    turn = world.turn(world.request(lambda s: remove(s, device)), certificate=(certified,))
    assert kinds(turn.events)[:3] == [DevicesRemoved, Certified, DecisionChanged]
    assert turn.state.last is not None
    assert turn.state.last.epoch == certified.epoch + 1


def test_a_certificate_that_comes_while_deciding_goes_before_the_decision() -> None:
    world = World()
    inputs = Inputs(world.now_s)
    begun = begin_turn(world.state, world.term, (), inputs, OPTIONS)
    assert begun.wanted is not None
    made = decide_in_place(begun.wanted, OPTIONS)
    turn = finish_turn(begun, made, inputs, OPTIONS, certificate=(Certified(0, 1.0, 0.0),))
    assert kinds(turn.events)[:2] == [Certified, Decided]


def test_a_method_on_trial_is_shown_what_was_decided() -> None:
    world = World()
    canary = world.request(lambda _: (MethodChanged("canary", "greedy"),), wait=False)
    turn = world.turn(canary)
    shadow = next(item for item in turn.instructions if isinstance(item, Shadow))
    assert (shadow.method, shadow.used) == ("greedy", turn.settlement)


def test_a_method_without_answers_is_rolled_back() -> None:
    world = World(options=replace(OPTIONS, most_failures=2))
    world.state = fold(world.state, MethodChanged("switch", "no-such-method"))
    rolled: list[Event] = []
    for device in list(world.state.devices)[:2]:
        turn = world.turn(world.request(partial(remove, device=device)))
        decision = next(event for event in turn.events if isinstance(event, Decided | DecisionChanged))
        assert [a.result for a in decision.attempts] == ["failed", "used"]
        assert decision.method == FALLBACK
        rolled += [event for event in turn.events if isinstance(event, MethodChanged)]
        world.hear()
        world.turn()
    (change,) = rolled
    assert isinstance(change, MethodChanged)
    assert (change.action, change.method) == ("roll-back", "auto")
    assert world.term.failures == 0


def test_managers_with_a_model_are_told_once_and_their_shares_recorded() -> None:
    world = World()
    rule = LearnedShares("no-such-model")
    world.managers["s1"] = ManagerState.fresh("s1", rule=rule)
    world.hear()
    turn = world.turn()
    told = [item for item in turn.instructions if isinstance(item, Inform)]
    assert [item.slice for item in told] == ["s1"]
    assert isinstance(told[0].details, Details)
    world.hear()
    turn = world.turn()
    assert not any(isinstance(item, Inform) for item in turn.instructions)
    assert kinds(turn.events) == [Acknowledged, Acknowledged, Acknowledged, SharesReported]
    assert turn.state.shares_reported["s1"].path == "closed-form"


def test_details_that_were_not_sent_are_sent_again() -> None:
    world = World()
    world.managers["s1"] = ManagerState.fresh("s1", rule=LearnedShares("no-such-model"))
    world.hear()
    before = world.term
    turn = world.turn()
    inform = next(item for item in turn.instructions if isinstance(item, Inform))
    world.term = replace(world.term, told=before.told)  # the transport was away
    assert inform in world.turn().instructions


def test_a_probe_is_written_only_if_there_is_nothing_else() -> None:
    world = World()
    assert Checkpoint not in kinds(world.turn(probe=True).events)
    world.hear()
    world.settle()
    turn = world.turn(probe=True)
    assert kinds(turn.events) == [Checkpoint]
    assert turn.instructions == ()


@pytest.mark.parametrize("epoch_s", [0.2, 1.0])
def test_the_pause_ends_with_the_epoch_or_when_somebody_may_be_late(epoch_s: float) -> None:
    options = replace(OPTIONS, epoch_s=epoch_s)
    world = World(options=options)
    world.turn()
    assert world.term.pause_s(world.now_s, options) == pytest.approx(min(epoch_s, options.ack_timeout_s / 4))
    assert world.term.pause_s(world.now_s + 10, options) > 0


def test_a_new_term_publishes_every_grant_again() -> None:
    world = World()
    world.settle()
    term, instructions = Term.begin(world.state, 7.0)
    assert list(instructions) == [Publish(a.held, again=True) for a in world.state.accounts.values()]
    assert term.liveness.away(world.state.accounts, {}, 7.0, OPTIONS) == frozenset()


def test_the_chain_in_place_ends_with_the_last_good_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    begun = begin_turn(world.state, world.term, (), Inputs(world.now_s), OPTIONS)
    assert begun.wanted is not None
    monkeypatch.setattr("slicewright.control.decision.fallback.decide", lambda *_, **__: None)
    made = decide_in_place(begun.wanted, OPTIONS)
    assert [(a.method, a.result) for a in made.attempts] == [
        ("auto", "rejected"),
        (FALLBACK, "rejected"),
        (LAST_GOOD, "used"),
    ]
