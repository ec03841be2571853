"""SP1 inside one grant: what a slice manager computes, closed form first, learned rules on trial."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from slicewright.control.grants import Grant, Seat
from slicewright.control.reasons import Reason
from slicewright.slicing.shares import compute_shares, radio_shares
from slicewright.types import FloatArray

_EDGE = 1e-9
"""A plan may sit on the very edge of 13b; sums in another order must not push it over."""
_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class NodeProblem:
    """SP1 on one node of a slice, as a rule sees it; lengths k, the devices there.

    Attributes:
        cycles: (k,) cycle. local_time_s: (k,) s. queue_hz: (k,) 1/s. capacity_hz: cycle/s.
    """

    cycles: FloatArray
    local_time_s: FloatArray
    queue_hz: FloatArray
    capacity_hz: float


@dataclass(frozen=True, eq=False)
class ShareRule:
    """A way to solve SP1; both functions return k shares that sum to at most one, or None.

    Attributes:
        name: for status and logs.
        radio: from (k,) transmission times alone, s.
        compute: from a node's problem.
    """

    name: str
    radio: Callable[[FloatArray], FloatArray | None]
    compute: Callable[[NodeProblem], FloatArray | None]


def _closed_compute(problem: NodeProblem) -> FloatArray | None:
    return compute_shares(problem.cycles, problem.local_time_s, problem.queue_hz, problem.capacity_hz)


CLOSED_FORM = ShareRule("closed-form", radio_shares, _closed_compute)


@dataclass(frozen=True)
class Allocation:
    """Shares of a slice's devices.

    Attributes:
        radio: device to phi_ia. compute: device to phi_ij.
        home: device to the reason why its seat is not used and it computes locally.
    """

    radio: Mapping[str, float]
    compute: Mapping[str, float]
    home: Mapping[str, Reason]


def allocate(
    grant: Grant, seats: Mapping[str, Seat] | None = None, *, rule: ShareRule = CLOSED_FORM
) -> Allocation:
    """Shares for the seats of a grant that keep 13b, 13c and 13e; who does not fit goes home.

    Args:
        grant: what the slice may use.
        seats: the same devices as they are now, where newer details are known; the grant's own by default.
        rule: how to share. An answer that breaks a constraint is replaced by the closed form.

    Returns:
        Shares of everybody who stays. On a node those with the largest floor, L / tau, go home first: one departure
        then frees most. Arrivals never exceed what the grant's own seats bring.
    """
    present = dict(grant.seats if seats is None else seats)
    home: dict[str, Reason] = {}
    for device, seat in list(present.items()):
        if not math.isfinite(seat.transmission_s) or grant.bandwidth.get(seat.access_point, 0.0) <= 0.0:
            home[device] = Reason.OUT_OF_REACH
            del present[device]
    compute: dict[str, float] = {}
    for node, members in _grouped(present, "node").items():
        shares, gone = _share_node(grant, node, {d: present[d] for d in members}, rule)
        compute.update(shares)
        for device in gone:
            home[device] = Reason.NO_CAPACITY
            del present[device]
    radio: dict[str, float] = {}
    for members in _grouped(present, "access_point").values():
        times = np.array([present[d].transmission_s for d in members])
        shares_here = _checked_radio(rule.radio(times), times)
        radio.update(zip(members, shares_here.tolist(), strict=True))
    return Allocation(radio, compute, home)


def _grouped(seats: Mapping[str, Seat], place: str) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for device, seat in seats.items():
        groups.setdefault(getattr(seat, place), []).append(device)
    return groups


def _share_node(
    grant: Grant, node: str, members: dict[str, Seat], rule: ShareRule
) -> tuple[dict[str, float], list[str]]:
    """Compute shares on one node, and who has to leave it."""
    order = sorted(members, key=lambda d: -members[d].cycles / members[d].local_time_s)
    ceiling = grant.arrivals_hz.get(node, 0.0) * (1 + _TOLERANCE)
    for gone in range(len(order) + 1):
        stay = [device for device in members if device not in set(order[:gone])]
        arrivals = np.array([members[d].arrival_hz for d in stay])
        if arrivals.sum() > ceiling:
            continue
        if not stay:
            break
        problem = _node_problem(grant, node, [members[d] for d in stay], arrivals)
        shares = _checked_compute(rule.compute(problem), problem)
        if shares is not None:
            return dict(zip(stay, shares.tolist(), strict=True)), order[:gone]
    return {}, order


def _node_problem(grant: Grant, node: str, seats: list[Seat], arrivals: FloatArray) -> NodeProblem:
    shared = grant.queueing == "node"
    queue = np.full(len(seats), arrivals.sum() + grant.others_hz.get(node, 0.0)) if shared else arrivals
    return NodeProblem(
        np.array([s.cycles for s in seats]),
        np.array([s.local_time_s for s in seats]),
        queue,
        grant.capacity_hz.get(node, 0.0),
    )


def _checked_compute(shares: FloatArray | None, problem: NodeProblem) -> FloatArray | None:
    """A rule's answer if it keeps 13b, 13c and 13e, else the closed form; None when nothing is feasible."""
    if problem.capacity_hz <= 0:
        return None
    if shares is not None and shares.shape == problem.cycles.shape and (shares >= 0).all():
        surplus = shares * problem.capacity_hz / problem.cycles - problem.queue_hz
        fast_enough = surplus * problem.local_time_s >= 1 - _TOLERANCE
        if fast_enough.all() and shares.sum() <= 1 + _TOLERANCE:
            return shares
    relaxed = NodeProblem(
        problem.cycles, problem.local_time_s * (1 + _EDGE), problem.queue_hz, problem.capacity_hz
    )
    exact = _closed_compute(problem)
    return exact if exact is not None else _closed_compute(relaxed)


def _checked_radio(shares: FloatArray | None, times: FloatArray) -> FloatArray:
    valid = shares is not None and shares.shape == times.shape and (shares > 0).all()
    if shares is not None and valid and shares.sum() <= 1 + _TOLERANCE:
        return shares
    return radio_shares(times)
