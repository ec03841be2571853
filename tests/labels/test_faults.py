"""Workers that die, hang or break, and builds that are killed: the run goes on and the store stays whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from slicewright.labels import Job, Label, build_labels, load_manifest, read_labels
from slicewright.labels.store.shards import JOURNAL, read_journal
from slicewright.labels.validate import faults
from tests.labels.methods import HELD, HOLD, SMALL, STOPPED, UNLUCKY

COUNT = 10
LIMIT_S = 180.0
"""No test waits longer; on an idle machine none waits for more than a few seconds."""
ROOT = Path(__file__).parents[2]


def build(folder: Path, method: str, **options: Any) -> dict[int, Label]:
    """Labels of a build with one of the methods that go wrong."""
    job = Job(SMALL, method=f"tests.labels.methods:{method}")
    build_labels(folder, job, count=COUNT, **{"workers": 1, **options})
    labels = list(read_labels(folder))
    assert [label.seed for label in labels] == list(range(COUNT))
    assert not list(faults(folder))
    return {label.seed: label for label in labels}


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("dies", "the worker died: killed by SIGKILL"),
        ("breaks", "the worker died: exit code 1: ZeroDivisionError: a bug in the method"),
        ("refuses", "SolverError: no answer today"),
    ],
)
def test_the_culprit_is_recorded_and_the_run_goes_on(tmp_path: Path, method: str, reason: str) -> None:
    labels = build(tmp_path, method)
    assert labels[UNLUCKY].status == "failed"
    assert labels[UNLUCKY].reason == reason
    assert labels[UNLUCKY].split == "unsolved"
    assert all(label.solved for seed, label in labels.items() if seed != UNLUCKY)


def test_a_worker_that_hangs_is_killed(tmp_path: Path) -> None:
    labels = build(tmp_path, "hangs", timeout_s=3.0)
    assert labels[UNLUCKY].reason == "no answer within 3 s"
    assert sum(not label.solved for label in labels.values()) == 1
    assert any("no answer" in incident for incident in load_manifest(tmp_path).incidents)


def test_an_instance_may_cost_several_workers(tmp_path: Path) -> None:
    build(tmp_path, "dies", attempts=3)
    alone = [text for text in load_manifest(tmp_path).incidents if text.endswith(f"(seeds {UNLUCKY})")]
    assert len(alone) == 3


def test_a_plan_that_breaks_a_rule_is_unsolved_and_says_which(tmp_path: Path) -> None:
    labels = build(tmp_path, "overcommits")
    assert {label.status for label in labels.values()} == {"infeasible"}
    assert "13e is broken" in labels[0].reason


def test_failed_instances_can_be_tried_again(tmp_path: Path) -> None:
    labels = build(tmp_path, "dies", shard_size=5)
    times = {seed: label.time_s for seed, label in labels.items() if label.solved}
    again = build(tmp_path, "dies", shard_size=5, retry_failed=True)
    assert {seed: label.time_s for seed, label in again.items() if label.solved} == times
    assert again[UNLUCKY].status == "failed"


@pytest.fixture
def hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """While this file is there, a build with the method "held" does not come to its end."""
    file = tmp_path / "hold"
    file.touch()
    monkeypatch.setenv(HOLD, str(file))
    return file


def test_workers_killed_from_outside_cost_nothing_but_time(tmp_path: Path, hold: Path) -> None:
    """One SIGKILL at a worker in the middle of its work."""
    store = tmp_path / "labels"
    with running_build(store, "held", "--attempts", "3") as command:
        wait_for_labels(store, HELD, command)
        os.kill(children(command.pid)[0], signal.SIGKILL)
        hold.unlink()
        assert command.wait(timeout=LIMIT_S) == 0
    labels = list(read_labels(store))
    assert [label.seed for label in labels] == list(range(COUNT))
    assert all(label.solved for label in labels)
    assert len(load_manifest(store).incidents) == 1


def test_a_killed_build_loses_only_what_was_in_flight_and_leaves_no_worker(
    tmp_path: Path, hold: Path
) -> None:
    store = tmp_path / "labels"
    with running_build(store, "held") as command:
        wait_for_labels(store, HELD, command)
        workers = children(command.pid)
        command.kill()
        command.wait()
    kept = {label.seed: label.time_s for label in read_labels(store)}
    assert len(kept) == HELD
    wait_until_gone(workers)
    hold.unlink()
    resumed = build(store, "held")
    assert {seed: resumed[seed].time_s for seed in kept} == kept, "a label was made twice"
    assert not (store / JOURNAL).exists()


def test_a_stopped_worker_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stops itself, so that none is stopped while it starts: workers may take minutes to get ready."""
    monkeypatch.setenv(STOPPED, str(tmp_path / "stopped"))
    labels = build(tmp_path / "labels", "stops_once", timeout_s=3.0, attempts=3)
    assert (tmp_path / "stopped").exists()
    assert all(label.solved for label in labels.values())
    assert any("no answer within 3 s" in text for text in load_manifest(tmp_path / "labels").incidents)


WARM = """
from slicewright.kernel_cache import KernelCache
from slicewright.labels import Job
from slicewright.labels.executors.label_chunk import label_one, warm_up
from tests.labels.methods import SMALL

load, loaded = KernelCache.load_overload, []
KernelCache.load_overload = lambda cache, *call: loaded.append(cache._base) or load(cache, *call)
job = Job(SMALL, method="tests.labels.methods:sound")
warm_up(job.method)
assert loaded
loaded.clear()
assert all(label_one(job, seed).solved for seed in range(4))
print(*loaded)
"""


def test_no_label_pays_for_what_a_worker_has_to_load() -> None:
    """A limit of seconds would kill workers while they compile, and those after them, too."""
    command = [sys.executable, "-c", WARM]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert (ran.returncode, ran.stdout.split()) == (0, []), ran.stderr


@contextmanager
def running_build(folder: Path, method: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command line in a process of its own, ended whatever happens in the test."""
    command = [sys.executable, "-m", "slicewright", "labels", "build", str(folder), "--size", "2-6"]
    method = f"tests.labels.methods:{method}"
    with subprocess.Popen(
        [*command, "--count", str(COUNT), "--workers", "1", "--method", method, *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_labels(
    folder: Path, count: int, command: subprocess.Popen[bytes], limit_s: float = LIMIT_S
) -> None:
    """Until the journal holds so many."""
    give_up = time.monotonic() + limit_s
    while read_journal(folder).num_rows < count:
        assert command.poll() is None, "the build ended early"
        assert time.monotonic() < give_up, "no labels"
        time.sleep(0.05)


def children(pid: int) -> list[int]:
    """Processes that a process started."""
    return [int(x) for task in Path(f"/proc/{pid}/task").glob("*/children") for x in task.read_text().split()]


def wait_until_gone(pids: list[int], limit_s: float = LIMIT_S) -> None:
    """Until no process of these is left (or only as a zombie)."""
    give_up = time.monotonic() + limit_s
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < give_up, f"workers {pids} outlive their build"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
