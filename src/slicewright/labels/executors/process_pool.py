"""Workers on this machine: one process each, supervised over a connection each.

The end of a connection is the end of its worker, so a worker that the kernel kills is noticed at once; one that does
not answer in time is killed. Either way the chunk is reported lost and a new worker takes the place.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from types import TracebackType
from typing import IO, Self

from slicewright.errors import WorkerError
from slicewright.labels.executors.executor import Finished, Lost, Seeds
from slicewright.labels.executors.worker_process import READY
from slicewright.labels.methods import Job

logger = logging.getLogger(__name__)
START_LIMIT_S = 900.0
"""A worker that is not ready by then never will be; the first one on a machine compiles kernels."""
FAILED_STARTS = 3
"""So many workers in a row that die before they are ready end the run."""
LAST_WORDS_S = 5.0
"""Between the end of a connection and that of its process, which may still be writing why."""
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


@dataclass(eq=False)
class _Worker:
    """One process and what it is doing."""

    process: subprocess.Popen[bytes]
    connection: Connection[object, object]
    complaints: IO[bytes]
    since: float
    ready: bool = False
    seeds: Seeds = ()

    def end(self) -> str:
        """Make sure that the process is gone; returns how it went."""
        if self.process.poll() is None:
            try:
                self.process.wait(timeout=LAST_WORDS_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        code = self.process.wait()
        self.connection.close()
        self.complaints.seek(0)
        lines = self.complaints.read().decode(errors="replace").strip().splitlines()
        self.complaints.close()
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return how + (f": {lines[-1][:500]}" if lines and code > 0 else "")


class ProcessExecutor:
    """Worker processes on this machine.

    Args:
        job: what they do.
        workers: how many.
        timeout_s: s after which a worker that has not answered its chunk is killed.
    """

    def __init__(self, job: Job, *, workers: int, timeout_s: float) -> None:
        self.job, self.count, self.timeout_s = job, workers, timeout_s
        self._workers: list[_Worker] = []
        self._events: deque[Finished | Lost] = deque()
        self._failed_starts = 0

    def __enter__(self) -> Self:
        for _ in range(self.count):
            self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.process.kill()
            worker.end()
        self._workers.clear()

    @property
    def free(self) -> int:
        """Ready workers without a chunk."""
        return sum(worker.ready and not worker.seeds for worker in self._workers)

    @property
    def busy(self) -> int:
        """Workers with a chunk."""
        return sum(bool(worker.seeds) for worker in self._workers)

    def submit(self, seeds: Seeds) -> None:
        """Hand a chunk to a free worker."""
        worker = next(worker for worker in self._workers if worker.ready and not worker.seeds)
        worker.seeds, worker.since = seeds, time.monotonic()
        try:
            worker.connection.send(seeds)
        except OSError:  # it died while it was idle
            self._lose(worker, "")

    def wait(self, timeout_s: float) -> list[Finished | Lost]:
        """Collect answers, notice the dead, kill the silent."""
        if not self._events:
            self._listen(timeout_s)
        events = list(self._events)
        self._events.clear()
        return events

    def _listen(self, timeout_s: float) -> None:
        deadlines = [
            worker.since + self._limit(worker) for worker in self._workers if worker.seeds or not worker.ready
        ]
        patience = max(0.0, min([timeout_s, *(deadline - time.monotonic() for deadline in deadlines)]))
        heard = wait([worker.connection for worker in self._workers], patience)
        now = time.monotonic()
        for worker in list(self._workers):
            if worker.connection in heard:
                self._hear(worker, now)
            elif (worker.seeds or not worker.ready) and now - worker.since > self._limit(worker):
                worker.process.kill()
                self._lose(worker, f"no answer within {self._limit(worker):g} s")

    def _limit(self, worker: _Worker) -> float:
        return self.timeout_s if worker.ready else START_LIMIT_S

    def _hear(self, worker: _Worker, now: float) -> None:
        try:
            message = worker.connection.recv_bytes()
        except (EOFError, OSError):
            self._lose(worker, "")
            return
        if not worker.ready:
            worker.ready = message == READY
            self._failed_starts = 0
            return
        seeds, worker.seeds = worker.seeds, ()
        self._events.append(Finished(seeds, message, now - worker.since))

    def _lose(self, worker: _Worker, why: str) -> None:
        """A worker is gone: report its chunk, start another."""
        self._workers.remove(worker)
        how = worker.end()
        reason = why or f"the worker died: {how}"
        logger.info("%s (seeds %s)", reason, worker.seeds)
        if worker.seeds:
            self._events.append(Lost(worker.seeds, reason))
        elif not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= FAILED_STARTS:
                raise WorkerError(f"workers die before they are ready: {reason}")
        self._start()

    def _start(self) -> None:
        mine, theirs = Pipe()
        complaints = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        path = os.pathsep.join(entry for entry in sys.path if entry)
        process = subprocess.Popen(
            [sys.executable, "-m", "slicewright.labels.executors.worker_process", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            env={**os.environ, **_ONE_THREAD, "PYTHONPATH": path},
        )
        theirs.close()
        worker = _Worker(process, mine, complaints, time.monotonic())
        self._workers.append(worker)
        try:
            mine.send(self.job)
        except OSError:
            self._lose(worker, "")
