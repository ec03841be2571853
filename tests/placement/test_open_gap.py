"""Large proven gaps of placements are explained, small ones are not."""

from __future__ import annotations

import numpy as np

from slicewright.placement import Placement, place, placement_preset
from slicewright.placement.judge import choice_of, queue_arrivals
from slicewright.placement.open_gap import WORTH_SAYING, explain_gap
from slicewright.placement.reasons import tightest_limits


def test_a_large_gap_names_the_fullest_node_and_how_many_are_left_out() -> None:
    tasks = placement_preset("regime/overloaded", seed=3)
    found = place(tasks, iterations=200)
    assert found.gap > WORTH_SAYING
    choice = choice_of(tasks, found.nodes)
    share = queue_arrivals(tasks, choice) / tightest_limits(tasks, choice)
    sentence = found.notes[-1]
    assert f"node {tasks.topology.nodes[int(share.argmax())]} takes {share.max():.0%}" in sentence
    assert f"{found.rejected} of 60 tasks are left out" in sentence
    assert f"within {found.gap:.1%}" in sentence and "`--budget`" in sentence
    assert Placement.from_dict(found.to_dict()).notes == found.notes


def test_methods_that_do_not_search_are_told_apart() -> None:
    found = place(placement_preset(seed=1), "mec-only")
    assert found.gap > WORTH_SAYING
    assert "mec-only does not look for anything better" in found.notes[-1]
    assert place(placement_preset(seed=1), "mec-only", certify=False).notes == ()


def test_where_no_node_is_near_its_limit_the_placement_may_be_what_is_far_from_the_best() -> None:
    tasks = placement_preset("regime/light", tasks=4, seed=1)
    nobody = np.full(4, -1)
    sentence = explain_gap(tasks, nobody, method="auto", gap=1.0)
    assert sentence is not None and "no node is near its limit" in sentence
    unproven = explain_gap(tasks, nobody, method="auto", gap=np.inf)
    assert unproven is not None and "nothing is proven yet" in unproven


def test_a_small_gap_needs_no_words() -> None:
    found = place(placement_preset("regime/light", seed=1), iterations=2000)
    assert found.gap <= WORTH_SAYING and found.notes == ()
