"""From what networks say to feasible decisions (model page 3.3); numpy and compiled kernels, no torch."""

from __future__ import annotations

import time

import numpy as np

from slicewright.compiled import announce_compilation
from slicewright.models.slicing._kernels.decoding import best_decoding
from slicewright.models.slicing.features import decisions_of
from slicewright.network.scenario import Scenario
from slicewright.slicing.compact import compact
from slicewright.slicing.decisions import LOCAL, Decisions
from slicewright.slicing.published.baselines import drop_until_feasible
from slicewright.slicing.search import deadline_ns
from slicewright.slicing.shares import Shares, optimal_shares
from slicewright.types import BoolArray

DECODINGS = 16
"""Orders in which soft decisions are decoded; the cheapest counts."""


def decode_choices(scenario: Scenario, probability: np.ndarray) -> Decisions:
    """The most probable decision of every device (44) among those it has (13a).

    Args:
        scenario: the problem.
        probability: (I, 1 + A J N), class 0 is local.
    """
    return decisions_of(scenario, np.where(_exists(scenario), probability, -1.0).argmax(axis=1))


def soft_choices(scenario: Scenario, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of joint decisions as those of access points (I, A) and groups (I, N, J), for ``decode_soft``."""
    possible = np.where(_exists(scenario), probability, 0.0)
    possible /= np.maximum(possible.sum(axis=1, keepdims=True), 1e-9)
    shape = (scenario.n_devices, scenario.n_access_points, scenario.n_nodes, scenario.n_slices)
    joint = possible[:, 1:].reshape(shape)
    return joint.sum(axis=(2, 3)), joint.sum(axis=1).transpose(0, 2, 1)


def _exists(scenario: Scenario) -> BoolArray:
    """(I, 1 + A J N) which classes a device has."""
    rate = scenario.rate_bps if isinstance(scenario.rate_bps, np.ndarray) else scenario.rate_bps.toarray()
    places = (rate > 0)[:, :, None, None] & (scenario.node_capacity_hz > 0)[None, None]
    return np.concatenate(
        [np.ones((scenario.n_devices, 1), bool), places.reshape(scenario.n_devices, -1)], axis=1
    )


def most_probable(scenario: Scenario, radio_p: np.ndarray, group_p: np.ndarray) -> Decisions:
    """Every device by itself: its most probable access point and group, if it offloads with probability 1/2 or more.

    Args:
        scenario: the problem.
        radio_p: (I, A) probability of offloading through each access point.
        group_p: (I, N, J) probability of each slice and node.
    """
    local = radio_p.sum(axis=1) < 0.5
    group = group_p.reshape(scenario.n_devices, -1).argmax(axis=1)
    places = radio_p.argmax(axis=1), group % scenario.n_nodes, group // scenario.n_nodes
    return Decisions(*(np.where(local, LOCAL, place).astype(np.int64) for place in places))


def decode_soft(
    scenario: Scenario,
    radio_p: np.ndarray,
    group_p: np.ndarray,
    *,
    count: int = DECODINGS,
    budget_s: float | None = None,
    seed: int = 0,
) -> Decisions:
    """The best of several decodings of soft decisions, each device priced against the decided and expected others.

    Args:
        scenario: the problem.
        radio_p: (I, A) probability of offloading through each access point.
        group_p: (I, N, J) probability of each slice and node.
        count: of decodings.
        budget_s: start no further decoding after this time, s.
        seed: of their orders.
    """
    announce_compilation("models.slicing")
    deadline = deadline_ns(time.perf_counter_ns(), budget_s)
    packed = compact(scenario)
    soft = (
        np.ascontiguousarray(x.reshape(scenario.n_devices, -1), dtype=np.float64) for x in (radio_p, group_p)
    )
    link, group, _ = best_decoding(packed.problem, *soft, count, np.uint64(seed), deadline)
    return packed.decisions(link, group)


def repaired(scenario: Scenario, decisions: Decisions) -> tuple[Decisions, Shares]:
    """Feasible decisions with optimal shares: as they are where 13b and 13c can hold, else with fewer offloaded."""
    shares = optimal_shares(scenario, decisions)
    return (decisions, shares) if shares is not None else drop_until_feasible(scenario, decisions)
