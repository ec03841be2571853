from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from slicewright.learning.common.batching import similar_batches, similar_sizes
from slicewright.learning.common.training import Schedule, Task, fit
from slicewright.learning.slicing.chained_training import Upstream, cross_validate, sp3_loss, train_published
from slicewright.learning.slicing.fold_training import Batch, FoldItem, collate
from slicewright.learning.slicing.metrics import choice_accuracy, over_folds, share_errors
from slicewright.learning.slicing.networks.published import DESIGNS, ChoiceModel
from slicewright.learning.slicing.solved_scenarios import Solved
from slicewright.models.slicing.features import row_widths, rows, targets
from slicewright.slicing import Decisions, Shares
from tests.learning.small_models import SIZES


def sp3_items(solved: list[Solved]) -> list[FoldItem]:
    return [
        FoldItem(rows(x.scenario).network, targets(x.scenario, x.decisions, x.shares).choice) for x in solved
    ]


def sp3_task() -> Task[ChoiceModel, FoldItem, Batch]:
    torch.manual_seed(4)
    model = ChoiceModel(row_widths(*SIZES)[0], SIZES, DESIGNS["deepsets-s"])
    return Task(model, sp3_loss, collate, similar_sizes(lambda item: float(np.log(item.rows.shape[0]))))


def weights(task: Task[ChoiceModel, FoldItem, Batch]) -> torch.Tensor:
    return torch.nn.utils.parameters_to_vector(task.model.parameters()).detach()


def test_training_repeats_bit_for_bit(solved: list[Solved]) -> None:
    items, schedule = sp3_items(solved), Schedule(epochs=2, batch_size=8, seed=7)
    one, two = sp3_task(), sp3_task()
    outcomes = [fit(task, items[:40], items[40:], schedule=schedule) for task in (one, two)]
    assert outcomes[0] == outcomes[1]
    assert torch.equal(weights(one), weights(two))


def test_training_lowers_the_loss_and_keeps_the_best_epoch(solved: list[Solved]) -> None:
    items, task = sp3_items(solved), sp3_task()
    outcome = fit(task, items[:40], items[40:], schedule=Schedule(epochs=5, batch_size=8))
    assert outcome.train[-1] < outcome.train[0]
    assert outcome.valid[outcome.best_epoch] == min(outcome.valid)
    batch = collate(items[40:])
    with torch.no_grad():
        kept = sp3_loss(task.model, batch).item()
    assert kept == pytest.approx(min(outcome.valid), rel=0.2)  # the same weights, batched differently


def test_an_interrupted_run_continues_to_the_same_weights(solved: list[Solved], tmp_path: Path) -> None:
    items, schedule = sp3_items(solved), Schedule(epochs=4, batch_size=8, seed=1)
    whole = sp3_task()
    fit(whole, items[:40], items[40:], schedule=schedule)

    class PowerCut(Exception):
        pass

    broken = sp3_task()
    calls = 0

    def failing(model: torch.nn.Module, batch: Any) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls > 14:  # in the third epoch of 5 training and 1 validation batches
            raise PowerCut
        return sp3_loss(model, batch)

    cut = Task(broken.model, failing, broken.collate, broken.order)
    with pytest.raises(PowerCut):
        fit(cut, items[:40], items[40:], schedule=schedule, folder=tmp_path)
    resumed = sp3_task()
    told: list[str] = []
    outcome = fit(resumed, items[:40], items[40:], schedule=schedule, folder=tmp_path, report=told.append)
    assert [line.partition(",")[0] for line in told] == ["epoch 3 of 4", "epoch 4 of 4"]
    assert len(outcome.valid) == 4
    assert torch.equal(weights(resumed), weights(whole))
    assert (tmp_path / "csv" / "metrics.csv").read_text().startswith("epoch")


def test_training_stops_when_validation_no_longer_improves(solved: list[Solved]) -> None:
    items, task = sp3_items(solved), sp3_task()
    still = Schedule(epochs=30, batch_size=40, patience=2, learning_rate=1e-12)
    outcome = fit(task, items[:40], items[40:], schedule=still)
    assert len(outcome.valid) < 30


