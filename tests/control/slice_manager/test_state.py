"""A slice manager as a value: what it takes, refuses and ignores."""

from __future__ import annotations

from dataclasses import replace

from slicewright.control.messages.measurement import Measurement
from slicewright.control.sharing.allocation import Allocation
from slicewright.control.slice_manager.state import (
    ManagerState,
    current_seats,
    fault,
    inform,
    measure,
    receive,
    status_of,
)
from tests.control.support.grants import SEAT, grant
from tests.control.support.learned_shares import AS_TRAINED, LEARNED, details_for, managed


def test_a_manager_refuses_what_cannot_be_applied_and_keeps_the_last_good_one() -> None:
    good = replace(grant("x", 0.5, seats={"d": SEAT}), revision=1)
    manager = receive(ManagerState.fresh("x"), good)
    assert manager.allocation.radio == {"d": 1.0}
    for bad in (
        replace(good, revision=2, slice="y"),
        replace(good, revision=2, bandwidth={"ap0": 1.2}),
        replace(good, revision=2, capacity_hz={}),
        replace(good, revision=2, others_hz={}),
        replace(good, revision=2, seats={"d": replace(SEAT, cycles=-1.0)}),
    ):
        assert fault("x", bad)
        refusing = receive(manager, bad)
        assert (refusing.refused, refusing.grant) == (2, good)
        assert refusing.reason
        status = status_of(refusing, "m")
        assert (status.applied, status.refused) == (1, 2)


def test_stale_and_repeated_grants_change_nothing() -> None:
    newer = replace(grant("x", 0.5, seats={"d": SEAT}), revision=5)
    manager = receive(ManagerState.fresh("x"), newer)
    for revision in (5, 4, 0):
        assert receive(manager, replace(newer, revision=revision, bandwidth={"ap0": 0.9})) is manager


def test_a_successor_of_a_manager_goes_on_with_the_model() -> None:
    manager = managed(AS_TRAINED)["s0"]
    status = status_of(manager, "first")
    again = ManagerState.resumed(status, rule=LEARNED)
    assert again.sharing.path == "closed-form", "until it is told of the requests"
    again = inform(again, details_for(AS_TRAINED, "s0"))
    assert again.allocation == manager.allocation
    assert isinstance(again.allocation, Allocation)


def test_a_stale_measurement_is_ignored_where_the_newer_one_was_heard() -> None:
    manager = receive(ManagerState.fresh("x"), replace(grant("x", 0.5, seats={"d": SEAT}), revision=1))
    manager = measure(manager, Measurement("d", 1, task_bits=2 * SEAT.task_bits))
    assert measure(manager, Measurement("d", 0, task_bits=1.0)) is manager


def test_a_stale_measurement_is_ignored_where_the_device_has_just_moved_to() -> None:
    """The details of its seat already hold measurement 1; 0 does not overwrite them."""
    newer = replace(SEAT, task_bits=2 * SEAT.task_bits, counter=1)
    manager = receive(ManagerState.fresh("y"), replace(grant("y", 0.5, seats={"d": newer}), revision=2))
    assert measure(manager, Measurement("d", 0, task_bits=1.0)) is manager
    assert measure(manager, Measurement("d", 1, task_bits=1.0)) is manager
    assert current_seats(measure(manager, Measurement("d", 2, task_bits=1.0)))["d"].task_bits == 1.0


def test_a_measurement_of_an_earlier_life_never_applies() -> None:
    again = replace(SEAT, generation=7)
    manager = receive(ManagerState.fresh("x"), replace(grant("x", 0.5, seats={"d": SEAT}), revision=1))
    manager = measure(manager, Measurement("d", 5, task_bits=1.0))
    manager = receive(manager, replace(grant("x", 0.5, seats={"d": again}), revision=2))
    assert manager.measured == {}
    for stale in (Measurement("d", 9, task_bits=1.0), Measurement("d", 10, departed=True, generation=6)):
        assert measure(manager, stale) is manager
    assert current_seats(manager) == {"d": again}


def test_a_measurement_of_a_life_to_come_waits_for_its_grant() -> None:
    manager = receive(ManagerState.fresh("x"), replace(grant("x", 0.5, seats={"d": SEAT}), revision=1))
    early = Measurement("d", 0, task_bits=2.0, generation=7)
    manager = measure(manager, early)
    assert current_seats(manager) == {"d": SEAT}
    assert status_of(manager, "m").measured == {"d": early}, "the orchestrator may know that life already"
    assert measure(manager, Measurement("d", 3, task_bits=1.0)) is manager, "not the other way round"
    again = replace(SEAT, generation=7)
    manager = receive(manager, replace(grant("x", 0.5, seats={"d": again}), revision=2))
    assert current_seats(manager)["d"].task_bits == 2.0
