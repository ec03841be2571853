"""Exchanges of links: radio cost falls by what they say, and no exchange of two devices is left that saves."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slicewright.network.scenario import Scenario
from slicewright.slicing._kernels.ejection.prices import make_rivals
from slicewright.slicing._kernels.local_search.exchange import make_workspace, swap_links
from slicewright.slicing._kernels.problem import LOCAL, empty_state, rebuild
from slicewright.slicing.compact import compact
from tests.instances import scenarios

FOREVER = np.int64(2**62)


def radio_cost(problem: Any, link: Any) -> float:
    """Sum of squares of the sums of roots over access points."""
    used = link[link != LOCAL]
    sums = np.bincount(problem.access_point[used], problem.link_root[used], problem.n_access_points)
    return float(np.sum(sums**2))


def link_to(problem: Any, i: int, a: int) -> int:
    """The link of a device to an access point, or LOCAL when out of reach."""
    links = range(problem.start[i], problem.start[i + 1])
    return next((link for link in links if problem.access_point[link] == a), LOCAL)


def best_exchange(problem: Any, link: Any) -> float:
    """What the best exchange of two devices' access points saves, at least 0."""
    now, best = radio_cost(problem, link), 0.0
    for i, k in itertools.combinations(np.flatnonzero(link != LOCAL), 2):
        a, b = problem.access_point[link[i]], problem.access_point[link[k]]
        other = link.copy()
        other[i], other[k] = link_to(problem, int(i), b), link_to(problem, int(k), a)
        if LOCAL not in (other[i], other[k]):
            best = max(best, now - radio_cost(problem, other))
    return best


@settings(max_examples=40)
@given(scenario=scenarios(most_devices=10), seed=st.integers(0, 1000))
def test_exchanges_end_where_none_saves(scenario: Scenario, seed: int) -> None:
    problem, random = compact(scenario).problem, np.random.default_rng(seed)
    n_devices = scenario.n_devices
    counts = problem.start[1:] - problem.start[:-1]
    served = (counts > 0) & (random.random(n_devices) < 0.8)
    link = np.where(served, problem.start[:-1] + random.integers(0, np.maximum(counts, 1)), LOCAL)
    group = np.where(served, random.integers(0, problem.capacity.size, n_devices), LOCAL)
    state, workspace = empty_state(problem), make_workspace(problem, make_rivals(problem))
    rebuild(problem, state, link, group)
    order = random.permutation(n_devices)
    before, saved = radio_cost(problem, link), 0.0
    while (more := swap_links(problem, state, workspace, order, n_devices, FOREVER)) > 0.0:
        saved += more
    after = radio_cost(problem, state.link)
    assert before - after == pytest.approx(saved, rel=1e-9, abs=1e-9 * before)
    assert np.array_equal(state.group, group) and np.array_equal(state.link != LOCAL, served)
    assert np.sum(state.radio**2) == pytest.approx(after)
    assert best_exchange(problem, state.link) <= 1e-9 * before
