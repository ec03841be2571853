"""A city planned and proven domain by domain: the parts are independent tasks, which prices at the borders reconcile.

At any prices the bound (``_kernels/bound.py``) is a sum over devices, access points and nodes, so that every domain can
work out its own terms: its nodes need the prices of all devices that list them, its devices those of all access points
in their reach. Domains improve the prices of their own devices and access points while those of others stand still,
hear how much the nodes of others want their devices, and the joined bound is what all of them find at the same prices.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from slicewright.judging import ROUNDING
from slicewright.slicing._kernels.problem import LOCAL
from slicewright.slicing.city._kernels.bound import Multipliers
from slicewright.slicing.city._kernels.prices import marginal_prices
from slicewright.slicing.city._kernels.problem import Problem, State, links_of, listing, state_of
from slicewright.slicing.city._kernels.sweep import spatial_order, sweep
from slicewright.slicing.city.bound import LEAST_PRICE, CityPrices, Climb
from slicewright.slicing.city.partition import Partition, cut_city
from slicewright.slicing.city.parts import Parts
from slicewright.slicing.city.search import ENOUGH, FOREVER, construct
from slicewright.types import BoolArray, FloatArray, IntArray

TURNS = 3
ROUNDS = 40
"""Of prices within a domain, in each turn."""
HELD_ROUNDS = 6
"""Of nodes' multipliers, once all prices are the same everywhere."""
MOST_SWEEPS = 20


