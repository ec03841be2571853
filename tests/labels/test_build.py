"""Building, resuming, and what a store refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slicewright.errors import InvalidOptionError, WorkerError
from slicewright.labels import Job, Progress, Recipe, build_labels, load_manifest, read_labels
from slicewright.labels.store.shards import JOURNAL, StoreWriter, read_journal, shard_paths
from tests.labels.methods import SMALL

SOUND = Job(SMALL, method="tests.labels.methods:sound")


def test_a_store_holds_every_seed_once_with_all_that_is_known(store: Path) -> None:
    labels = list(read_labels(store))
    manifest = load_manifest(store)
    assert [label.seed for label in labels] == list(range(40))
    assert manifest.complete
    assert [shard.rows for shard in manifest.shards] != [40]
    assert sum(shard.rows for shard in manifest.shards) == 40
    for label in labels:
        assert label.solved
        assert label.scenario is not None and label.solution is not None
        assert set(label.residuals) == {"13a", "13b", "13c", "13d", "13e", "13f", "13g"}
        assert label.bound_s is not None and label.cost_s is not None and label.bound_s <= label.cost_s
        assert label.time_s is not None and label.time_s > 0
    document = json.loads((store / "manifest.json").read_text())
    assert document["versions"]["slicewright"]
    assert document["host"]["processors"]
    assert document["command"]


def test_stored_inputs_are_the_instance_bit_for_bit(store: Path) -> None:
    label = read_labels(store)[12]
    again = SMALL.scenario(12)
    assert label.scenario is not None
    for name in ("task_bits", "slice_cycles", "rate_bps", "node_capacity_hz", "local_time_s"):
        np.testing.assert_array_equal(getattr(label.scenario, name), getattr(again, name))
    np.testing.assert_array_equal(label.scenario.sites.device_m, again.sites.device_m)
    assert label.scenario.origin["seed"] == 12
    assert label.scenario.node_kinds == again.node_kinds


def test_labels_do_not_depend_on_workers_or_chunks(store: Path, tmp_path: Path) -> None:
    build_labels(tmp_path / "again", Job(SMALL), count=40, workers=2, shard_size=7)
    for one, other in zip(read_labels(store), read_labels(tmp_path / "again"), strict=True):
        assert (one.seed, one.cost_s, one.bound_s) == (other.seed, other.cost_s, other.bound_s)
        assert one.solution is not None and other.solution is not None
        assert one.solution.decisions == other.solution.decisions


def test_a_resumed_build_repeats_nothing_and_may_ask_for_more(tmp_path: Path) -> None:
    build_labels(tmp_path, SOUND, count=6, workers=1)
    before = {label.seed: label.time_s for label in read_labels(tmp_path)}
    seen: list[Progress] = []
    manifest = build_labels(tmp_path, SOUND, count=10, workers=1, on_progress=seen.append)
    after = {label.seed: label.time_s for label in read_labels(tmp_path)}
    assert sorted(after) == list(range(10))
    assert {seed: after[seed] for seed in before} == before
    assert seen[0] == Progress(done=6, failed=0, total=10, resumed=6)
    assert manifest.seeds == (0, 10)


def test_a_finished_store_is_left_as_it_is(tmp_path: Path) -> None:
    build_labels(tmp_path, SOUND, count=4, workers=1)
    before = [path.stat().st_mtime_ns for path in shard_paths(tmp_path)]
    build_labels(tmp_path, SOUND, count=4, workers=1)
    assert [path.stat().st_mtime_ns for path in shard_paths(tmp_path)] == before


@pytest.mark.parametrize("other", [Job(Recipe(devices=(2, 7))), Job(SMALL, rounds=3)])
def test_a_folder_belongs_to_one_job(tmp_path: Path, other: Job) -> None:
    build_labels(tmp_path, Job(SMALL), count=2, workers=1)
    with pytest.raises(InvalidOptionError, match="use another folder"):
        build_labels(tmp_path, other, count=2)


def test_two_builds_never_write_one_store(tmp_path: Path) -> None:
    with StoreWriter(tmp_path, shard_size=10), pytest.raises(InvalidOptionError, match="another build"):
        build_labels(tmp_path, SOUND, count=2)


def test_a_journal_cut_anywhere_keeps_what_was_complete(tmp_path: Path) -> None:
    with StoreWriter(tmp_path / "a", shard_size=100) as writer:
        from slicewright.labels.executors.label_chunk import label_chunk
        from slicewright.labels.store.manifest import Manifest

        writer.begin(Manifest(SOUND, (0, 4)))
        whole = [0]
        for seed in range(4):
            writer.append(label_chunk(SOUND, (seed,)), 1)
            whole.append((tmp_path / "a" / JOURNAL).stat().st_size)
    content = (tmp_path / "a" / JOURNAL).read_bytes()
    for cut in range(0, len(content) + 1, 97):
        (tmp_path / JOURNAL).write_bytes(content[:cut])
        kept = read_journal(tmp_path).column("seed").to_pylist()
        assert kept == list(range(sum(cut >= size for size in whole[1:])))


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": 0}, {"first_seed": -1}, {"workers": 0}, {"timeout_s": 0.0}, {"attempts": 0}, {"executor": "threads"},
    ],
)  # fmt: skip
def test_impossible_options_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptionError, match=next(iter(wrong))):
        build_labels(tmp_path, SOUND, **{"count": 2, **wrong})


def test_a_method_that_cannot_be_imported_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(InvalidOptionError, match="cannot be imported"):
        build_labels(tmp_path, Job(SMALL, method="tests.labels.methods:nothing"), count=2)


def test_workers_that_never_become_ready_end_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(WorkerError, match="exit code 1"):
        build_labels(tmp_path, SOUND, count=2, workers=1)
