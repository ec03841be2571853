"""Large proven gaps are explained, small ones are not."""

from __future__ import annotations

import numpy as np

import slicewright as sw
from slicewright.slicing.loads import loads_of
from slicewright.slicing.open_gap import WORTH_SAYING, explain_gap


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


def test_a_small_gap_needs_no_words() -> None:
    assert explain_gap(sw.plan(sw.preset("paper-slicing", devices=20, seed=2), rounds=50)) is None
