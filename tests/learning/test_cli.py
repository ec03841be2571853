"""From a label store to a served model by the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import slicewright as sw
from slicewright.errors import UnknownNameError
from slicewright.labels import Job, Recipe, build_labels, split_of
from slicewright.learning.slicing import recipes
from slicewright.learning.slicing.solved_scenarios import from_store
from slicewright.models.slicing.session import FOLDER_VARIABLE

COUNT = 16


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("labels")
    build_labels(folder, Job(Recipe(devices=(5, 8)), rounds=20), count=COUNT, workers=1)
    return folder


def test_a_store_gives_its_training_and_validation_labels(store: Path) -> None:
    instances = from_store(store)
    assert len(instances) == sum(split_of(seed) != "test" for seed in range(COUNT))
    for x in instances:
        plan = sw.Plan(x.scenario, x.decisions, x.shares, method="label")
        assert plan.violations.feasible
        assert plan.cost_s == pytest.approx(x.cost_s)


@pytest.mark.parametrize("model", ["deepsets-s", "bipartite"])
def test_labels_become_a_model_that_plans(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    from slicewright.cli.main import app

    monkeypatch.setitem(recipes.SCALES, "smoke", replace(recipes.SCALES["smoke"], tested=2))
    command = ["train", "slicing", "--model", model, "--labels", str(store), "--out", str(tmp_path)]
    done = CliRunner().invoke(app, [*command, "--scale", "smoke", "--epochs", "1"])
    assert done.exit_code == 0, done.output
    assert "parameters" in done.output
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    plan = sw.plan(sw.preset("paper-slicing", devices=7), method=f"{model}-raw", rounds=0)
    assert plan.violations.feasible
    assert plan.notes == ()


def test_an_unknown_model_or_scale_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'bipartite'"):
        recipes.train("bipartit", tmp_path)
    with pytest.raises(UnknownNameError, match="did you mean 'smoke'"):
        recipes.train("bipartite", tmp_path, scale="smok")
