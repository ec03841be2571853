"""An interrupted training of a placement model ends with the weights of an uninterrupted one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slicewright.learning.placement.solved_runs import Run, solved_runs

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from slicewright.learning.placement import training  # noqa: E402
from slicewright.learning.placement.batches import queue_batches  # noqa: E402
from slicewright.learning.placement.networks.queue import QueueDesign  # noqa: E402
from slicewright.learning.placement.recipes import published_sizes  # noqa: E402
from slicewright.learning.placement.training import (  # noqa: E402
    ClassifierSchedule,
    QueueSchedule,
    train_classifier,
    train_queue_network,
)


class PowerCut(Exception):
    """What ends the first of two runs."""


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    torch.set_num_threads(1)
    return [*solved_runs("paper", range(10)), *solved_runs("varied", range(3))]


def cut_after(calls: int, whole: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, until the power goes."""
    left = calls

    def cut(*args: Any, **options: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise PowerCut
        return whole(*args, **options)

    return cut


def weights(model: Any) -> dict[str, Any]:
    return dict(model.state_dict())


def assert_equal(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("steps", [1, 7, 11])
def test_a_classifier_goes_on_where_it_stopped(
    runs: list[Run], steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper = runs[:10]
    design, schedule = published_sizes(paper[0]), ClassifierSchedule(epochs=4, batch_size=4, seed=3)
    expected = weights(train_classifier(paper, design, schedule))
    with monkeypatch.context() as power, pytest.raises(PowerCut):
        power.setattr(training, "classifier_loss", cut_after(steps, training.classifier_loss))
        train_classifier(paper, design, schedule, folder=tmp_path)
    told: list[str] = []
    resumed = train_classifier(paper, design, schedule, folder=tmp_path, report=told.append)
    assert_equal(weights(resumed), expected)
    assert len(told) == 4 - steps // 3  # three steps an epoch; whole ones are not trained again
    assert_equal(weights(train_classifier(paper, design, schedule, folder=tmp_path)), expected)


@pytest.mark.parametrize("epochs", [1, 3])
def test_the_size_free_network_goes_on_in_the_stage_where_it_stopped(
    runs: list[Run], epochs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = QueueSchedule(imitate=2, descend=2, seed=5)
    expected = weights(train_queue_network(runs, QueueDesign(), schedule))
    steps = epochs * len(queue_batches(runs)) + 1
    with monkeypatch.context() as power, pytest.raises(PowerCut):
        power.setattr(training, "queue_loss", cut_after(steps, training.queue_loss))
        train_queue_network(runs, QueueDesign(), schedule, folder=tmp_path)
    told: list[str] = []
    resumed = train_queue_network(runs, QueueDesign(), schedule, folder=tmp_path, report=told.append)
    assert_equal(weights(resumed), expected)
    assert len(told) == 4 - epochs
