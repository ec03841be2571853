"""SP1 inside one grant: the closed form, or the advice of a learned model where it keeps every constraint."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from slicewright.control.sharing.rules import Advice
from slicewright.control.state.grants import Grant, Seat
from slicewright.control.state.reasons import Reason
from slicewright.slicing.shares import compute_shares_of, radio_shares_of
from slicewright.types import FloatArray

_EDGE = 1e-9
"""A plan may sit on the very edge of 13b; sums in another order must not push it over."""
_TOLERANCE = 1e-9


class NodeProblem(NamedTuple):
    """SP1 on one node of a slice, as a rule sees it; lengths k, the devices there.

    Attributes:
        cycles: (k,) cycle. local_time_s: (k,) s. queue_hz: (k,) 1/s. capacity_hz: cycle/s.
    """

    cycles: FloatArray
    local_time_s: FloatArray
    queue_hz: FloatArray
    capacity_hz: float


@dataclass(frozen=True)
class Allocation:
    """Shares of a slice's devices.

    Attributes:
        radio: device to phi_ia. compute: device to phi_ij.
        local: device to the reason why its seat is not used and it computes locally.
        overruled: why the closed form answered instead of the advice, a sentence per resource.
        advised: resources that are shared as advised.
    """

    radio: Mapping[str, float]
    compute: Mapping[str, float]
    local: Mapping[str, Reason]
    overruled: tuple[str, ...] = ()
    advised: int = 0


def allocate(
    grant: Grant, seats: Mapping[str, Seat] | None = None, *, advice: Advice | None = None
) -> Allocation:
    """Shares for the seats of a grant that keep 13b, 13c and 13e; who does not fit computes locally.

    Args:
        grant: what the slice may use.
        seats: the same devices as they are now, where newer details are known; the grant's own by default.
        advice: weights, normalised here over those who really use a resource. Where what comes out breaks a
            constraint the closed form answers.

    Returns:
        Shares of everybody who stays. On a node those with the largest floor, L / tau, leave first: one departure
        then frees most. Arrivals never exceed what the grant's own seats bring.
    """
    present = dict(grant.seats if seats is None else seats)
    local: dict[str, Reason] = {}
    overruled: list[str] = []
    resources = 0
    for device, seat in list(present.items()):
        if not math.isfinite(seat.transmission_s) or grant.bandwidth.get(seat.access_point, 0.0) <= 0.0:
            local[device] = Reason.OUT_OF_REACH
            del present[device]
    compute: dict[str, float] = {}
    for node, members in _grouped(present, "node").items():
        wanted = None if advice is None else advice.compute
        shares, gone, fault = _share_node(grant, node, {d: present[d] for d in members}, wanted)
        compute.update(shares)
        resources += bool(shares)
        overruled += [f"on node {node} {fault}"] if fault else []
        for device in gone:
            local[device] = Reason.NO_CAPACITY
            del present[device]
    radio: dict[str, float] = {}
    for point, members in _grouped(present, "access_point").items():
        times = np.array([present[d].transmission_s for d in members])
        shares_here, fault = _share_radio(times, _weights(members, None if advice is None else advice.radio))
        radio.update(zip(members, shares_here.tolist(), strict=True))
        resources += 1
        overruled += [f"on access point {point} {fault}"] if fault else []
    advised = 0 if advice is None else resources - len(overruled)
    return Allocation(radio, compute, local, tuple(overruled), advised)


def _grouped(seats: Mapping[str, Seat], place: str) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for device, seat in seats.items():
        groups.setdefault(getattr(seat, place), []).append(device)
    return groups


def _weights(devices: list[str], advice: Mapping[str, float] | None) -> FloatArray | None:
    return None if advice is None else np.array([advice.get(device, 0.0) for device in devices])


def _share_node(
    grant: Grant, node: str, members: dict[str, Seat], advice: Mapping[str, float] | None
) -> tuple[dict[str, float], list[str], str]:
    """Compute shares on one node, who has to leave it, and why the advice was not followed."""
    ceiling = grant.arrivals_hz.get(node, 0.0) * (1 + _TOLERANCE)
    stay, gone = list(members), list[str]()
    order: list[str] | None = None  # nearly always everybody stays, and nobody asks for it
    while stay:
        arrivals = np.array([members[d].arrival_hz for d in stay])
        total = float(np.add.reduce(arrivals))
        if total <= ceiling:
            problem = _node_problem(grant, node, [members[d] for d in stay], arrivals, total)
            shares, fault = _share_compute(problem, _weights(stay, advice))
            if shares is not None:
                return dict(zip(stay, shares.tolist(), strict=True)), gone, fault
        if order is None:
            order = sorted(members, key=lambda d: -members[d].cycles / members[d].local_time_s)
        gone = order[: len(gone) + 1]
        stay = [device for device in stay if device != gone[-1]]
    return {}, gone, ""


def _node_problem(
    grant: Grant, node: str, seats: list[Seat], arrivals: FloatArray, total_hz: float
) -> NodeProblem:
    queue = arrivals
    if grant.queueing == "node":
        queue = np.empty(len(seats))
        queue.fill(total_hz + grant.others_hz.get(node, 0.0))
    return NodeProblem(
        np.array([s.cycles for s in seats]),
        np.array([s.local_time_s for s in seats]),
        queue,
        grant.capacity_hz.get(node, 0.0),
    )


def _share_compute(problem: NodeProblem, weights: FloatArray | None) -> tuple[FloatArray | None, str]:
    """Advised shares if they keep 13b, 13c and 13e, else the closed form; None when nothing is feasible."""
    if problem.capacity_hz <= 0:
        return None, ""
    advised, fault = _normalised(weights)
    if advised is not None:
        surplus = advised * problem.capacity_hz / problem.cycles - problem.queue_hz
        if (surplus <= 0).any():
            fault = "a queue would not be stable (13c)"
        elif (surplus * problem.local_time_s < 1 - _TOLERANCE).any():
            fault = "somebody's execution would be slower than local (13b)"
        else:
            return advised, ""
    exact = _closed_compute(problem)
    if exact is None:
        exact = _closed_compute(problem._replace(local_time_s=problem.local_time_s * (1 + _EDGE)))
    return exact, fault


def _share_radio(times: FloatArray, weights: FloatArray | None) -> tuple[FloatArray, str]:
    advised, fault = _normalised(weights)
    return (radio_shares_of(times) if advised is None else advised), fault


def _normalised(weights: FloatArray | None) -> tuple[FloatArray | None, str]:
    """Weights as shares that sum to one (13e), or why they cannot be (13f, 13g)."""
    if weights is None:
        return None, ""
    if not (np.isfinite(weights) & (weights > 0)).all():
        return None, "somebody would get no share (13f, 13g)"
    shares: FloatArray = weights / weights.sum()
    return shares, ""


def _closed_compute(problem: NodeProblem) -> FloatArray | None:
    return compute_shares_of(problem.cycles, problem.local_time_s, problem.queue_hz, problem.capacity_hz)
