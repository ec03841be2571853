"""SP1 of a shipped model on its own: what the whole graph answers, for one slice, without the other slices."""

from __future__ import annotations

import numpy as np
import pytest

import slicewright as sw
from slicewright.models.slicing import features
from slicewright.models.slicing.features import Float32Array
from slicewright.models.slicing.session import FOLDER_VARIABLE, ModelUnavailableError
from slicewright.models.slicing.share_models import (
    check_share_size,
    expected_share_s,
    model_shares,
    share_model,
)
from slicewright.network.scenario import Scenario

SIZES = {"access_points": 3, "nodes": 9, "slices": 3, "devices": 20}


def rows_of(scenario: Scenario, n: int) -> Float32Array:
    return features.manager_rows(
        task_bits=scenario.task_bits,
        local_time_s=scenario.local_time_s,
        arrival_rate_hz=scenario.arrival_rate_hz,
        local_capacity_hz=scenario.local_capacity_hz,
        transmission_s=features.transmission_s(scenario),
        cycles=scenario.slice_cycles[:, n],
        capacity_hz=scenario.node_capacity_hz[:, n],
    )


@pytest.mark.parametrize("name", ["deepsets-s", "deepsets"])
def test_a_manager_alone_gets_what_the_whole_model_says_of_its_slice(name: str) -> None:
    scenario, model = sw.preset("paper-slicing", devices=20, seed=3), share_model(name)
    rows = features.rows(scenario)
    whole = model.run(scenario)[2]
    for n in range(scenario.n_slices):
        np.testing.assert_array_equal(rows_of(scenario, n), rows.slices[n])
        own = model_shares(model, rows_of(scenario, n))
        np.testing.assert_allclose(own, whole[n], rtol=1e-5, atol=1e-9)
        assert (own.sum(axis=0) <= 1 + 1e-6).all()


def test_devices_in_another_order_get_the_same_shares() -> None:
    scenario, model = sw.preset("paper-slicing", devices=15, seed=1), share_model("deepsets-s")
    rows, order = rows_of(scenario, 1), np.random.default_rng(0).permutation(15)
    np.testing.assert_allclose(
        model_shares(model, rows[order]), model_shares(model, rows)[order], rtol=1e-4, atol=1e-7
    )


@pytest.mark.parametrize(("name", "have"), [("access_points", 4), ("slices", 2), ("devices", 500)])
def test_a_model_refuses_sizes_it_does_not_know(name: str, have: int) -> None:
    model = share_model("deepsets-s")
    check_share_size(model, SIZES)
    with pytest.raises(ModelUnavailableError, match=f"{name.replace('_', ' ')}, this one has {have}"):
        check_share_size(model, {**SIZES, name: have})
    assert expected_share_s(model, 500) >= expected_share_s(model, 5)


def test_what_is_not_there_or_answers_something_else_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    with pytest.raises(ModelUnavailableError, match="there is no model 'not-shipped'"):
        share_model("not-shipped")
    with pytest.raises(ModelUnavailableError, match="does not answer SP1"):
        share_model("bipartite")


def test_rates_beyond_single_precision_warn_of_nothing(recwarn: pytest.WarningsRecorder) -> None:
    base = sw.preset("paper-slicing", devices=4, seed=1)
    rates = base.arrival_rate_hz.copy()
    rates[1] = 1e300
    plan = sw.plan(base.with_(arrival_rate_hz=rates), method="deepsets-raw", rounds=1)
    assert plan.violations.feasible
    assert plan.decisions.local[1]
    assert not [warning for warning in recwarn if "overflow" in str(warning.message)]
