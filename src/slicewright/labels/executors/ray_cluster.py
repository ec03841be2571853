"""Workers on a Ray cluster: chunks are Ray tasks that Ray itself never retries, so that the build sees every loss."""

from __future__ import annotations

import logging
import time
from types import TracebackType
from typing import Any, Self

from slicewright.errors import MissingExtraError
from slicewright.labels.executors.executor import Finished, Lost, Seeds
from slicewright.labels.executors.label_chunk import label_chunk
from slicewright.labels.methods import Job
from slicewright.ray_cluster import join

logger = logging.getLogger(__name__)


class RayExecutor:
    """Worker processes on a Ray cluster.

    Args:
        job: what they do; slicewright must be installed on every node of the cluster.
        workers: chunks in work at a time; by default one per processor of the cluster, as many as it has now.
        timeout_s: s after which a chunk that has not come back is cancelled.
        address: of the cluster; by default what the environment says, else a local one for this run.

    Raises:
        MissingExtraError: ray is not installed.
    """

    def __init__(self, job: Job, *, workers: int | None, timeout_s: float, address: str | None) -> None:
        try:
            import ray
        except ImportError:
            raise MissingExtraError("the executor 'ray'", "ray") from None
        self._ray: Any = ray
        self.job, self.workers, self.timeout_s, self.address = job, workers, timeout_s, address
        self._out: dict[Any, tuple[Seeds, float]] = {}
        self._mine = False

    def __enter__(self) -> Self:
        self._mine = join(self._ray, self.address)
        self._job = self._ray.put(self.job)
        options = {"num_cpus": 1, "max_retries": 0, "max_calls": 0}
        self._label = self._ray.remote(**options)(label_chunk)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for reference in self._out:
            self._ray.cancel(reference, force=True)
        self._out.clear()
        if self._mine:
            self._ray.shutdown()

    @property
    def free(self) -> int:
        """How many more chunks the cluster, as large as it is now, can work on."""
        size = self.workers or int(self._ray.cluster_resources().get("CPU", 0))
        return max(0, size - len(self._out))

    @property
    def busy(self) -> int:
        """Chunks that are out."""
        return len(self._out)

    def submit(self, seeds: Seeds) -> None:
        """Hand out a chunk."""
        self._out[self._label.remote(self._job, seeds)] = (seeds, time.monotonic())

    def wait(self, timeout_s: float) -> list[Finished | Lost]:
        """Collect chunks that came back, notice those whose worker or node is gone, cancel the silent."""
        if not self._out:
            time.sleep(min(timeout_s, 0.1))  # a cluster without processors at the moment
            return []
        now = time.monotonic()
        oldest = min(since for _, since in self._out.values())
        patience = max(0.01, min(timeout_s, oldest + self.timeout_s - now))
        back, _ = self._ray.wait(list(self._out), num_returns=1, timeout=patience)
        if back:  # whatever else has arrived meanwhile
            back, _ = self._ray.wait(list(self._out), num_returns=len(self._out), timeout=0)
        events = [self._collect(reference) for reference in back]
        now = time.monotonic()
        for reference, (seeds, since) in list(self._out.items()):
            if now - since > self.timeout_s:
                self._ray.cancel(reference, force=True)
                del self._out[reference]
                events.append(Lost(seeds, f"no answer within {self.timeout_s:g} s"))
        return events

    def _collect(self, reference: Any) -> Finished | Lost:
        seeds, since = self._out.pop(reference)
        errors = self._ray.exceptions
        try:
            return Finished(seeds, self._ray.get(reference), time.monotonic() - since)
        except (errors.NodeDiedError, errors.ObjectLostError, errors.OwnerDiedError) as gone:
            return Lost(seeds, _sentence("its node is gone", gone), suspect=False)
        except errors.WorkerCrashedError as died:
            return Lost(seeds, _sentence("the worker died", died))
        except errors.RayError as failed:
            return Lost(seeds, _sentence("the task failed", failed))


def _sentence(what: str, error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{what}: {lines[-1][:500]}" if lines else what
