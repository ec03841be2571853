"""Instances and their splits are pure functions of recipe and seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from slicewright.errors import InvalidOptionError, InvalidScenarioError, UnknownNameError
from slicewright.labels import SPLITS, UNSOLVED, Job, Label, Recipe, split_of
from slicewright.network import scenario_to_dict

RECIPE = Recipe(
    devices=(3, 9), parameters={"queueing": "device"}, vary={"coins": (4, 6, 8), "slices": (2, 3)}
)


def test_same_seed_same_instance() -> None:
    assert scenario_to_dict(RECIPE.scenario(5)) == scenario_to_dict(RECIPE.scenario(5))
    assert scenario_to_dict(RECIPE.scenario(5)) != scenario_to_dict(RECIPE.scenario(6))


def test_draws_cover_what_may_vary_and_nothing_else() -> None:
    scenarios = [RECIPE.scenario(seed) for seed in range(60)]
    assert {s.n_devices for s in scenarios} == set(range(3, 10))
    assert {s.n_nodes for s in scenarios} == {5, 7, 9}
    assert {s.n_slices for s in scenarios} == {2, 3}
    assert {s.queueing for s in scenarios} == {"device"}


def test_a_scenario_carries_the_seed_it_came_from() -> None:
    assert RECIPE.scenario(11).origin["seed"] == 11


def test_recipes_survive_the_manifest() -> None:
    assert Recipe.from_dict(RECIPE.to_dict()).scenario(3).origin == RECIPE.scenario(3).origin


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"devices": (9, 3)}, InvalidOptionError),
        ({"devices": (0, 3)}, InvalidOptionError),
        ({"preset": "paper-slicin"}, UnknownNameError),
        ({"parameters": {"coin": 3}}, InvalidScenarioError),
        ({"vary": {"coins": ()}}, InvalidOptionError),
        ({"vary": {"coins": (2.5,)}}, InvalidScenarioError),
        ({"parameters": {"coins": 3}, "vary": {"coins": (3,)}}, InvalidOptionError),
        ({"parameters": {"devices": 3}}, InvalidOptionError),
    ],
)
def test_impossible_recipes_are_refused(wrong: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Recipe(**wrong)


def test_unknown_methods_are_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="best-known"):
        Job(Recipe(), method="best-know")


def test_splits_depend_on_the_seed_alone_and_have_the_published_sizes() -> None:
    splits = [split_of(seed) for seed in range(20_000)]
    assert splits == [split_of(seed) for seed in range(20_000)]
    parts = [splits.count(name) / len(splits) for name in SPLITS]
    np.testing.assert_allclose(parts, [0.8, 0.1, 0.1], atol=0.01)


def test_what_has_no_plan_is_in_no_split_of_the_solved() -> None:
    assert Label(3, "failed", "exact").split == UNSOLVED
    assert Label(3, "infeasible", "exact").split == UNSOLVED
    assert Label(3, "feasible", "exact").split == split_of(3)
