"""Every admission of a device is a life of its own: what was measured in an earlier one never applies to it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import pytest

from slicewright.control.messages.keys import measurement_key
from slicewright.control.messages.measurement import MEASUREMENT, Measurement
from slicewright.control.orchestrator.leftovers import remove_measurements
from slicewright.control.orchestrator.loop import TIDY_S
from slicewright.control.requests.commands import admit, remove
from slicewright.control.slice_manager.state import measure
from slicewright.control.state.clock import LoopClock
from slicewright.control.state.device import FIRST_LIFE, Life
from slicewright.control.state.events import DevicesAdmitted, DevicesRemoved, TookOver
from slicewright.control.state.fold import fold
from slicewright.control.state.state import dump, load
from slicewright.control.transport.memory import MemoryTransport
from tests.control.orchestrator.test_loop import DEVICES, OPTIONS, Site
from tests.control.support.simulated_time import simulate
from tests.control.support.turns import World


def settled() -> tuple[World, str, str]:
    """A world at rest, one of its offloaded devices, and its slice."""
    world = World()
    world.hear()
    world.settle()
    device, place = next(iter(world.state.places.items()))
    return world, device, place.slice


def test_admissions_are_numbered_and_numbers_survive_a_checkpoint() -> None:
    world, device, _ = settled()
    here = world.state.devices[device]
    for expected in (1, 2):
        (event,) = admit(world.state, [here], most=100)
        assert isinstance(event, DevicesAdmitted)
        world.state = fold(world.state, event)
        assert world.state.lives[device] == Life(expected)
    assert set(world.state.lives) == {device}, "the others are in the life that logs before had"
    world.state = fold(world.state, DevicesRemoved((device,)))
    assert world.state.lives == {}
    again = load(json.loads(json.dumps(dump(world.state))))
    assert again.admissions == 2, "no later life has a number that was in use"


@pytest.mark.parametrize("departed", [False, True])
def test_what_was_measured_in_the_life_before_changes_nothing(departed: bool) -> None:
    world, device, name = settled()
    late = Measurement(device, 9, task_bits=None if departed else 1.0, departed=departed)
    world.managers[name] = measure(world.managers[name], late)
    world.hear()
    asked = replace(world.state.devices[device], task_bits=4321.0)
    world.now_s += OPTIONS.epoch_s
    turn = world.turn(world.request(partial(admit, devices=[asked], most=100)))
    assert not any(isinstance(event, DevicesRemoved) for event in turn.events)
    for _ in range(5):
        world.now_s += OPTIONS.epoch_s
        world.settle()
        world.hear()
    assert world.state.devices[device] == asked
    assert world.state.settled
    place = world.state.places.get(device)
    if place is not None:
        seat = world.managers[place.slice].grant.seats[device]
        assert (seat.task_bits, seat.generation) == (4321.0, 1)
    assert measure(world.managers[name], late) is world.managers[name]


def test_what_was_measured_once_is_taken_in_once_and_seats_say_so() -> None:
    world, device, name = settled()
    rate = {world.state.places[device].access_point: 3e6}
    world.managers[name] = measure(world.managers[name], Measurement(device, 4, rate_bps=rate))
    world.hear()
    told = []
    for _ in range(4):
        world.now_s += OPTIONS.epoch_s
        told += [event for event in world.turn().events if isinstance(event, DevicesAdmitted)]
        world.hear()
        world.settle()
    assert [event.counters for event in told] == [{device: 4}]
    assert world.state.lives[device] == FIRST_LIFE._replace(counter=4)
    place = world.state.places[device]
    assert world.state.accounts[place.slice].held.seats[device].counter == 4
    assert world.managers[place.slice].measured == {}, "it is in the grant"


def test_a_measurement_of_what_was_known_is_noted_without_a_decision() -> None:
    world, device, name = settled()
    same = Measurement(device, 2, task_bits=world.state.devices[device].task_bits)
    world.managers[name] = measure(world.managers[name], same)
    world.hear()
    world.now_s += OPTIONS.epoch_s
    epoch = world.state.epoch
    (event,) = world.turn().events
    assert isinstance(event, DevicesAdmitted)
    assert event.devices == ()
    assert world.state.epoch == epoch


def test_keys_of_gone_devices_are_removed_and_others_are_kept() -> None:
    async def story() -> None:
        clock = LoopClock()
        site = Site(MemoryTransport(clock), clock)
        sro = site.orchestrate("a")
        for name in ("s0", "s1", "s2"):
            site.manage(name)
        await site.set_up(sro)
        for device in DEVICES[:2]:
            value = MEASUREMENT.dump_json(Measurement(device.id, 1, task_bits=device.task_bits))
            await site.transport.put(measurement_key(device.id), value)
        await sro.submit(partial(remove, device=DEVICES[0].id), wait=True)
        await site.clock_past(TIDY_S)
        assert list(await site.transport.keys("measurement")) == [measurement_key(DEVICES[1].id)]
        # Somebody is admitted and measured between listing and removing: the newer measurement stays.
        await site.transport.put(measurement_key("x"), b"old life")

        class Meanwhile(MemoryTransport):
            async def remove(self, key: str, revision: int) -> None:
                await site.transport.put(key, b"new life")
                await site.transport.remove(key, revision)

        between = Meanwhile(clock)
        between.keys = site.transport.keys  # type: ignore[method-assign]  # a stand-in
        assert await remove_measurements(between, lambda: sro.state.devices) == 1
        kept = await site.transport.get(measurement_key("x"))
        assert kept is not None
        assert kept.value == b"new life"
        await site.end()

    simulate(story)


def test_admissions_of_a_later_leader_have_numbers_that_no_lost_one_had() -> None:
    """The leader before may have admitted more than the journal knows; measurements of that are on their way."""
    world, device, _ = settled()
    here, lost = [world.state.devices[device]], world.state
    for _ in range(3):
        lost = fold(lost, admit(lost, here, most=100)[0])
    first = fold(world.state, TookOver("sro-1", 1_000_000))
    assert fold(first, admit(first, here, most=100)[0]).admissions == 1, "nobody has led before"
    second = fold(first, TookOver("sro-2", 2_000_000))
    for number in (2_000_000, 2_000_001):
        second = fold(second, admit(second, here, most=100)[0])
        assert second.lives[device].generation == number > lost.lives[device].generation