def test_batches_hold_everything_once_and_similar_sizes() -> None:
    sizes = np.random.default_rng(0).integers(5, 51, 100).tolist()
    chunks = list(similar_batches(np.log(sizes), 16, seed=1))
    assert sorted(chain.from_iterable(chunks)) == list(range(100))
    spread = np.mean([np.ptp([sizes[i] for i in chunk]) for chunk in chunks])
    assert spread < 20
    assert (
        chunks
        == list(similar_batches(np.log(sizes), 16, seed=1))
        != list(similar_batches(np.log(sizes), 16, seed=2))
    )


@pytest.mark.parametrize("upstream", ["chained", "oracle-inputs", "conditioned"])
def test_every_scenario_is_answered_by_models_that_have_not_seen_it(
    solved: list[Solved], upstream: Upstream
) -> None:
    some = solved[:12]
    answers = cross_validate(
        some,
        DESIGNS["deepsets-s"],
        parts=3,
        schedule=Schedule(epochs=1, batch_size=8),
        upstream=upstream,
    )
    assert np.bincount(answers.fold).tolist() == [4, 4, 4]
    for x, share, bandwidth, choice in zip(
        some, answers.share, answers.bandwidth, answers.choice, strict=True
    ):
        count = x.scenario.n_devices
        assert share.shape == (3, count, 12)
        assert (share.sum(axis=1) <= 1 + 1e-5).all()
        assert (bandwidth.sum(axis=1) <= 1 + 1e-5).all()
        assert choice.shape == (count,)


def test_a_label_does_not_reach_its_own_answers(solved: list[Solved]) -> None:
    """Changing one scenario's label leaves the SP1 answer for it as it was: out of fold."""
    some, schedule = solved[:9], Schedule(epochs=1, batch_size=8)
    other = [*some[:-1], Solved(some[-1].scenario, *_all_local(some[-1]), some[-1].cost_s)]
    one, two = (cross_validate(x, DESIGNS["deepsets-s"], parts=3, schedule=schedule) for x in (some, other))
    np.testing.assert_array_equal(one.share[-1], two.share[-1])
    assert any(not np.array_equal(a, b) for a, b in zip(one.share[:-1], two.share[:-1], strict=True))


def _all_local(instance: Solved) -> tuple[Decisions, Shares]:
    from slicewright.slicing.published.baselines import all_local

    return all_local(instance.scenario)


@pytest.mark.parametrize("name", list(DESIGNS))
def test_every_design_trains_and_serves(solved: list[Solved], name: str) -> None:
    model = train_published(solved[:10], DESIGNS[name], parts=2, schedule=Schedule(epochs=1, batch_size=8))
    x = solved[20]
    seen = rows(x.scenario)
    with torch.no_grad():
        decision, *_ = model(
            torch.from_numpy(seen.network)[None],
            torch.from_numpy(seen.slices)[None],
            torch.ones(1, x.scenario.n_devices),
        )
    assert decision.shape == (1, x.scenario.n_devices, 82)


def test_share_errors_by_hand() -> None:
    figures = share_errors([np.array([0.5, 0.004, 0.0])], [np.array([0.512, 0.0, 0.0])])
    assert figures["mae_%"] == pytest.approx(100 * 0.016 / 3)
    assert figures["acc@0.5"] == pytest.approx(2 / 3)
    assert figures["acc@2"] == 1.0
    assert figures["used_acc@1"] == 0.0
    assert figures["nothing_acc@1"] == pytest.approx(2 / 3)


def test_choice_accuracy_by_hand() -> None:
    figures = choice_accuracy([np.array([0, 3, 4, 0])], [np.array([0, 3, 5, 1])])
    assert figures == {"acc": 0.5, "acc_bin": 0.75, "most_frequent_bin": 0.75}


def test_spread_is_over_folds() -> None:
    assert over_folds([{"a": 1.0}, {"a": 3.0}])["a"] == pytest.approx((2.0, 2**0.5))
