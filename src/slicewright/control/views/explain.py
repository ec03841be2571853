"""Why a device is where it is: every alternative with what it would cost the system, and why not."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from slicewright.control.views.documents import device_document
from slicewright.control.views.picture import Picture
from slicewright.slicing.decisions import LOCAL
from slicewright.slicing.plan import Plan
from slicewright.slicing.shares import compute_shares
from slicewright.types import Document, FloatArray

_SAME = 1e-9
_LOOK_EVERY = 1000


def explain(
    picture: Picture, device: str, *, most: int = 25, go_on: Callable[[], None] = lambda: None
) -> Document:
    """All choices of one device while everybody else stays, each with optimal shares for all (model page 1.4).

    The cost of an access point and of a node separate, so A + J N evaluations give all A J N alternatives.

    Args:
        picture: what to explain.
        device: id of a device.
        most: so many alternatives, cheapest first, then those that cannot be.
        go_on: called now and then, and may raise when nobody wants the answer any more.
    """
    own = device_document(picture, device)
    index, plan = picture.row.get(device), picture.plan
    if index is None or plan is None:
        local: Document = {
            "choice": {"local": True}, "feasible": True, "chosen": True,
            "system_cost_s": None, "difference_s": 0.0, "why_not": None,
        }  # fmt: skip
        return {"device": own, "system_cost_s": None, "alternatives": [local], "not_shown": 0}
    found = []
    for number, alternative in enumerate(_alternatives(plan, index)):
        if number % _LOOK_EVERY == 0:
            go_on()
        found.append(alternative)
    found.sort(key=_order)
    return {
        "device": own,
        "system_cost_s": plan.cost_s,
        "alternatives": found[:most],
        "not_shown": max(0, len(found) - most),
    }


def _order(alternative: Document) -> float:
    cost = alternative["system_cost_s"]
    return math.inf if cost is None else float(cost)


def _alternatives(plan: Plan, i: int) -> Iterator[Document]:
    s, d = plan.scenario, plan.decisions
    radio_now = _radio_roots(plan, without=i)
    own_root = np.array(
        [
            math.sqrt(s.task_bits[i] / r) if r > 0 else math.inf
            for r in s.rate_of(np.full(s.n_access_points, i), np.arange(s.n_access_points))
        ]
    )
    radio_extra = np.where(np.isinf(own_root), np.inf, (radio_now + own_root) ** 2 - radio_now**2)
    node_now = np.array([_node_cost(plan, j, without=i) for j in range(s.n_nodes)])
    rest = float(
        (radio_now**2).sum() + node_now.sum() + s.local_time_s[d.local & (np.arange(d.n_devices) != i)].sum()
    )
    chosen = (int(d.access_point[i]), int(d.node[i]), int(d.slice[i]))
    current = _cost_of(plan, i, chosen, radio_extra, node_now, rest)
    yield _entry(plan, (LOCAL, LOCAL, LOCAL), rest + float(s.local_time_s[i]), current, chosen, "")
    for n in range(s.n_slices):
        for j in range(s.n_nodes):
            extra, rule = _node_extra(plan, i, j, n, node_now[j])
            for a in range(s.n_access_points):
                if math.isinf(radio_extra[a]):
                    yield _entry(
                        plan, (a, j, n), math.inf, current, chosen, "the access point is out of reach"
                    )
                else:
                    yield _entry(plan, (a, j, n), rest + float(radio_extra[a]) + extra, current, chosen, rule)


def _cost_of(
    plan: Plan, i: int, choice: tuple[int, int, int], radio: FloatArray, node_now: FloatArray, rest: float
) -> float:
    a, j, n = choice
    if a == LOCAL:
        return rest + float(plan.scenario.local_time_s[i])
    return rest + float(radio[a]) + _node_extra(plan, i, j, n, node_now[j])[0]


def _entry(
    plan: Plan,
    choice: tuple[int, int, int],
    cost: float,
    current: float,
    chosen: tuple[int, int, int],
    rule: str,
) -> Document:
    s = plan.scenario
    a, j, n = choice
    feasible = math.isfinite(cost)
    difference = cost - current if feasible and math.isfinite(current) else None
    where: Document = (
        {"local": True}
        if a == LOCAL
        else {
            "local": False,
            "access_point": s.access_points[a],
            "node": s.nodes[j],
            "slice": s.slices[n].name,
        }
    )
    return {
        "choice": where,
        "feasible": feasible,
        "chosen": choice == chosen,
        "system_cost_s": cost if feasible else None,
        "difference_s": difference,
        "why_not": None if choice == chosen else _why_not(rule, difference),
    }


def _why_not(rule: str, difference: float | None) -> str:
    if rule:
        return rule
    if difference is None:
        return "it is not comparable: the present choice has no finite cost"
    if difference > _SAME:
        return f"all completion times together would be {difference:.4g} s longer"
    if difference < -_SAME:
        return "nothing: it would be better, and a longer search or a free slice would take it"
    return "it costs the same"


def _radio_roots(plan: Plan, *, without: int) -> FloatArray:
    """(A,) sum of sqrt(T_ia) on every access point, one device left out."""
    s, d = plan.scenario, plan.decisions
    users = np.flatnonzero(~d.local)
    users = users[users != without]
    roots = np.zeros(s.n_access_points)
    rate = s.rate_of(users, d.access_point[users])
    np.add.at(roots, d.access_point[users], np.sqrt(s.task_bits[users] / rate))
    return roots


def _node_extra(plan: Plan, i: int, j: int, n: int, before: float) -> tuple[float, str]:
    """What one more device costs a node, s, or infinity and the rule that forbids it."""
    s = plan.scenario
    capacity = float(s.node_capacity_hz[j, n])
    if capacity <= 0:
        return math.inf, "the node does not serve this slice"
    alone = capacity / s.slice_cycles[i, n] - s.arrival_rate_hz[i]
    if alone <= 0:
        return math.inf, "the queue would not be stable even with this device alone (13c)"
    if alone * s.local_time_s[i] < 1:
        return math.inf, "the node is slower than the device even with this device alone (13b)"
    after = _node_cost(plan, j, without=i, extra=(i, n))
    if math.isinf(after):
        return math.inf, "with the devices there, somebody's execution would be slower than local (13b, 13c)"
    return after - before, ""


def _node_cost(plan: Plan, j: int, *, without: int, extra: tuple[int, int] | None = None) -> float:
    """Sum of execution times on one node under optimal shares, s; infinite when none are feasible."""
    s, d = plan.scenario, plan.decisions
    users = np.flatnonzero(d.node == j)
    users = users[users != without]
    slices = d.slice[users]
    if extra is not None:
        users, slices = np.append(users, extra[0]), np.append(slices, extra[1])
    arrivals = s.arrival_rate_hz[users]
    total = 0.0
    for n in np.unique(slices):
        mine = users[slices == n]
        queue = np.full(mine.size, arrivals.sum()) if s.queueing == "node" else s.arrival_rate_hz[mine]
        cycles, capacity = s.slice_cycles[mine, n], float(s.node_capacity_hz[j, n])
        shares = compute_shares(cycles, s.local_time_s[mine], queue, capacity) if capacity > 0 else None
        if shares is None:
            return math.inf
        total += float((1.0 / (shares * capacity / cycles - queue)).sum())
    return total
