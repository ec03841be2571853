"""From a scenario to the arrays that the kernels of cities read."""

from __future__ import annotations

import numpy as np

from slicewright.compiled import announce_compilation
from slicewright.errors import InvalidPlanError
from slicewright.network.scenario import NodeLists, Scenario
from slicewright.slicing._kernels.members import NOBODY
from slicewright.slicing._kernels.problem import roots_of_links
from slicewright.slicing.city._kernels.problem import (
    Problem,
    State,
    links_of,
    state_of,
)
from slicewright.slicing.decisions import Decisions


def pack(scenario: Scenario) -> Problem:
    """A scenario for the kernels; where devices have no lists of nodes, each lists all of them.

    Arrays of the scenario are copied: kernels are compiled for arrays that may be written, as those of a live city are.
    """
    announce_compilation("slicing.city")
    links, nodes = scenario.links, scenario.node_lists or _every_node(scenario)
    return Problem(
        links.start[:-1].copy(),
        links.start[1:].copy(),
        links.access_point,
        roots_of_links(links.start, scenario.task_bits, links.rate_bps),
        nodes.start[:-1].copy(),
        nodes.start[1:].copy(),
        nodes.node.copy(),
        scenario.slice_cycles.copy(),
        np.sqrt(scenario.slice_cycles),
        scenario.local_time_s.copy(),
        scenario.arrival_rate_hz.copy(),
        scenario.node_capacity_hz.copy(),
        scenario.n_access_points,
        scenario.queueing == "node",
    )


def _every_node(scenario: Scenario) -> NodeLists:
    devices, nodes = scenario.n_devices, scenario.n_nodes
    return NodeLists(np.arange(devices + 1) * nodes, np.tile(np.arange(nodes), devices))


def state_from(problem: Problem, decisions: Decisions) -> State:
    """The sums of given decisions.

    Raises:
        InvalidPlanError: a decision is not one of the device's (13a); names the device.
    """
    devices = problem.local_time.size
    if decisions.n_devices != devices:
        raise InvalidPlanError(
            "decisions", f"must have {devices} entries, one per device", value=decisions.n_devices
        )
    d = decisions
    link, bad = links_of(problem, d.access_point, d.node, d.slice)
    if bad != NOBODY:
        triple = (int(d.access_point[bad]), int(d.node[bad]), int(d.slice[bad]))
        raise InvalidPlanError(
            "decisions", "is not one of the device's choices (13a)", index=(int(bad),), value=triple
        )
    made: State = state_of(problem, link, d.node, d.slice)
    return made


def decisions_of(problem: Problem, state: State) -> Decisions:
    """Where a state has every device."""
    off = state.link >= 0
    access_point = np.where(off, problem.access_point[np.where(off, state.link, 0)] if off.any() else 0, -1)
    return Decisions.trusted(access_point, state.node.copy(), state.slice.copy())
