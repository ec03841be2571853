"""Decisions as differences: together with the decision before they are the decision, bit for bit and in order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from slicewright.control.decision.recording import decided
from slicewright.control.state.device import Device
from slicewright.control.state.errors import ControlError
from slicewright.control.state.events import (
    EVENT,
    Decided,
    DecisionChanged,
    DevicesAdmitted,
    DevicesRemoved,
    Event,
    NetworkSet,
)
from slicewright.control.state.events.differences import recorded, told_after, whole_decision
from slicewright.control.state.fold import fold
from slicewright.control.state.network import Network
from slicewright.control.state.state import OrchestratorState, dump
from tests.control.support.decisions import DECISION_OPTIONS, decide_now
from tests.control.support.scenes import crowded, moved, scenario_of, state_with


def decision_of(state: OrchestratorState, pinned: frozenset[str] = frozenset()) -> Decided:
    _, settlement = decide_now(state, pinned)
    return decided(
        state.situation(pinned), settlement, (), epoch=state.epoch + 1, options=DECISION_OPTIONS, pinned=pinned,
        previous=state.places, duration_s=0.25,
    )  # fmt: skip


def in_order(decision: Decided) -> object:
    """Everything that may have an effect on sums: order included."""
    return [
        (name, list(grant.seats), list(grant.bandwidth), list(grant.others_hz), list(grant.capacity_hz))
        for name, grant in decision.targets.items()
    ]


def test_changes_and_the_decision_before_are_the_decision() -> None:
    rng = np.random.default_rng(3)
    state, devices = state_with(crowded(14, 4))
    known: dict[str, Device] = {device.id: device for device in devices}
    changes = 0
    for step in range(30):
        what = rng.integers(5)
        name = str(rng.choice(list(known)))
        event: Event
        if what == 0 and len(known) > 4:
            event = DevicesRemoved((name,))
            del known[name]
        elif what == 1:
            known[f"new-{step}"] = replace(moved(known[name], rng), id=f"new-{step}")
            event = DevicesAdmitted((known[f"new-{step}"],))
        elif what == 2 and step > 5:
            other = crowded(14, int(rng.integers(9)))
            event = NetworkSet(Network.of(other).document)
        else:
            known[name] = moved(known[name], rng)
            event = DevicesAdmitted((known[name],))
        state = fold(state, event)
        now = decision_of(state, frozenset({"s1"}) if step % 7 == 3 else frozenset())
        text = EVENT.dump_json(recorded(state.last, now), by_alias=True)
        told = told_after(state.last, now)
        assert EVENT.dump_json(told.event, by_alias=True) == text
        assert told.whole == now
        assert in_order(told.whole) == in_order(now)
        written = EVENT.validate_json(text)
        if isinstance(written, DecisionChanged):
            again = whole_decision(state.last, written)
            assert again == now
            assert in_order(again) == in_order(now)
            changes += 1
        live, read = fold(state, now), fold(state, written)
        assert dump(live) == dump(read)
        state = read
    assert changes == 29, "only the first decision is written whole"


def test_a_record_holds_what_changed_and_not_the_plan() -> None:
    state, devices = state_with(scenario_of(300, 1))
    first = decision_of(state)
    state = fold(state, first)
    state = fold(state, DevicesAdmitted((moved(devices[17], np.random.default_rng(1)),)))
    next_one = decision_of(state)
    whole, told = (len(EVENT.dump_json(e)) for e in (next_one, recorded(first, next_one)))
    assert told < whole / 5
    nothing_new = recorded(next_one, replace(next_one, epoch=3))
    assert len(EVENT.dump_json(nothing_new)) < 2500


def test_changes_of_nothing_are_no_decision() -> None:
    state, _ = state_with(scenario_of(4, 1))
    state = fold(state, decision_of(state))
    told = recorded(state.last, decision_of(state))
    assert isinstance(told, DecisionChanged)
    with pytest.raises(ControlError, match="since when"):
        whole_decision(None, told)


def test_what_has_not_changed_is_the_very_same_object() -> None:
    state, devices = state_with(scenario_of(12, 1))
    state = fold(state, decision_of(state))
    assert state.last is not None
    known = {d: seat for grant in state.last.targets.values() for d, seat in grant.seats.items()}
    state = fold(state, DevicesAdmitted((moved(devices[3], np.random.default_rng(1)),)))
    whole = told_after(state.last, decision_of(state)).whole
    seats = {d: seat for grant in whole.targets.values() for d, seat in grant.seats.items()}
    assert all(seat is known[d] for d, seat in seats.items() if known.get(d) == seat)
    assert sum(seat is known.get(d) for d, seat in seats.items()) > 2


def test_the_order_of_sums_is_kept_when_devices_change_places() -> None:
    """Devices that leave a slice and come back have their old place in it, not the last one."""
    state, _ = state_with(scenario_of(12, 2))
    before = decision_of(state)
    name = max(before.targets, key=lambda n: len(before.targets[n].seats))
    grant = before.targets[name]
    first = next(iter(grant.seats))
    fewer = {device: seat for device, seat in grant.seats.items() if device != first}
    places = {device: place for device, place in before.places.items() if device != first}
    without = replace(before, targets={**before.targets, name: replace(grant, seats=fewer)}, places=places)
    for one, two in ((before, without), (without, before)):
        told = recorded(one, two)
        assert isinstance(told, DecisionChanged)
        assert in_order(whole_decision(one, told)) == in_order(two)
        assert whole_decision(one, told) == two
    shuffled = replace(
        before,
        targets={**before.targets, name: replace(grant, seats=dict(reversed(list(grant.seats.items()))))},
    )
    told = recorded(before, shuffled)
    assert isinstance(told, DecisionChanged)
    assert in_order(whole_decision(before, told)) == in_order(shuffled)
