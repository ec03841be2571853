"""Radio models as part of a scenario: what files leave out, and candidate lists by reach."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from slicewright.errors import InvalidScenarioError
from slicewright.network import (
    Radio,
    load_scenario,
    preset,
    save_scenario,
    scenario_from_dict,
    scenario_to_dict,
)
from slicewright.network.radio import distances_m
from slicewright.policies.slicing import plan
from tests.present import present


def test_a_file_leaves_out_rates_that_its_radio_model_gives_back(tmp_path: Path) -> None:
    scenario = preset("paper-slicing", devices=12, seed=3)
    document = scenario_to_dict(scenario)
    assert "rate_bps" not in document
    assert document["radio"] == {"model": "path-loss", "exponent": 4.0, "noise_dbm_hz": -174.0}
    again = load_scenario(save_scenario(scenario, tmp_path / "s.yaml"))
    np.testing.assert_array_equal(again.rate_bps, scenario.rate_bps)
    assert again.radio == scenario.radio


def test_a_file_spells_out_rates_that_were_changed() -> None:
    scenario = preset("paper-slicing", devices=4, seed=3)
    changed = scenario.with_(rate_bps=scenario.rate_bps * 2)
    document = scenario_to_dict(changed)
    assert "radio" not in document
    np.testing.assert_array_equal(scenario_from_dict(document).rate_bps, changed.rate_bps)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.floats(20.0, 900.0))
def test_reach_keeps_exactly_the_links_within_it(seed: int, reach_m: float) -> None:
    everywhere = preset("paper-slicing", devices=9, access_points=5, seed=seed)
    near = preset("paper-slicing", devices=9, access_points=5, seed=seed, reach_m=reach_m)
    assert isinstance(near.rate_bps, sparse.csr_array)
    within = (
        distances_m(present(everywhere.sites.device_m), present(everywhere.sites.access_point_m)) <= reach_m
    )
    np.testing.assert_allclose(
        near.rate_bps.toarray(), np.where(within, everywhere.rate_bps, 0.0), rtol=1e-12
    )
    again = scenario_from_dict(scenario_to_dict(near))
    for mine, theirs in zip(near.links, again.links, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_device_out_of_reach_of_everything_stays_local() -> None:
    scenario = preset("paper-slicing", devices=20, seed=1, reach_m=40.0)
    alone = np.diff(scenario.links.start) == 0
    assert alone.any() and not alone.all()
    made = plan(scenario, rounds=5)
    assert made.violations.feasible
    assert made.decisions.local[alone].all()


@pytest.mark.parametrize(
    ("radio", "message"),
    [
        (Radio("path-los"), "radio.model: there is no radio model 'path-los'; did you mean 'path-loss'?"),
        (
            Radio("path-loss", {"expnent": 3.0}),
            "radio.expnent: is not a parameter of this radio model; did you mean 'exponent'?",
        ),
        (Radio("path-loss", {"reach_m": 0.0}), "radio.reach_m is 0 but must be positive"),
        (Radio("path-loss", {"exponent": "four"}), "radio.exponent is 'four' but must be a number"),  # type: ignore[dict-item]  # that is the fault
    ],
)
def test_a_radio_that_cannot_be_says_why(radio: Radio, message: str) -> None:
    one = np.ones((1, 2))
    with pytest.raises(InvalidScenarioError) as caught:
        radio.rates(one, one, np.ones(1), np.ones(1))
    assert str(caught.value) == message
