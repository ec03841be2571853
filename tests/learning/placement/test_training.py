"""Training, export, cross-validation, and what an answer in the graph does to an accuracy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slicewright.errors import UnknownNameError
from slicewright.learning.placement.solved_runs import Run, solved_runs, varied_tasks
from slicewright.placement import placement_preset

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from typer.testing import CliRunner  # noqa: E402

from slicewright.cli.main import app  # noqa: E402
from slicewright.learning.placement.cross_validation import (  # noqa: E402
    classifier_trainer,
    cross_validate,
    fold_by_run,
    fold_by_task,
    published_trainers,
    tree_trainer,
)
from slicewright.learning.placement.metrics import class_scores, mean_and_spread  # noqa: E402
from slicewright.learning.placement.recipes import TrainingScale, published_sizes, train  # noqa: E402
from slicewright.learning.placement.training import (  # noqa: E402
    ClassifierSchedule,
    QueueSchedule,
    train_classifier,
    train_queue_network,
)
from slicewright.models.cards import read_card  # noqa: E402
from slicewright.models.placement.features import EXECUTOR  # noqa: E402
from slicewright.models.placement.model_kinds import SHIPPED  # noqa: E402
from slicewright.models.placement.session import load_placement_model  # noqa: E402


@pytest.fixture(scope="module")
def runs() -> dict[str, list[Run]]:
    torch.set_num_threads(1)
    return {"paper": solved_runs("paper", range(14)), "varied": solved_runs("varied", range(4))}


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    scale = TrainingScale(14, 4, ClassifierSchedule(epochs=4), QueueSchedule(imitate=1, descend=1), 2)
    monkeypatch.setattr("slicewright.learning.placement.recipes.SCALES", {"smoke": scale})


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_the_exported_model_says_what_the_trained_one_says(
    name: str, runs: dict[str, list[Run]], tiny: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {}
    import slicewright.learning.placement.recipes as recipes

    trained = recipes._trained

    def keep(*args: Any) -> Any:
        kept["made"] = trained(*args)
        return kept["made"]

    monkeypatch.setattr(recipes, "_trained", keep)
    card = train(name, tmp_path, scale="smoke", data=runs)
    assert read_card(tmp_path / f"{name}.json") == card
    monkeypatch.setenv("SLICEWRIGHT_MODELS", str(tmp_path))
    model = load_placement_model(name)
    assert model.card.sha256 == card.sha256
    others = solved_runs("paper", (70_001, 70_002))
    if name == "queue-network":
        others += solved_runs("varied", (70_003, 70_020))
    _, predict = kept["made"]
    for run in others:
        expected, found = predict(run), model.scores(run.tasks)
        expected -= expected.max(axis=1, keepdims=True)
        likely = expected > -15
        found -= found.max(axis=1, keepdims=True)
        assert found[likely] == pytest.approx(expected[likely], abs=1e-4)
        assert np.exp(found) == pytest.approx(np.exp(expected), abs=1e-4)


def test_training_repeats(runs: dict[str, list[Run]]) -> None:
    sizes, schedule = published_sizes(runs["paper"][0]), ClassifierSchedule(epochs=3)
    first, second = (train_classifier(runs["paper"], sizes, schedule).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    from slicewright.learning.placement.networks.queue import QueueDesign

    every = [*runs["paper"], *runs["varied"]]
    brief = QueueSchedule(imitate=1, descend=1)
    one, two = (train_queue_network(every, QueueDesign(), brief).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_graph_made_of_the_answers_raises_the_accuracy(runs: dict[str, list[Run]]) -> None:
    sizes = replace(published_sizes(runs["paper"][0]), self_loops=True)
    schedule = ClassifierSchedule(epochs=40)
    honest, leaking = (
        mean_and_spread(cross_validate(runs["paper"], classifier_trainer(design, schedule), parts=3))
        for design in (sizes, replace(sizes, graph=EXECUTOR))
    )
    assert leaking["accuracy"][0] > honest["accuracy"][0] + 0.03


def test_the_ablation_is_marked() -> None:
    names = published_trainers(published_sizes(solved_runs("paper", (1,))[0]), ClassifierSchedule())
    assert all(("executor-leaks-label" in name) == name.startswith("ABLATION") for name in names)


def test_scores_leave_rejected_tasks_out_and_know_ties() -> None:
    keeps = np.zeros((4, 3), dtype=bool)
    keeps[[0, 1, 1, 2], [0, 0, 1, 2]] = True
    scores = class_scores(np.array([0, 1, 0, 2]), np.array([0, 0, 2, -1]), keeps)
    assert scores.accuracy == pytest.approx(1 / 3)
    assert scores.tie_aware == pytest.approx(2 / 3)
    assert mean_and_spread([scores])["f1"][1] == 0.0


def test_names_are_checked(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="gnn"):
        train("gnm", tmp_path)
    with pytest.raises(UnknownNameError, match="smoke"):
        train("gnn", tmp_path, scale="smok")


def test_the_command_trains_and_serves(tiny: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "models"
    result = CliRunner().invoke(
        app, ["train", "placement", "--model", "mlp", "--scale", "smoke", "--out", str(out), "--epochs", "2"]
    )
    assert result.exit_code == 0, result.output
    assert "gain_repaired" in result.output
    monkeypatch.setenv("SLICEWRIGHT_MODELS", str(out))
    placed = CliRunner().invoke(app, ["place", "paper-placement", "--method", "mlp"])
    assert placed.exit_code == 0, placed.output


def test_unused_networks_of_the_varied_family_differ() -> None:
    first, second = varied_tasks(0), varied_tasks(1)
    assert not np.array_equal(first.topology.node_to_node, second.topology.node_to_node)
    assert first.n_tasks != placement_preset(tasks=5).n_tasks


def test_labels_of_held_out_tasks_are_not_learned(runs: dict[str, list[Run]]) -> None:
    some = runs["paper"][:5]
    design, schedule = published_sizes(some[0]), ClassifierSchedule(epochs=1)
    for trainer in (classifier_trainer(design, schedule), tree_trainer(design.classes)):
        held = fold_by_task(some, trainer, 1, parts=3)
        wrong = [
            replace(run, choice=np.where(only, 0, run.choice))
            for run, only in zip(some, held.only, strict=True)
        ]
        again = fold_by_task(wrong, trainer, 1, parts=3)
        for run in some:
            assert np.array_equal(held.predict(run), again.predict(run))


def test_folds_hold_out_everything_once(runs: dict[str, list[Run]]) -> None:
    some = runs["paper"][:6]
    seen: list[int] = []

    def constant(learned: Any) -> Any:
        seen.append(sum(int((run.target >= 0).sum()) for run in learned))
        return lambda run: np.zeros((run.tasks.n_tasks, run.tasks.options.count))

    placed = sum(int((run.choice >= 0).sum()) for run in some)
    for fold in (fold_by_run, fold_by_task):
        seen.clear()
        parts = [fold(some, constant, k, parts=3) for k in range(3)]
        counts = [sum(int(only.sum()) for only in part.only) for part in parts]
        assert sum(counts) == sum(run.tasks.n_tasks for run in some)
        assert sum(placed - count for count in seen) == placed
