"""SP3 the published way: decisions as a mixed-integer second-order cone programme (model page 1.4).

The plain formulation, kept plain because it is what faster methods are measured against.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from slicewright.errors import SolverError
from slicewright.network.scenario import Scenario
from slicewright.slicing.decisions import LOCAL, Decisions
from slicewright.slicing.judge import evaluate
from slicewright.slicing.published.baselines import drop_until_feasible
from slicewright.slicing.shares import Shares, optimal_shares
from slicewright.solvers import Programme, Result, Rows, SolverOptions, SolverStatus, solve
from slicewright.types import FloatArray, IntArray

BOUND_SLACK = 1e-6
"""Taken off a solver's bound: it is proven up to the solver's own tolerances only."""


@dataclass(frozen=True, eq=False)
class ConeAnswer:
    """What the cone programme gave.

    Attributes:
        decisions, shares: the incumbent with optimal shares; all local if the limit came before any.
        bound_s: proven lower bound on the cost of every feasible plan, s.
        result: the solver's own account.
    """

    decisions: Decisions
    shares: Shares
    bound_s: float
    result: Result


def solve_cone(
    scenario: Scenario,
    *,
    start: tuple[Decisions, Shares] | None = None,
    solver: str = "scip",
    options: SolverOptions | None = None,
) -> ConeAnswer:
    """Solve SP3 to a relative gap or until a limit; the incumbent is returned either way.

    Args:
        scenario: the problem, either queueing variant.
        start: decisions and shares of a feasible plan to begin with.
        solver: ``scip`` or ``gurobi``.
        options: limits, gap, seed; the time limit covers building the programme.

    Raises:
        InvalidPlanError: the start does not fit the scenario.
        MissingExtraError: the solver is not installed.
        SolverError: the solver cannot take cones, has no licence or failed numerically.
    """
    began = time.perf_counter()
    options = options or SolverOptions()
    columns = _columns(scenario)
    programme = _programme(scenario, columns, start)
    if options.time_limit_s is not None:
        left = options.time_limit_s - (time.perf_counter() - began)
        options = replace(options, time_limit_s=max(1e-3, left))
    result = solve(programme, solver_name=solver, options=options)
    if result.status not in (SolverStatus.OPTIMAL, SolverStatus.FEASIBLE, SolverStatus.NO_SOLUTION):
        # Everybody local is always feasible, so a solver that says otherwise has lost its way.
        raise SolverError(f"{solver} failed on the cone programme: {result.message}")
    decisions, shares = _incumbent(scenario, columns, result)
    cost = _cost(scenario, decisions, shares)
    if start is not None and _cost(scenario, *start) < cost:  # rounded away, or not taken by the solver
        decisions, shares = start
        cost = _cost(scenario, *start)
    bound = min(cost, max(0.0, result.bound * (1.0 - BOUND_SLACK)))
    return ConeAnswer(decisions, shares, bound, result)


class _Columns(NamedTuple):
    """The options of each device, and where each kind of variable has its columns.

    Radio options are the candidate links, compute options the (device, node, slice) that satisfy 13b and
    13c at least when the device has the node to itself.
    """

    link_device: IntArray
    link_point: IntArray
    device: IntArray
    node: IntArray
    slice: IntArray
    width: int
    takes_link: IntArray  # x_ia
    takes_pair: IntArray  # z_ijn
    is_local: IntArray  # l_i
    surplus: IntArray  # r_ijn, 1/s
    queue: IntArray  # w_ijn, 1/s
    execution: IntArray  # t_ijn, s
    radio: IntArray  # v_a, s
    root: IntArray  # sum of sqrt(T) per access point
    arrivals: IntArray  # Lambda_j, 1/s
    one: IntArray  # a constant, to write v_a * 1 >= root_a ** 2 as a cone


def _columns(scenario: Scenario) -> _Columns:
    links = scenario.links
    needed = scenario.slice_cycles * (1.0 / scenario.local_time_s + scenario.arrival_rate_hz)[:, None]
    device, node, slice_ = np.nonzero(needed[:, None, :] <= scenario.node_capacity_hz[None, :, :])
    n, a, j, x, p = (
        scenario.n_devices, scenario.n_access_points, scenario.n_nodes, links.rate_bps.size, device.size,
    )  # fmt: skip
    ends = np.cumsum([x, p, n, p, p, p, a, a, j, 1]).tolist()
    blocks: list[IntArray] = np.split(np.arange(ends[-1]), ends[:-1])
    owner = np.repeat(np.arange(n), np.diff(links.start))
    return _Columns(owner, links.access_point, device, node, slice_, ends[-1], *blocks)


def _programme(scenario: Scenario, c: _Columns, start: tuple[Decisions, Shares] | None) -> Programme:
    tau, alpha = scenario.local_time_s, scenario.arrival_rate_hz
    lower, upper, cost = np.zeros(c.width), np.full(c.width, np.inf), np.zeros(c.width)
    upper[c.takes_link] = upper[c.takes_pair] = upper[c.is_local] = upper[c.one] = lower[c.one] = 1.0
    full_rate = scenario.node_capacity_hz[c.node, c.slice] / scenario.slice_cycles[c.device, c.slice]
    upper[c.surplus], upper[c.execution] = full_rate, tau[c.device]
    upper[c.queue], upper[c.arrivals] = alpha.sum(), alpha.sum()
    cost[c.radio] = cost[c.execution] = 1.0
    cost[c.is_local] = tau
    integer = np.zeros(c.width, dtype=np.bool_)
    integer[c.takes_link] = integer[c.takes_pair] = integer[c.is_local] = True
    matrix, row_lower, row_upper = _rows(scenario, c, full_rate)
    constant = np.full(c.radio.size, c.one[0])
    return Programme(
        cost=cost,
        lower=lower,
        upper=upper,
        integer=integer,
        matrix=matrix,
        row_lower=row_lower,
        row_upper=row_upper,
        cones=np.concatenate(
            [
                np.stack([c.radio, constant, c.root], axis=1),
                np.stack([c.execution, c.surplus, c.takes_pair], axis=1),
            ]
        ),
        start=None if start is None else _point(scenario, c, *start),
    )


def _rows(scenario: Scenario, c: _Columns, full_rate: FloatArray) -> tuple[csr_array, FloatArray, FloatArray]:
    tau, alpha = scenario.local_time_s, scenario.arrival_rate_hz
    pair, device = np.arange(c.device.size), np.arange(scenario.n_devices)
    point, node = np.arange(scenario.n_access_points), np.arange(scenario.n_nodes)
    group, groups = c.node * scenario.n_slices + c.slice, scenario.n_nodes * scenario.n_slices
    rows = Rows()
    for owner, taken in ((c.link_device, c.takes_link), (c.device, c.takes_pair)):
        rows.add(device.size, (owner, taken, 1.0), (device, c.is_local, 1.0), lower=1.0, upper=1.0)
    transmission_root = np.sqrt(scenario.task_bits[c.link_device] / scenario.links.rate_bps)
    rows.add(
        point.size,
        (point, c.root, 1.0),
        (c.link_point, c.takes_link, -transmission_root),
        lower=0.0,
        upper=0.0,
    )
    rows.add(pair.size, (pair, c.surplus, 1.0), (pair, c.takes_pair, -1.0 / tau[c.device]), lower=0.0)
    rows.add(pair.size, (pair, c.queue, 1.0), (pair, c.takes_pair, -alpha[c.device]), lower=0.0)
    rows.add(groups, (group, c.surplus, 1.0 / full_rate), (group, c.queue, 1.0 / full_rate), upper=1.0)
    if scenario.queueing == "node":
        most = float(alpha.sum())
        rows.add(
            node.size, (node, c.arrivals, 1.0), (c.node, c.takes_pair, -alpha[c.device]), lower=0.0, upper=0.0
        )
        rows.add(
            pair.size,
            (pair, c.arrivals[c.node], 1.0),
            (pair, c.queue, -1.0),
            (pair, c.takes_pair, most),
            upper=most,
        )
    return rows.finish(c.width)


def _point(scenario: Scenario, c: _Columns, decisions: Decisions, shares: Shares) -> FloatArray:
    """A plan as values of all columns."""
    off = ~decisions.local
    a, j, n = decisions.access_point, decisions.node, decisions.slice
    arrivals = np.bincount(j[off], weights=scenario.arrival_rate_hz[off], minlength=scenario.n_nodes)
    x = np.zeros(c.width)
    x[c.takes_link] = a[c.link_device] == c.link_point
    chosen = (j[c.device] == c.node) & (n[c.device] == c.slice)
    x[c.takes_pair], x[c.is_local], x[c.one] = chosen, ~off, 1.0
    x[c.arrivals] = arrivals if scenario.queueing == "node" else 0.0
    i = c.device[chosen]
    queue = arrivals[j[i]] if scenario.queueing == "node" else scenario.arrival_rate_hz[i]
    surplus = (
        shares.compute[i] * scenario.node_capacity_hz[j[i], n[i]] / scenario.slice_cycles[i, n[i]] - queue
    )
    x[c.queue[chosen]], x[c.surplus[chosen]], x[c.execution[chosen]] = queue, surplus, 1.0 / surplus
    users = np.flatnonzero(off)
    root = np.sqrt(scenario.task_bits[users] / scenario.rate_of(users, a[users]))
    x[c.root] = np.bincount(a[users], weights=root, minlength=scenario.n_access_points)
    x[c.radio] = x[c.root] ** 2
    return x


def _incumbent(scenario: Scenario, c: _Columns, result: Result) -> tuple[Decisions, Shares]:
    """The plan that the solver's point stands for; what its rounding made infeasible is computed locally."""
    place = np.full((3, scenario.n_devices), LOCAL)
    if result.values is not None:
        link, pair = (result.values[columns] > 0.5 for columns in (c.takes_link, c.takes_pair))
        place[0, c.link_device[link]] = c.link_point[link]
        place[1, c.device[pair]], place[2, c.device[pair]] = c.node[pair], c.slice[pair]
        place[:, (place == LOCAL).any(axis=0)] = LOCAL
    decisions = Decisions(*place)
    shares = optimal_shares(scenario, decisions)
    return (decisions, shares) if shares is not None else drop_until_feasible(scenario, decisions)


def _cost(scenario: Scenario, decisions: Decisions, shares: Shares) -> float:
    return float(evaluate(scenario, decisions, shares)[0].completion_s.sum())
