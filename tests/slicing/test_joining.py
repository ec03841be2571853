"""What devices gain by joining a node, worked out for all of them in rows, against one at a time and true costs."""

# mypy: allow-untyped-defs
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import slicewright as sw
from slicewright.compiled import kernel
from slicewright.slicing._kernels.bound import times_alone
from slicewright.slicing.compact import compact
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.exact._kernels.joining import (
    fill_gains,
    gain_of_joining,
    list_devices,
    make_lanes,
)
from slicewright.slicing.exact._kernels.sets import NONE, change, charge_slices, node_cost

DEVICES, SLICES, NODE = 12, 3, 1


@kernel
def gains_each_way(problem, j, alone, price, place, lanes, gains):
    """(N, I) s, one device and slice at a time; ``gains`` (N, lanes) in rows; the value of the set."""
    n_slices = problem.work.shape[1]
    sums, each = np.zeros(4 * n_slices + 2), np.full((n_slices, price.size), -np.inf)
    for i in range(price.size):
        if place[i] != NONE:
            change(problem, price, sums, i, place[i], 1.0)
    value = charge_slices(problem, j, sums)
    if value > -np.inf:
        for i in range(price.size):
            for n in range(n_slices):
                if alone[i, n * problem.n_nodes + j] < price[i]:
                    each[n, i] = gain_of_joining(problem, j, sums, i, n, price[i], -np.inf)
        list_devices(problem, j, alone, price, lanes)
        fill_gains(lanes, problem.shared_queue, sums, 0, gains)
    return each, value


@given(
    regime=st.sampled_from(["balanced", "compute", "saturated", "xr"]),
    queueing=st.sampled_from(["node", "device"]),
    seed=st.integers(0, 10_000),
    members=st.integers(0, 4),
    generous=st.floats(0.05, 1.0),
)
def test_gains_in_rows_are_those_of_one_device_after_the_other(
    regime: str, queueing: str, seed: int, members: int, generous: float
) -> None:
    scenario = sw.preset(f"regime/{regime}", devices=DEVICES, seed=seed, queueing=queueing)
    problem = compact(scenario).with_decisions(Decisions.all_local(DEVICES))[0]
    alone, rng = times_alone(problem), np.random.default_rng(seed)
    price = generous * rng.uniform(0.2, 1.0, DEVICES) * problem.local_time
    place = np.full(DEVICES, NONE)
    place[rng.permutation(DEVICES)[:members]] = rng.integers(0, SLICES, members)
    lanes, gains = make_lanes(DEVICES, SLICES), np.full((SLICES, DEVICES), np.nan)
    each, value = gains_each_way(problem, NODE, alone, price, place, lanes, gains)
    if value == -np.inf:
        return
    count = int(lanes.count[0])
    listed = lanes.device[:count]
    assert listed.tolist() == np.flatnonzero((each > -np.inf).any(0) | pays_somewhere(alone, price)).tolist()
    outside = place[listed] == NONE
    scale = float(np.abs(price).max())
    np.testing.assert_allclose(
        gains[:, :count][:, outside], each[:, listed][:, outside], rtol=1e-9, atol=1e-11 * scale
    )
    before = node_cost(problem, NODE, place)
    for k in np.flatnonzero(outside):
        for n in range(SLICES):
            joined = place.copy()
            joined[listed[k]] = n
            truth = price[listed[k]] + before - node_cost(problem, NODE, joined)
            # 13b can only add to the cost of the larger set, and is left out here
            if (
                np.isfinite(truth)
                and gains[n, k] > -np.inf
                and before == pytest.approx(value_cost(value, price, place))
            ):
                assert gains[n, k] >= truth - 1e-9 * scale


def pays_somewhere(alone, price):
    return (alone[:, NODE :: alone.shape[1] // SLICES] < price[:, None]).any(1)


def value_cost(value, price, place):
    return price[place != NONE].sum() - value
