"""The store that ships with the package is what it says it is."""

from __future__ import annotations

import pytest

from slicewright.labels import SMALL_STORE, load_manifest, read_labels, sp3_dataset
from slicewright.labels.validate import faults
from slicewright.slicing import evaluate, iterated_search, lower_bound


def test_every_cost_and_every_constraint_holds_and_inputs_come_from_their_seeds() -> None:
    assert not list(faults(SMALL_STORE, regenerate=True))


def test_it_is_small_complete_and_optimal() -> None:
    assert sum(path.stat().st_size for path in SMALL_STORE.iterdir()) < 600_000
    assert load_manifest(SMALL_STORE).complete
    labels = read_labels(SMALL_STORE)
    assert len(labels) == 200
    assert {labels.value(row, "status") for row in range(200)} == {"optimal"}


def test_no_search_finds_anything_cheaper_than_what_is_proven() -> None:
    for label in list(read_labels(SMALL_STORE))[::20]:
        assert label.scenario is not None and label.solution is not None
        assert label.bound_s is not None and label.cost_s is not None
        times, _ = evaluate(label.scenario, *iterated_search(label.scenario, rounds=300, seed=1))
        assert times.completion_s.sum() >= label.bound_s
        assert lower_bound(label.scenario) <= label.cost_s
        assert label.bound_s == pytest.approx(label.cost_s, rel=1.001e-4)


def test_it_serves_as_a_data_set() -> None:
    data = sp3_dataset(SMALL_STORE, split="train")
    assert len(data.sp2.sp1.requests) == 158
    assert data.choice.shape == (158, 20)
