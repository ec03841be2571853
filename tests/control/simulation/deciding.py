"""Decisions in no time: random places within what pins leave. What is under test is what becomes of decisions."""

from __future__ import annotations

import random

from slicewright.control.decision.fallback import DecisionMade, DecisionWanted
from slicewright.control.decision.settlement import Settlement
from slicewright.control.state.device import FIRST_LIFE
from slicewright.control.state.events import Attempt
from slicewright.control.state.grants import Grant, Place, Seat
from slicewright.control.state.reasons import Reason
from slicewright.control.state.situation import Pin, Situation


class QuickDecisions:
    """In the place of the fallback chain."""

    trial = None

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    async def decide(self, wanted: DecisionWanted) -> DecisionMade:
        """Some settlement that obeys every constraint between slices."""
        settlement = settle(wanted.situation, wanted.epoch, self._chance)
        return DecisionMade(settlement, (Attempt("simulated", "used", 0.0),), 0.0)

    def shadow(self, *_: object) -> None:
        """Nobody is on trial."""

    async def warm_up(self, *_: object) -> None:
        """Nothing to load."""

    def close(self) -> None:
        """Nothing to end."""


def settle(situation: Situation, epoch: int, chance: random.Random) -> Settlement:
    """Random places for most devices; shares of what pins leave; bounds on arrivals as they come out."""
    network, pins = situation.network, situation.pins
    names = [name for name in network.slice_names if name not in {pin.slice for pin in pins}]
    nodes = [node for node in network.nodes if not any(node in pin.others_hz for pin in pins)]
    held = frozenset[str]().union(*(pin.devices for pin in pins))
    seats: dict[str, dict[str, Seat]] = {name: {} for name in names}
    for device in situation.devices:
        if device.id in held or not names or not nodes or chance.random() < 0.2:
            continue
        name, node = chance.choice(names), chance.choice(nodes)
        point = chance.choice(network.access_points)
        life = situation.lives.get(device.id, FIRST_LIFE)
        seats[name][device.id] = Seat(
            point, node, device.task_bits, 1e7, device.slice_cycles.get(name, 1e6), device.local_time_s,
            device.arrival_rate_hz, life.generation, life.counter,
        )  # fmt: skip
    drafts = {name: Grant(name, seats=mine) for name, mine in seats.items()}
    arrivals = {name: draft.arrivals_hz for name, draft in drafts.items()}
    arrivals.update({pin.slice: pin.arrivals_hz for pin in pins})
    targets = {}
    for name in names:
        used = sorted({seat.node for seat in seats[name].values()})
        others = {j: sum(a.get(j, 0.0) for n, a in arrivals.items() if n != name) for j in used}
        points = sorted({seat.access_point for seat in seats[name].values()})
        targets[name] = Grant(
            name,
            epoch=epoch,
            bandwidth={a: _share(a, name, seats, pins, chance) for a in points},
            seats=seats[name],
            others_hz=others,
            capacity_hz=dict.fromkeys(used, 1e9),
        )
    places = {d: Place(s.access_point, s.node, n) for n, mine in seats.items() for d, s in mine.items()}
    reasons = {d.id: Reason.CHEAPER for d in situation.devices if d.id not in places}
    ids = tuple(device.id for device in situation.devices)
    return Settlement(
        method="simulated", devices=ids, plan=None, targets=targets, places=places, reasons=reasons
    )


def _share(
    point: str, name: str, seats: dict[str, dict[str, Seat]], pins: tuple[Pin, ...], chance: random.Random
) -> float:
    """An equal part of what pins leave, or the whole of it where nobody else is; seldom the same twice."""
    left = max(0.0, 1.0 - sum(pin.bandwidth.get(point, 0.0) for pin in pins))
    using = [n for n, mine in seats.items() if any(seat.access_point == point for seat in mine.values())]
    assert name in using
    return left / len(using) * chance.choice((1.0, 1.0, 0.9))
