"""Canonical labels, ties, splits by run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from slicewright.learning.placement.canonical_labels import canonical, keeping
from slicewright.learning.placement.solved_runs import (
    paper_tasks,
    solve_run,
    solved_runs,
    varied_tasks,
)
from slicewright.placement import Tasks, judge, place, placement_preset
from slicewright.types import IntArray
from tests.placement.problems import small_tasks

few = settings(max_examples=25, deadline=None)


def _choice(tasks: Tasks, method: str = "auto", **options: Any) -> IntArray:
    index = tasks.options.index
    return np.array([index[used] if used else -1 for used in place(tasks, method, **options).nodes])


@few
@given(tasks=small_tasks(most_tasks=6))
def test_keeping_is_what_the_judge_says(tasks: Tasks) -> None:
    choice = _choice(tasks, iterations=200)
    keep, before = keeping(tasks, choice), judge(tasks, choice).objective_bit_hops
    for k in range(tasks.n_tasks):
        if choice[k] < 0:
            assert not keep[k].any()
            continue
        for option in range(tasks.options.count):
            moved = choice.copy()
            moved[k] = option
            judged = judge(tasks, moved)
            same = judged.objective_bit_hops == pytest.approx(before, rel=1e-9)
            assert keep[k, option] == (same and judged.violations.feasible)


@few
@given(tasks=small_tasks(most_tasks=6))
def test_the_canonical_label_costs_the_same_and_nothing_lower_ties(tasks: Tasks) -> None:
    choice = _choice(tasks, iterations=200)
    label = canonical(tasks, choice)
    before, after = judge(tasks, choice), judge(tasks, label)
    assert after.objective_bit_hops == pytest.approx(before.objective_bit_hops, rel=1e-9)
    assert after.violations.feasible
    assert ((choice < 0) == (label < 0)).all()
    placed = label >= 0
    assert (keeping(tasks, label).argmax(axis=1)[placed] == label[placed]).all()
    assert (canonical(tasks, label) == label).all()


def test_labels_repeat_and_small_ones_are_proven() -> None:
    first, second = (solve_run(placement_preset(tasks=20, seed=3)) for _ in range(2))
    assert (first.choice == second.choice).all()
    assert first.proven
    assert first.keeps[np.arange(20), first.choice].all()


def test_families_draw_both_deadline_ranges_and_other_networks() -> None:
    assert paper_tasks(4).deadline_s.min() < 0.05 <= paper_tasks(5).deadline_s.min()
    assert 10 <= paper_tasks(4).n_tasks <= 120
    counts = {varied_tasks(seed).topology.n_nodes for seed in (0, 16, 32, 48)}
    assert len(counts) > 1
    assert varied_tasks(0).options.count == varied_tasks(15).options.count
    said: list[str] = []
    assert len(solved_runs("varied", range(1), report=said.append)) == len(said) == 1
