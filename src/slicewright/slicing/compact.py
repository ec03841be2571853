"""From a scenario to the arrays that the kernels read, and back to decisions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from slicewright.compiled import announce_compilation
from slicewright.errors import InvalidPlanError, InvalidScenarioError
from slicewright.network.scenario import Scenario
from slicewright.slicing._kernels.problem import Problem, links_and_groups, make_problem, places
from slicewright.slicing.decisions import LOCAL, Decisions
from slicewright.types import BoolArray, IntArray


class Compact(NamedTuple):
    """A scenario packed for the kernels."""

    scenario: Scenario
    problem: Problem

    def with_decisions(self, decisions: Decisions) -> tuple[Problem, IntArray, IntArray]:
        """The problem with decisions as links and groups.

        Raises:
            InvalidPlanError: a decision is not one of the device's (13a); names the device.
        """
        s, p = self.scenario, self.problem
        if decisions.n_devices != s.n_devices:
            raise InvalidPlanError(
                "decisions", f"must have {s.n_devices} entries, one per device", value=decisions.n_devices
            )
        link, group, bad = links_and_groups(p, decisions.access_point, decisions.node, decisions.slice)
        if bad != LOCAL:
            triple = (int(decisions.access_point[bad]), int(decisions.node[bad]), int(decisions.slice[bad]))
            raise InvalidPlanError(
                "decisions", "is not one of the device's choices (13a)", index=(int(bad),), value=triple
            )
        return p, link, group

    def decisions(self, link: IntArray, group: IntArray) -> Decisions:
        """Links and groups as decisions."""
        return Decisions.trusted(*places(self.problem, link, group))


def compact(scenario: Scenario, *, nodes: BoolArray | None = None) -> Compact:
    """Pack a scenario.

    Args:
        scenario: the problem.
        nodes: (J,) which nodes may be used; all by default.

    Raises:
        InvalidScenarioError: devices have lists of nodes, which only the planner of cities reads.
    """
    if scenario.node_lists is not None:
        rule = "lists nodes by device, which this method does not read"
        raise InvalidScenarioError("devices.nodes", rule, fix="use method auto or city")
    announce_compilation("slicing")
    links = scenario.links
    capacity = scenario.node_capacity_hz
    if nodes is not None:
        capacity = np.where(nodes[:, None], capacity, 0.0)
    problem = make_problem(
        links.start,
        links.access_point,
        links.rate_bps,
        scenario.task_bits,
        scenario.slice_cycles,
        scenario.local_time_s,
        scenario.arrival_rate_hz,
        capacity,
        scenario.queueing == "node",
        scenario.n_access_points,
    )
    return Compact(scenario, problem)
