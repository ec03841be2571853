from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import slicewright as sw
from slicewright.errors import InvalidOptionError
from slicewright.learning.slicing.solved_scenarios import (
    FIRST_TEST_SEED,
    Solved,
    draw,
    same_network,
    solve,
    varied_scenario,
)
from slicewright.models.slicing import features
from slicewright.models.slicing.decoding import soft_choices
from slicewright.slicing.decisions import Decisions


def test_rows_have_the_declared_widths() -> None:
    scenario = sw.preset("paper-slicing", devices=7, access_points=2, coins=3, slices=4)
    rows = features.rows(scenario)
    orchestrator, manager = features.row_widths(2, 4, 4)
    assert rows.network.shape == (7, orchestrator)
    assert rows.slices.shape == (4, 7, manager)


def test_a_manager_sees_nothing_of_other_slices() -> None:
    scenario = sw.preset("paper-slicing", devices=5)
    other = scenario.with_(
        slice_cycles=scenario.slice_cycles * np.array([1.0, 2.0, 1.0]),
        node_capacity_hz=scenario.node_capacity_hz * np.array([1.0, 3.0, 1.0]),
    )
    before, after = features.rows(scenario).slices, features.rows(other).slices
    np.testing.assert_array_equal(before[[0, 2]], after[[0, 2]])
    assert not np.array_equal(before[1], after[1])


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_choices_and_decisions_are_inverse(seed: int) -> None:
    scenario = varied_scenario(seed)
    rng = np.random.default_rng(seed)
    classes = rng.integers(
        0, 1 + scenario.n_access_points * scenario.n_nodes * scenario.n_slices, scenario.n_devices
    )
    decisions = features.decisions_of(scenario, classes)
    np.testing.assert_array_equal(features.choices(scenario, decisions), classes)
    np.testing.assert_array_equal(decisions.local, classes == 0)


def test_targets_hold_the_shares_of_the_plan() -> None:
    [instance] = solve(draw("paper", 1), rounds=20)
    scenario, decisions, shares = instance.scenario, instance.decisions, instance.shares
    target = features.targets(scenario, decisions, shares)
    sums = target.share.sum(axis=1)
    assert sums.shape == (scenario.n_slices, scenario.n_access_points + scenario.n_nodes)
    assert np.all((np.abs(sums - 1) < 1e-5) | (sums == 0))  # used resources are used up, others not at all
    i = int(np.flatnonzero(~decisions.local)[0])
    row = target.share[decisions.slice[i], i]
    assert row[decisions.access_point[i]] == pytest.approx(shares.radio[i], rel=1e-6)
    assert row[scenario.n_access_points + decisions.node[i]] == pytest.approx(shares.compute[i], rel=1e-6)


def test_the_size_free_network_sees_ratios_only() -> None:
    scenario = sw.preset("dense-urban", devices=9)
    slower = scenario.with_(  # the same problem, an hour counted as a second
        local_capacity_hz=scenario.local_capacity_hz / 3600,
        arrival_rate_hz=scenario.arrival_rate_hz / 3600,
        node_capacity_hz=scenario.node_capacity_hz / 3600,
        rate_bps=np.asarray(scenario.rate_bps) / 3600,
    )
    one, other = features.scenario_inputs(scenario), features.scenario_inputs(slower)
    for name in one.__dataclass_fields__:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-5)


def test_sparse_and_dense_rates_give_the_same_features() -> None:
    scenario = sw.preset("paper-slicing", devices=6)
    rate = np.where(np.arange(3)[None] == 1, 0.0, np.asarray(scenario.rate_bps))
    dense, thin = scenario.with_(rate_bps=rate), scenario.with_(rate_bps=sparse.csr_array(rate))
    np.testing.assert_array_equal(features.rows(dense).network, features.rows(thin).network)
    np.testing.assert_array_equal(features.scenario_inputs(dense).radio, features.scenario_inputs(thin).radio)
    assert (features.scenario_inputs(dense).radio[:, 1] == 0).all()


def test_training_never_reaches_the_test_seeds() -> None:
    with pytest.raises(InvalidOptionError, match="below"):
        draw("paper", 2, first_seed=FIRST_TEST_SEED - 1)
    with pytest.raises(InvalidOptionError, match="one of paper"):
        draw("papers", 2)


def test_labels_repeat_bit_for_bit() -> None:
    one, two = (solve(draw("varied", 3), rounds=30, jobs=jobs) for jobs in (1, 2))
    for a, b in zip(one, two, strict=True):
        assert a.decisions == b.decisions
        assert a.cost_s == b.cost_s


def test_published_models_refuse_mixed_networks(varied: list[Solved]) -> None:
    with pytest.raises(InvalidOptionError, match="one network size"):
        same_network(varied)


def test_all_local_is_class_zero() -> None:
    scenario = sw.preset("paper-slicing", devices=4)
    assert (features.choices(scenario, Decisions.all_local(4)) == 0).all()


def test_soft_choices_are_marginals_of_what_exists() -> None:
    base = sw.preset("paper-slicing", devices=5)
    scenario = base.with_(rate_bps=np.asarray(base.rate_bps) * np.array([1.0, 0.0, 1.0]))
    rng = np.random.default_rng(0)
    probability = rng.dirichlet(np.ones(82), 5)
    radio_p, group_p = soft_choices(scenario, probability)
    assert radio_p.shape == (5, 3)
    assert group_p.shape == (5, 3, 9)
    assert (radio_p[:, 1] == 0).all()
    np.testing.assert_allclose(radio_p.sum(axis=1), group_p.sum(axis=(1, 2)))
    joint = probability[:, 1:].reshape(5, 3, 9, 3) * np.array([1, 0, 1])[None, :, None, None]
    whole = probability[:, 0] + joint.sum(axis=(1, 2, 3))
    np.testing.assert_allclose(group_p[:, 2, 4], joint[:, :, 4, 2].sum(axis=1) / whole)
