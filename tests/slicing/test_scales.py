"""Figures of very different scales in one scenario: no device may cost the others their precision."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import slicewright as sw
from slicewright.network.scenario import Scenario
from slicewright.slicing import Plan, iterated_search
from tests.brute_force import cost_of, optimum

SMALL = {"access_points": 2, "coins": 1, "mecs": 1, "slices": 2}
GIANT = 1e18  # times what the device would ask for


def few(regime: str, queueing: str, seed: int, devices: int = 3) -> Scenario:
    return sw.preset(f"regime/{regime}", devices=devices, seed=seed, queueing=queueing, **SMALL)


def scaled(scenario: Scenario, random: np.random.Generator) -> Scenario:
    """Every device's speed, rate, work and size times a power of ten of its own."""
    speed, rate, work, size = (
        10.0 ** random.uniform(low, high, scenario.n_devices)
        for low, high in ((-9, 9), (-9, 0), (-9, 3), (-9, 9))
    )
    return scenario.with_(
        local_capacity_hz=scenario.local_capacity_hz * speed,
        arrival_rate_hz=scenario.arrival_rate_hz * rate,
        slice_cycles=scenario.slice_cycles * work[:, None],
        task_bits=scenario.task_bits * size,
    )


@given(
    st.sampled_from(["paper", "balanced", "compute", "saturated"]),
    st.sampled_from(["node", "device"]),
    st.integers(0, 2**32),
)
@settings(max_examples=40, deadline=None)
def test_search_finds_the_optimum_whatever_the_scales(regime: str, queueing: str, seed: int) -> None:
    scenario = scaled(few(regime, queueing, seed), np.random.default_rng(seed))
    plan = Plan(scenario, *iterated_search(scenario, rounds=200))
    assert plan.cost_s == pytest.approx(optimum(scenario), rel=1e-7)


@pytest.mark.parametrize("queueing", ["node", "device"])
@pytest.mark.parametrize("served", [False, True])
@pytest.mark.parametrize("regime", ["paper", "balanced", "compute"])
def test_a_device_that_dwarfs_all_others_hides_nothing_from_them(
    regime: str, served: bool, queueing: str
) -> None:
    """The last device is slower than the others by eighteen orders; its work may be too much for every node."""
    for seed in range(8):
        scenario = few(regime, queueing, seed, devices=4)
        speed, work = scenario.local_capacity_hz.copy(), scenario.slice_cycles.copy()
        speed[3] /= GIANT
        if not served:
            work[3] *= GIANT
        scenario = scenario.with_(local_capacity_hz=speed, slice_cycles=work)
        decisions, shares = iterated_search(scenario, rounds=200)
        if served:
            assert Plan(scenario, decisions, shares).cost_s == pytest.approx(optimum(scenario), rel=1e-7)
            continue
        others = scenario.with_(local_capacity_hz=np.append(speed[:3], speed[0] * GIANT))
        assert decisions.node[3] == -1
        assert cost_of(others, decisions) == pytest.approx(optimum(others), rel=1e-7)
