"""Building a store: hand out seeds, keep what comes back, record what does not, resume where the last build ended."""

from __future__ import annotations

import os
import shlex
import sys
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from slicewright.errors import InvalidOptionError
from slicewright.labels.executors.executor import Executor, Finished, Lost, Seeds
from slicewright.labels.label import Label
from slicewright.labels.methods import Job, method_of
from slicewright.labels.store.manifest import NAME, Manifest, here, installed, load_manifest
from slicewright.labels.store.shards import StoreWriter
from slicewright.labels.store.table import encode

EXECUTORS = ("processes", "ray")
LONGEST_CHUNK_S = 0.25
LARGEST_CHUNK = 64
LOST_MACHINES = 5
"""An instance that was out on so many machines that vanished is given up."""


@dataclass(frozen=True)
class Progress:
    """How far a build is.

    Attributes:
        done: labels in the store.
        failed: of these, those without a plan because the worker or the method failed.
        total: seeds asked for.
        resumed: labels that were there when the build began.
    """

    done: int
    failed: int
    total: int
    resumed: int


def build_labels(
    folder: str | Path,
    job: Job,
    *,
    count: int,
    first_seed: int = 0,
    executor: str = "processes",
    workers: int | None = None,
    address: str | None = None,
    timeout_s: float = 600.0,
    attempts: int = 1,
    shard_size: int = 1000,
    retry_failed: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> Manifest:
    """Label ``count`` instances into a folder, or finish what an earlier build in that folder left.

    Killing a build at any moment loses at most the instances in flight, and repeats none that are in the store.

    Args:
        folder: of the store; made if absent.
        job: recipe and method.
        count, first_seed: the seeds ``first_seed .. first_seed + count - 1``. A resumed build may ask for more.
        executor: ``processes`` on this machine, or ``ray`` on a Ray cluster.
        workers: chunks in work at a time; by default one per processor (of the cluster).
        address: of the Ray cluster; by default what the environment says, else a local one.
        timeout_s: s for one instance; a worker that takes longer is killed.
        attempts: how often an instance may cost its worker before it is recorded as failed.
        shard_size: labels per Parquet file.
        retry_failed: try again the instances that failed in an earlier build.
        on_progress: called whenever something came back.

    Raises:
        InvalidOptionError: an option is out of range, the folder holds labels of another job, or is being written.
        MissingExtraError: pyarrow or ray is not installed.
        WorkerError: no worker can be started.
    """
    for name, value in (("count", count), ("attempts", attempts), ("shard_size", shard_size)):
        if value < 1:
            raise InvalidOptionError(name, "must be a whole number of at least 1", value=value)
    if first_seed < 0:
        raise InvalidOptionError("first_seed", "must be a whole number of at least 0", value=first_seed)
    method_of(job)
    place = Path(folder)
    with StoreWriter(place, shard_size=shard_size) as store:
        known = store.begin(_manifest(place, job, first_seed, count), forget_failed=retry_failed)
        todo = [seed for seed in range(first_seed, first_seed + count) if seed not in known]
        if todo:
            run = _Run(store, job.method, deque(todo), attempts, len(known), on_progress)
            with _executor(executor, job, workers, address, timeout_s) as running:
                run.until_done(running)
        return store.finish()


def _manifest(folder: Path, job: Job, first_seed: int, count: int) -> Manifest:
    """The manifest to begin with; an older one in the folder must be of the same job."""
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    fresh = Manifest(job, (first_seed, count), command, installed(), here())
    if not (folder / NAME).is_file():
        return fresh
    older = load_manifest(folder)
    for name, have, want in (
        ("recipe", older.job.recipe.to_dict(), job.recipe.to_dict()),
        ("method", older.job.method, job.method),
        ("time_limit_s", older.job.time_limit_s, job.time_limit_s),
        ("rounds", older.job.rounds, job.rounds),
    ):
        if have != want:
            raise InvalidOptionError(name, f"is {have} in the store", value=want, fix="use another folder")
    first = min(first_seed, older.seeds[0])
    end = max(first_seed + count, sum(older.seeds))
    return fresh.with_(seeds=(first, end - first), incidents=older.incidents)


def _executor(kind: str, job: Job, workers: int | None, address: str | None, timeout_s: float) -> Executor:
    if kind not in EXECUTORS:
        raise InvalidOptionError("executor", f"must be one of {', '.join(EXECUTORS)}", value=kind)
    if not timeout_s > 0:
        raise InvalidOptionError("timeout_s", "must be a positive number of seconds", value=timeout_s)
    if workers is not None and workers < 1:
        raise InvalidOptionError("workers", "must be a whole number of at least 1", value=workers)
    if kind == "ray":
        from slicewright.labels.executors.ray_cluster import RayExecutor

        return RayExecutor(job, workers=workers, timeout_s=timeout_s, address=address)
    from slicewright.labels.executors.process_pool import ProcessExecutor

    return ProcessExecutor(job, workers=workers or os.cpu_count() or 1, timeout_s=timeout_s)


class _Run:
    """The seeds still to be labelled, and what became of those handed out."""

    def __init__(
        self,
        store: StoreWriter,
        method: str,
        todo: deque[int],
        attempts: int,
        known: int,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self.store, self.method, self.todo, self.attempts = store, method, todo, attempts
        self.on_progress = on_progress or (lambda progress: None)
        self.alone: deque[int] = deque()  # members of a lost chunk, tried one by one to find the culprit
        self.losses: Counter[tuple[int, bool]] = Counter()
        self.size = 1
        self.known, self.done, self.failed, self.total = known, known, 0, known + len(todo)

    def until_done(self, executor: Executor) -> None:
        """Keep every worker busy until every seed has its label."""
        self._tell()
        while self.done < self.total:
            while executor.free and (self.alone or self.todo):
                executor.submit(self._next())
            for event in executor.wait(1.0):
                if isinstance(event, Finished):
                    self._keep(event)
                else:
                    self._recover(event)
                self._tell()

    def _next(self) -> Seeds:
        if self.alone:
            return (self.alone.popleft(),)
        return tuple(self.todo.popleft() for _ in range(min(self.size, len(self.todo))))

    def _keep(self, event: Finished) -> None:
        self.store.append(event.batch, len(event.seeds))
        self.done += len(event.seeds)
        pace = event.time_s / len(event.seeds)
        self.size = max(1, min(2 * self.size, LARGEST_CHUNK, int(LONGEST_CHUNK_S / max(pace, 1e-9))))

    def _recover(self, event: Lost) -> None:
        """Try the members of a lost chunk one by one; an instance that loses its worker alone has failed."""
        self.store.note(f"{event.reason} (seeds {', '.join(map(str, event.seeds))})")
        if len(event.seeds) > 1:
            self.alone.extend(event.seeds)
            return
        (seed,) = event.seeds
        self.losses[seed, event.suspect] += 1
        if self.losses[seed, event.suspect] < (self.attempts if event.suspect else LOST_MACHINES):
            self.alone.append(seed)
            return
        label = Label(seed, "failed", self.method, reason=event.reason)
        self.store.append(encode([label]), 1)
        self.done += 1
        self.failed += 1

    def _tell(self) -> None:
        self.on_progress(Progress(self.done, self.failed, self.total, self.known))
