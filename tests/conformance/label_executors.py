"""What every label executor promises: each chunk comes back once, or is reported lost once, and nothing stays behind.

``python -m tests.conformance.label_executors ray`` checks one in a process of its own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import count

from slicewright.labels import Job, Recipe
from slicewright.labels.executors.executor import Executor, Finished, Lost
from slicewright.labels.executors.label_chunk import label_chunk
from slicewright.labels.executors.process_pool import ProcessExecutor
from slicewright.labels.executors.ray_cluster import RayExecutor
from slicewright.labels.store.table import arrow, schema
from tests.labels.methods import UNLUCKY

WORKERS = 2
LIMIT_S = 240.0
"""Nothing here takes longer on any machine; it ends a test that would wait for ever."""
ON_RAY = {"RAY_AUTH_MODE": "disabled", "RAY_worker_niceness": "0"}
"""Environment of tests on Ray: no token stays in the home folder, and workers do not stand back behind other tests."""
Make = Callable[[Job, float], Executor]
"""An executor of two workers from a job and the s after which a silent chunk is lost."""
PATIENT = 3.0
"""A chunk is lost after so many times what the first ones took, workers' start included: machines may be busy."""
EXECUTORS: dict[str, Make] = {
    "processes": lambda job, timeout_s: ProcessExecutor(job, workers=WORKERS, timeout_s=timeout_s),
    "ray": lambda job, timeout_s: RayExecutor(job, workers=WORKERS, timeout_s=timeout_s, address="local"),
}


def check_executor(name: str) -> None:
    """Fail with the first promise that the executor breaks."""
    make = EXECUTORS[name]
    took_s = _check_answers(make)
    with _one_cluster() if name == "ray" else nullcontext():
        for method in ("breaks", "dies"):
            _check_loss(make, method, timeout_s=LIMIT_S)
        _check_loss(make, "hangs", timeout_s=max(10.0, PATIENT * took_s))


@contextmanager
def _one_cluster() -> Iterator[None]:
    """For several executors: the first one has shown that each can start and end its own, which takes seconds."""
    import ray

    ray.init(address="local", log_to_driver=False, configure_logging=False, include_dashboard=False)
    try:
        yield
    finally:
        ray.shutdown()


def _job(method: str) -> Job:
    return Job(Recipe(devices=(2, 4)), method=f"tests.labels.methods:{method}")


def _run(
    executor: Executor, chunks: list[tuple[int, ...]], limit_s: float = LIMIT_S
) -> list[Finished | Lost]:
    """Hand out every chunk as workers become free, until all have come back or are lost."""
    events: list[Finished | Lost] = []
    waiting, end = list(chunks), time.monotonic() + limit_s
    for _ in count():
        while waiting and executor.free:
            free, busy = executor.free, executor.busy
            executor.submit(waiting.pop(0))
            assert executor.busy == busy + 1 and executor.free == free - 1, "a chunk takes one worker"
        assert executor.busy <= WORKERS
        events += executor.wait(0.5)
        if len(events) == len(chunks):
            break
        assert time.monotonic() < end, f"{len(events)} of {len(chunks)} chunks came back"
    assert executor.busy == 0
    assert sorted(event.seeds for event in events) == sorted(chunks), "each once"
    return events


def _check_answers(make: Make) -> float:
    """Labels are those that this process would have made, whoever made them and in whatever chunks.

    Returns:
        s that the first chunks took, from the start of the workers on, on this machine at this moment.
    """
    job, chunks = _job("sound"), [(0,), (1, 2), (3, 4, 5), (6,)]
    with make(job, LIMIT_S) as executor:
        began = time.monotonic()
        assert executor.wait(0.01) == [], "nothing out, nothing back"
        events = _run(executor, chunks)
        took = time.monotonic() - began
        again = _run(executor, chunks[:2])
    for event in [*events, *again]:
        assert isinstance(event, Finished), event
        assert 0 <= event.time_s <= took + LIMIT_S
        mine = _decisions(label_chunk(job, event.seeds))
        assert _decisions(event.batch) == mine
    return took


def _decisions(batch: bytes) -> list[dict[str, object]]:
    """What is said of each seed; times differ."""
    pa = arrow()
    rows = pa.ipc.read_record_batch(pa.py_buffer(batch), schema()).to_pylist()
    return [{name: value for name, value in row.items() if name != "time_s"} for row in rows]


def _check_loss(make: Make, method: str, *, timeout_s: float) -> None:
    """An instance that kills, breaks or stops its worker costs its own chunk; the others come back."""
    chunks: list[tuple[int, ...]] = [
        (UNLUCKY - 2,),
        (UNLUCKY - 1,),
        (UNLUCKY,),
        (UNLUCKY + 1,),
        (UNLUCKY + 2,),
    ]
    with make(_job(method), timeout_s) as executor:
        events = {event.seeds: event for event in _run(executor, chunks, LIMIT_S + timeout_s)}
    lost = events.pop((UNLUCKY,))
    assert isinstance(lost, Lost), method
    assert lost.suspect and lost.reason and "\n" not in lost.reason
    assert all(isinstance(event, Finished) for event in events.values()), f"{method}: {events}"


if __name__ == "__main__":
    check_executor(sys.argv[1])
