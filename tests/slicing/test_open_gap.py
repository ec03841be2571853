"""Large proven gaps are explained, small ones are not."""

from __future__ import annotations

import numpy as np

import slicewright as sw
from slicewright.slicing.certificate import Certificate
from slicewright.slicing.loads import loads_of
from slicewright.slicing.open_gap import NEAR_LIMIT, WORTH_SAYING, explain_gap


def test_a_large_gap_names_the_slice_of_a_node_that_is_nearest_its_limit() -> None:
    plan = sw.plan(sw.preset("regime/balanced", devices=40, seed=2), rounds=50)
    assert plan.gap > WORTH_SAYING
    load = loads_of(plan).utilisation
    assert ((load >= 0) & (load < 1)).all()
    j, n = np.unravel_index(int(load.argmax()), load.shape)
    sentence = explain_gap(plan)
    assert sentence is not None
    assert plan.scenario.nodes[j] in sentence
    assert plan.scenario.slices[n].name in sentence
    assert "`--method exact`" in sentence


def test_where_no_queue_is_near_its_limit_the_plan_may_be_what_is_far_from_the_best() -> None:
    scenario = sw.preset("paper-slicing", devices=20, seed=2)
    best = sw.plan(scenario, rounds=20)
    poor = sw.Plan(scenario, best.decisions, best.shares, method="greedy")
    poor.__dict__["certificate"] = Certificate(0.5 * best.cost_s)  # as if nothing better had been proven
    assert 0 < loads_of(poor).utilisation.max() < NEAR_LIMIT
    sentence = explain_gap(poor)
    assert sentence is not None
    assert "no queue of a node is near its limit" in sentence and "the plan itself" in sentence


def test_a_small_gap_needs_no_words() -> None:
    assert explain_gap(sw.plan(sw.preset("paper-slicing", devices=20, seed=2), rounds=50)) is None
