"""SP1 and SP2 the published way: by Ipopt, for given decisions. The independent check of the closed forms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slicewright.network.scenario import Scenario
from slicewright.slicing.compact import compact
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.shares import Shares
from slicewright.solvers import Result, SmoothProblem, SolverOptions, minimise_smooth
from slicewright.types import FloatArray, IntArray

PRECISE = SolverOptions(gap=1e-10, feasibility=1e-9, time_limit_s=60.0)


@dataclass(frozen=True, eq=False)
class ReferenceShares:
    """What Ipopt answered.

    Attributes:
        shares: None where it found no feasible ones.
        results: of SP1 and of SP2; empty where nobody offloads, SP2 missing where SP1 failed.
    """

    shares: Shares | None
    results: tuple[Result, ...]

    @property
    def time_s(self) -> float:
        """s, both solves together."""
        return sum(result.time_s for result in self.results)


def ipopt_shares(
    scenario: Scenario, decisions: Decisions, *, options: SolverOptions = PRECISE
) -> ReferenceShares:
    """Shares for given decisions: SP1 (14) within slices, then SP2 (15) between them, both by Ipopt.

    Both are convex, and the radio part of SP1 does not depend on omega, so the chain ends in the joint
    optimum (model page 1.3).

    Args:
        scenario: the problem, either queueing variant.
        decisions: one per device.
        options: tolerances and time limit of each of the two solves.

    Raises:
        InvalidPlanError: a decision does not exist (13a); names the device.
        MissingExtraError: CasADi is not installed.
    """
    compact(scenario).with_decisions(decisions)  # refuses decisions that do not exist
    shares = Shares.none(scenario)
    users = np.flatnonzero(~decisions.local)
    if users.size == 0:
        return ReferenceShares(shares, ())
    within = _within_slices(scenario, decisions, users, options)
    if within.values is None:
        return ReferenceShares(None, (within,))
    shares.radio[users], shares.compute[users] = within.values.reshape(2, -1)
    between = _between_slices(scenario, decisions, users, shares, options)
    if between.values is None:
        return ReferenceShares(None, (within, between))
    return ReferenceShares(shares, (within, between))


def _within_slices(
    scenario: Scenario, decisions: Decisions, users: IntArray, options: SolverOptions
) -> Result:
    """SP1: minimise sum T / phi_radio + sum 1 / (phi_compute F / L - Lambda); 13b bounds phi_compute."""
    import casadi

    a, j, s = (x[users] for x in (decisions.access_point, decisions.node, decisions.slice))
    transmission = scenario.task_bits[users] / scenario.rate_of(users, a)
    service = scenario.node_capacity_hz[j, s] / scenario.slice_cycles[users, s]
    arrivals = scenario.arrival_rate_hz[users]
    shared = scenario.queueing == "node"
    queue = np.bincount(j, weights=arrivals, minlength=scenario.n_nodes)[j] if shared else arrivals
    floor = (1.0 / scenario.local_time_s[users] + queue) / service
    links, link_of = np.unique(a * scenario.n_slices + s, return_inverse=True)
    groups, group_of = np.unique(j * scenario.n_slices + s, return_inverse=True)
    radio, compute = casadi.SX.sym("radio", users.size), casadi.SX.sym("compute", users.size)
    per_link = np.bincount(link_of)[link_of]
    spare = np.maximum(0.0, 1.0 - np.bincount(group_of, weights=floor))[group_of]
    return minimise_smooth(
        SmoothProblem(
            variables=casadi.vertcat(radio, compute),
            objective=casadi.sum1(transmission / radio) + casadi.sum1(1 / (compute * service - queue)),
            constraints=casadi.vertcat(
                casadi.DM(_membership(link_of, links.size)) @ radio - 1,
                casadi.DM(_membership(group_of, groups.size)) @ compute - 1,
            ),
            lower=np.concatenate([np.zeros(users.size), floor]),
            upper=np.ones(2 * users.size),
            start=np.concatenate([1.0 / per_link, floor + spare / np.bincount(group_of)[group_of]]),
        ),
        options,
    )


def _between_slices(
    scenario: Scenario, decisions: Decisions, users: IntArray, shares: Shares, options: SolverOptions
) -> Result:
    """SP2: minimise the sum of (sum T / phi) / omega over slices and points. Fills ``shares.bandwidth``."""
    import casadi

    a, s = decisions.access_point[users], decisions.slice[users]
    weight = np.zeros_like(shares.bandwidth)
    np.add.at(weight, (a, s), scenario.task_bits[users] / scenario.rate_of(users, a) / shares.radio[users])
    used = np.nonzero(weight)
    share = casadi.SX.sym("bandwidth", used[0].size)
    points, point_of = np.unique(used[0], return_inverse=True)
    result = minimise_smooth(
        SmoothProblem(
            variables=share,
            objective=casadi.sum1(casadi.DM(weight[used]) / share),
            constraints=casadi.DM(_membership(point_of, points.size)) @ share - 1,
            lower=np.zeros(used[0].size),
            upper=np.ones(used[0].size),
            start=1.0 / np.bincount(point_of)[point_of],
        ),
        options,
    )
    if result.values is not None:
        shares.bandwidth[used] = result.values
    return result


def _membership(group_of: IntArray, groups: int) -> FloatArray:
    """(groups, k) 1 where element k belongs to the group."""
    member: FloatArray = np.equal(np.arange(groups)[:, None], group_of[None, :]).astype(np.float64)
    return member
