"""The dual function that networks learn prices from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import slicewright as sw
from slicewright.errors import InvalidOptionError
from slicewright.network.regimes import REGIMES
from slicewright.slicing import lower_bound
from slicewright.slicing.dual_prices import DualPrices
from slicewright.slicing.exact.dual_function import DualFunction

ROUNDING = 1e-5


def random_prices(scenario: sw.Scenario, rng: np.random.Generator) -> DualPrices:
    """Up to what devices pay at most, both prices together."""
    whole = rng.random(scenario.n_devices) * scenario.local_time_s
    part = rng.random(scenario.n_devices)
    return DualPrices(part * whole, (1 - part) * whole)


@given(
    st.sampled_from(sorted(REGIMES)),
    st.sampled_from(["node", "device"]),
    st.integers(2, 14),
    st.integers(0, 10**6),
)
@settings(max_examples=40)
def test_it_is_concave_along_its_slopes(regime: str, queueing: str, devices: int, seed: int) -> None:
    scenario = sw.preset(f"regime/{regime}", devices=devices, seed=seed, queueing=queueing)
    rng, dual = np.random.default_rng(seed), DualFunction(scenario)
    for _ in range(3):
        here, there = random_prices(scenario, rng), random_prices(scenario, rng)
        point = dual.at(here)  # the search at other prices begins with the sets that made the slopes
        tangent = (
            point.value_s
            + point.radio_slope @ (there.radio_s - here.radio_s)
            + point.compute_slope @ (there.compute_s - here.compute_s)
        )
        assert dual.at(there).value_s <= tangent + ROUNDING * scenario.local_time_s.sum()


@pytest.mark.parametrize("queueing", ["node", "device"])
def test_at_good_prices_it_is_near_the_optimum(queueing: str) -> None:
    scenario = sw.preset("regime/compute", devices=12, seed=3, queueing=queueing)
    best = sw.plan(scenario, method="exact", budget_s=20.0)
    assert best.status == "optimal"
    assert best.prices is not None
    value = DualFunction(scenario).at(best.prices).value_s
    assert 0.999 * best.cost_s < value < 1.1 * best.cost_s


def test_prices_are_cut_to_what_a_device_pays_at_most() -> None:
    scenario = sw.preset("regime/compute", devices=5, seed=0)
    dual, whole = DualFunction(scenario), scenario.local_time_s
    there = dual.at(DualPrices(0 * whole, whole)).value_s
    assert dual.at(DualPrices(0 * whole, 7 * whole)).value_s == pytest.approx(there, rel=1e-9)


def test_prices_of_other_devices_are_refused() -> None:
    dual = DualFunction(sw.preset("regime/compute", devices=5, seed=0))
    with pytest.raises(InvalidOptionError, match="5 devices"):
        dual.at(DualPrices(np.ones(4), np.ones(4)))


def test_prices_that_turn_out_bad_cost_little() -> None:
    scenario = sw.preset("regime/compute", devices=25, seed=1)
    plan = sw.plan(scenario, rounds=200)
    nothing = DualPrices(np.zeros(25), np.zeros(25))
    own = lower_bound(scenario, start=plan.decisions)
    given = lower_bound(scenario, start=plan.decisions, prices=nothing)
    assert given > 0.98 * own  # a walk follows where a look around shows what they are