class Runner(Protocol):
    """Something that calls a function with many arguments, here or elsewhere."""

    def run(self, work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """``work(*each)`` for each of the arguments, in order."""


class InProcess:
    """One task after the other in this process."""

    def run(self, work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """``work(*each)`` for each of the arguments, in order."""
        return [work(*each) for each in arguments]


class Domain(NamedTuple):
    """What a domain's tasks see: its own devices first, then others that list its nodes; access points likewise."""

    problem: Problem
    devices: IntArray  # (k,) numbers in the city
    access_points: IntArray  # (a,) numbers in the city
    nodes: IntArray  # (j,) numbers in the city, all its own
    own_devices: int
    own_access_points: int


class Found(NamedTuple):
    """What a domain's climb or valuation returns."""

    bound_s: float  # its own terms at the prices it was given
    prices: CityPrices  # of its devices and access points, those of others as they were given
    numbers: Multipliers
    wanted: FloatArray  # (k,) how much its nodes want each device
    spent_s: float  # processor seconds


@dataclass(frozen=True, eq=False)
class JoinedPlan:
    """A plan made of domains' plans, with one proven bound.

    Attributes:
        state: of the whole city.
        cost_s, bound_s: of the plan, and of every plan.
        partition: that was used.
        border: (I,) devices that list something of another domain.
        spent_s: (batches, domains) processor seconds of the tasks; a batch begins when the one before has ended.
        sent_bytes: to tasks and back, about.
    """

    state: State
    cost_s: float
    bound_s: float
    partition: Partition
    border: BoolArray
    spent_s: FloatArray = field(repr=False)
    sent_bytes: int = 0


def restrict(
    problem: Problem, devices: IntArray, point_number: IntArray, node_number: IntArray, linked: BoolArray
) -> Problem:
    """A part of a city.

    Args:
        problem: the city.
        devices: (k,) its devices, in the part's order.
        point_number, node_number: (A,), (J,) numbers of access points and nodes in the part; -1 for those outside.
        linked: (k,) whether a device keeps its access points.
    """

    def part(start: IntArray, end: IntArray, items: IntArray, number: IntArray, keep: BoolArray) -> Any:
        lengths = (end - start)[devices]
        owner = np.repeat(np.arange(devices.size), lengths)
        entry = np.arange(owner.size) + np.repeat(start[devices] - (np.cumsum(lengths) - lengths), lengths)
        chosen = (number[items[entry]] >= 0) & keep[owner]
        counts = np.bincount(owner[chosen], minlength=devices.size).astype(np.int64)
        stop = np.cumsum(counts)
        return stop - counts, stop, number[items[entry[chosen]]], entry[chosen]

    link = part(problem.link_start, problem.link_end, problem.access_point, point_number, linked)
    everyone = np.ones(devices.size, dtype=np.bool_)
    pair = part(problem.node_start, problem.node_end, problem.node, node_number, everyone)
    nodes = np.argsort(node_number)[np.count_nonzero(node_number < 0) :]
    return problem._replace(
        link_start=link[0],
        link_end=link[1],
        access_point=link[2],
        link_root=problem.link_root[link[3]],
        node_start=pair[0],
        node_end=pair[1],
        node=pair[2],
        work=problem.work[devices],
        work_root=problem.work_root[devices],
        local_time=problem.local_time[devices],
        arrival=problem.arrival[devices],
        capacity=problem.capacity[nodes],
        n_access_points=int(point_number.max(initial=-1)) + 1,
    )


def domain_of(problem: Problem, partition: Partition, d: int) -> Domain:
    """One domain with what it needs to know of its neighbours."""
    own = np.flatnonzero(partition.device == d)
    nodes = np.flatnonzero(partition.node == d)
    listers = np.repeat(np.arange(problem.local_time.size), problem.node_end - problem.node_start)
    listed = np.unique(listers[partition.node[problem.node] == d])
    devices = np.concatenate([own, listed[partition.device[listed] != d]])
    owners = np.repeat(np.arange(problem.local_time.size), problem.link_end - problem.link_start)
    reached = np.unique(problem.access_point[partition.device[owners] == d])
    own_points = np.flatnonzero(partition.access_point == d)
    points = np.concatenate([own_points, reached[partition.access_point[reached] != d]])
    part = restrict(
        problem,
        devices,
        _numbered(points, problem.n_access_points),
        _numbered(nodes, problem.capacity.shape[0]),
        np.arange(devices.size) < own.size,
    )
    return Domain(part, devices, points, nodes, own.size, own_points.size)


def _numbered(items: IntArray, count: int) -> IntArray:
    numbers = np.full(count, -1)
    numbers[items] = np.arange(items.size)
    return numbers


def plan_domain(domain: Domain) -> tuple[IntArray, float]:
    """((3, own devices) access point, node and slice in the city's numbers, processor seconds): a task.

    The domain's own devices, access points and nodes alone.
    """
    began = time.process_time()
    points = np.where(np.arange(domain.access_points.size) < domain.own_access_points, 0, -1)
    points[: domain.own_access_points] = np.arange(domain.own_access_points)
    own = np.arange(domain.own_devices)
    nodes = np.arange(domain.nodes.size)
    part = restrict(domain.problem, own, points, nodes, np.ones(own.size, dtype=np.bool_))
    state = construct(part, threads=1)
    off = state.link != LOCAL
    decisions = np.full((3, own.size), LOCAL)
    decisions[0, off] = domain.access_points[part.access_point[state.link[off]]]
    decisions[1, off] = domain.nodes[state.node[off]]
    decisions[2, off] = state.slice[off]
    return decisions, time.process_time() - began


def _climb_of(domain: Domain, loads: State, prices: CityPrices, numbers: Multipliers | None) -> Climb:
    climb = Climb(domain.problem, loads, prices, Parts(1))
    if numbers is None:
        climb.settle(loads)
    else:
        climb.numbers = numbers._replace(compute=climb.numbers.compute, radio=climb.numbers.radio)
    climb.begin_anew()
    return climb


def _own_terms(domain: Domain, value: float, prices: CityPrices) -> float:
    """A domain's value without what stands in it for others."""
    others = domain.problem.local_time[domain.own_devices :].sum()
    return float(value - others + (prices.radio[domain.own_access_points :] ** 2).sum())


def climb_domain(
    domain: Domain,
    loads: State,
    prices: CityPrices,
    numbers: Multipliers | None,
    elsewhere: FloatArray,
    rounds: int,
) -> Found:
    """Better prices of a domain's own devices and access points: a task.

    Args:
        loads: sums of its nodes and their queues in the plan.
        prices: of all its devices and access points.
        numbers: of its nodes, from an earlier turn.
        elsewhere: (k,) how much the nodes of other domains want its devices.
        rounds: of steps.
    """
    began = time.process_time()
    climb = _climb_of(domain, loads, prices, numbers)
    climb.elsewhere = elsewhere
    fixed = climb.numbers.compute.copy(), climb.numbers.radio.copy()
    for done in range(1, rounds + 1):
        climb.round(whole=done % 10 == 0 or done == rounds, step=climb.step_at(done / rounds))
        climb.numbers.compute[domain.own_devices :] = fixed[0][domain.own_devices :]
        climb.numbers.radio[domain.own_access_points :] = fixed[1][domain.own_access_points :]
    found = climb.numbers
    return Found(
        0.0, CityPrices(found.radio, found.compute), found, climb.pulled.sum(axis=0), time.process_time() - began,
    )  # fmt: skip


def value_domain(domain: Domain, loads: State, prices: CityPrices, numbers: Multipliers) -> Found:
    """A domain's own terms of the bound at given prices, its nodes' multipliers improved at them: a task."""
    began = time.process_time()
    climb = _climb_of(domain, loads, prices, numbers)
    for done in range(HELD_ROUNDS):
        climb.round(whole=True, step=climb.step_at(0.4 + 0.6 * done / HELD_ROUNDS), hold=True)
    found = climb.best_numbers
    return Found(
        _own_terms(domain, climb.best, prices), prices, found, climb.pulled.sum(axis=0),
        time.process_time() - began,
    )  # fmt: skip


def plan_by_domains(
    problem: Problem, count: int, *, runner: Runner | None = None, turns: int = TURNS
) -> JoinedPlan:
    """Cut a city into domains, plan and prove them as tasks, and reconcile them by prices at the borders.

    Args:
        problem: the city.
        count: of domains.
        runner: of the tasks, by default this process.
        turns: of prices; after each the bound is worked out, and the best is kept.
    """
    run = (runner or InProcess()).run
    partition = cut_city(problem, count)
    domains = [domain_of(problem, partition, d) for d in range(partition.count)]
    border = _border(problem, partition)
    spent, sent = [], sum(_size(domain) for domain in domains)
    planned = run(plan_domain, [(domain,) for domain in domains])
    decisions = np.full((3, problem.local_time.size), LOCAL)
    spent.append([seconds for _, seconds in planned])
    for d, (made, _) in enumerate(planned):
        decisions[:, domains[d].devices[: domains[d].own_devices]] = made
        sent += made.nbytes
    links, _ = links_of(problem, *decisions)
    state = state_of(problem, links, decisions[1], decisions[2])
    _reconcile(problem, state, border)
    radio, compute = marginal_prices(problem, state, LEAST_PRICE)
    numbers: list[Multipliers | None] = [None] * len(domains)
    wanted, best = [np.zeros(domain.devices.size) for domain in domains], -np.inf
    loads = [_loads(state, domain) for domain in domains]
    for _ in range(turns):
        climbed = run(
            climb_domain,
            [
                (domain, loads[d], _prices_of(domain, radio, compute), numbers[d], wanted[d], ROUNDS)
                for d, domain in enumerate(domains)
            ],
        )
        for domain, found in zip(domains, climbed, strict=True):
            own = slice(domain.own_devices), slice(domain.own_access_points)
            compute[domain.devices[own[0]]] = found.prices.compute[own[0]]
            radio[domain.access_points[own[1]]] = found.prices.radio[own[1]]
        valued = run(
            value_domain,
            [
                (domain, loads[d], _prices_of(domain, radio, compute), climbed[d].numbers)
                for d, domain in enumerate(domains)
            ],
        )
        best = max(best, sum(found.bound_s for found in valued))
        numbers = [found.numbers for found in valued]
        wanted = _wanted_elsewhere(problem, domains, valued)
        for batch in (climbed, valued):
            spent.append([found.spent_s for found in batch])
            sent += 2 * sum(map(_size, batch))
    cost = float(_total_cost(problem, state))
    proven = max(best, 0.0) * (1.0 - ROUNDING)
    return JoinedPlan(state, cost, proven, partition, border, np.array(spent), sent)


def _total_cost(problem: Problem, state: State) -> float:
    local = problem.local_time[state.link == LOCAL].sum()
    return float((state.radio**2).sum() + state.node_cost.sum() + local)


def _border(problem: Problem, partition: Partition) -> BoolArray:
    """(I,) Devices that list an access point or a node of another domain."""
    devices, border = np.arange(problem.local_time.size), np.zeros(problem.local_time.size, dtype=np.bool_)
    for start, end, items, domain in (
        (problem.link_start, problem.link_end, problem.access_point, partition.access_point),
        (problem.node_start, problem.node_end, problem.node, partition.node),
    ):
        owner = np.repeat(devices, end - start)
        border[owner[domain[items] != partition.device[owner]]] = True
    return border


def _reconcile(problem: Problem, state: State, border: BoolArray) -> None:
    """Best response of the devices at borders, and of whom their moves concern."""
    order, dirty = spatial_order(problem), border.copy()
    on_access_point = listing(
        problem.link_start, problem.link_end, problem.access_point, problem.n_access_points
    )
    on_node = listing(problem.node_start, problem.node_end, problem.node, problem.capacity.shape[0])
    enough = ENOUGH * float(problem.local_time.sum())
    for _ in range(MOST_SWEEPS):
        if sweep(problem, state, order, dirty, on_access_point, on_node, FOREVER, 0.0)[0] < enough:
            break


def _loads(state: State, domain: Domain) -> State:
    """The sums of a domain's nodes; of nothing else, which the bound does not read."""
    none = np.zeros(0, dtype=np.int64)
    return State(
        none, none, none, np.zeros(0), state.sums[domain.nodes], state.arrivals[domain.nodes],
        state.node_cost[domain.nodes], np.zeros((0, 0), dtype=np.int64), none, none,
    )  # fmt: skip


def _prices_of(domain: Domain, radio: FloatArray, compute: FloatArray) -> CityPrices:
    return CityPrices(radio[domain.access_points], compute[domain.devices])


def _wanted_elsewhere(
    problem: Problem, domains: Sequence[Domain], found: Sequence[Found]
) -> list[FloatArray]:
    """By domain, (k,) how much the nodes of other domains want its own devices; 0 for the others'."""
    total = np.zeros(problem.local_time.size)
    for domain, one in zip(domains, found, strict=True):
        total[domain.devices[domain.own_devices :]] += one.wanted[domain.own_devices :]
    told = []
    for domain in domains:
        elsewhere = total[domain.devices]
        elsewhere[domain.own_devices :] = 0.0
        told.append(elsewhere)
    return told


def _size(values: Any) -> int:
    """Bytes of all arrays in a tuple, a price or a problem."""
    if isinstance(values, np.ndarray):
        return int(values.nbytes)
    if isinstance(values, CityPrices):
        return int(values.radio.nbytes + values.compute.nbytes)
    return sum(_size(value) for value in values) if isinstance(values, tuple) else 0
