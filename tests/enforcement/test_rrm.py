"""Shares as RRM policies: rounding, what the radio makes of it, and the order of changes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import slicewright as sw
from slicewright.slicing.rrm import ordered_changes, prb_counts, quantise, realised_plan, rrm_policies

SHAPE = (3, 4)
weights = arrays(np.float64, SHAPE, elements=st.floats(0, 1, allow_subnormal=False))


def shares_of(weight, used):
    """Rows that sum to ``used``; empty rows stay empty."""
    total = weight.sum(axis=1, keepdims=True)
    return np.divide(weight * used, total, out=np.zeros_like(weight), where=total > 0)


@settings(max_examples=60, deadline=None)
@given(weights, st.sampled_from([1.0, 0.5, 0.333]))
def test_rounding_keeps_sums_and_stays_within_one_percent(weight, used):
    share = shares_of(weight, used)
    percent = quantise(share)
    assert (np.abs(percent - 100 * share) < 1 + 1e-9).all()
    assert (percent.sum(axis=1) <= 100).all()
    assert np.array_equal(percent.sum(axis=1), np.rint(100 * share.sum(axis=1)))
    assert (percent[share == 0] == 0).all()


def test_whole_percentages_stay_as_they_are():
    share = np.array([[0.29, 0.57, 0.14], [0.07, 0.0, 0.93]])
    assert np.array_equal(quantise(share), [[29, 57, 14], [7, 0, 93]])


def test_largest_remainders_win_and_ties_go_to_the_earlier_slice():
    assert np.array_equal(quantise(np.array([[1 / 3, 1 / 3, 1 / 3]])), [[34, 33, 33]])
    assert np.array_equal(quantise(np.array([[0.104, 0.208, 0.688]])), [[10, 21, 69]])


def test_too_much_for_one_access_point_is_refused():
    with pytest.raises(sw.InvalidPlanError, match=r"bandwidth_share\[1\] is 1.1 but must sum to at most 1"):
        quantise(np.array([[0.5, 0.5], [0.6, 0.5]]))


@pytest.fixture(scope="module")
def plan():
    return sw.plan(sw.preset("paper-slicing", devices=12, seed=5), rounds=20)


@pytest.mark.parametrize("profile", ["hard", "guaranteed"])
def test_ratios_keep_the_rules_of_the_standard(plan, profile):
    policies = rrm_policies(plan.scenario, plan.shares, profile=profile)
    assert (policies.dedicated <= policies.minimum).all()
    assert (policies.minimum <= policies.maximum).all()
    assert (policies.maximum <= 100).all()
    assert (policies.dedicated.sum(axis=1) <= 100).all()
    assert (policies.minimum.sum(axis=1) <= 100).all()


def test_the_realised_plan_keeps_the_rules_and_is_not_much_dearer(plan):
    policies = rrm_policies(plan.scenario, plan.shares)
    real = realised_plan(plan, policies)
    assert (policies.realised <= policies.percent / 100).all()
    assert real.violations.feasible
    assert plan.cost_s < real.cost_s < 1.1 * plan.cost_s


def test_a_share_too_small_for_a_block_is_told(plan):
    narrow = plan.scenario.with_(bandwidth_hz=np.full(3, 4e5))
    policies = rrm_policies(narrow, plan.shares)
    assert np.array_equal(policies.prbs, [1, 1, 1])
    assert policies.starved
    assert realised_plan(plan, policies).cost_s == np.inf


def test_blocks_fit_the_bandwidth():
    assert prb_counts(np.array([18e6, 100e6])).tolist() == [50, 277]
    with pytest.raises(sw.InvalidOptionError, match="one resource block"):
        prb_counts(np.array([18e6, 1e5]))


@settings(max_examples=60, deadline=None)
@given(weights, weights)
def test_changes_in_order_never_overbook_a_cell(before, after):
    old, new = quantise(shares_of(before, 1.0)), quantise(shares_of(after, 1.0))
    state = old.copy()
    for change in ordered_changes(old, new):
        assert state[change.access_point, change.slice] == change.old
        state[change.access_point, change.slice] = change.new
        assert (state.sum(axis=1) <= 100).all()
    assert np.array_equal(state, new)
