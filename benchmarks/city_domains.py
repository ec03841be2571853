"""A city in domains: one process and a Ray cluster of two nodes on this machine, one of which is killed half way.

Prints the joined plan's cost and proven gap beside the undivided plan's, processor seconds and bytes of the tasks, and
what a model of cost says for many machines, beside what 1 to 8 workers took. The model: a batch of tasks ends when the
last of them does, each worker takes the next task when it is free, and what is sent passes one link.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

import slicewright as sw
from slicewright.policies.slicing.domains_on_ray import RayRunner
from slicewright.slicing._kernels.problem import total_cost
from slicewright.slicing.city._kernels.problem import Problem
from slicewright.slicing.city.bound import prove
from slicewright.slicing.city.certificate import load_kernels
from slicewright.slicing.city.domains import JoinedPlan, Runner, plan_by_domains
from slicewright.slicing.city.pack import pack
from slicewright.slicing.city.search import construct
from slicewright.types import FloatArray

DEVICES = {"quick": 5_000, "full": 1_000_000}
DOMAINS = {"quick": 4, "full": 16}
CHECKED = {"quick": 4_000, "full": 20_000}
"""Devices of the city on which the model is checked."""
WORKERS = (1, 2, 4, 8)
SLOWER = 8.0
"""Workers of that check rest so many times as long as they work, so that eight of them fit on two cores."""
KILL_IN_BATCH, KILL_AFTER_S = 4, 0.5
"""Of seven batches: plans, then three times prices and values."""
LINK_BYTES_PER_S = 1.25e8
"""1 Gbit/s between the coordinator and the others."""
STORE_BYTES = {"quick": 300_000_000, "full": 1_500_000_000}


def main(scale: str) -> None:
    """Undivided, in this process, on two nodes, with one of them killed, and the model against 1 to 8 workers."""
    load_kernels()
    compare(DEVICES[scale], DOMAINS[scale], STORE_BYTES[scale])
    check_model(CHECKED[scale], STORE_BYTES["quick"])


def compare(devices: int, domains: int, store_bytes: int) -> None:
    """The undivided plan, and the joined one where domains run here, on two nodes, and on one that is lost."""
    problem = pack(sw.preset("city/paper", devices=devices))
    print(f"{devices} devices", flush=True)
    _undivided(problem)
    joined, coordinator_s, _ = _show("one process", problem, domains, None)
    told = [f"{w}: {predicted_s(joined, coordinator_s, w):.1f}" for w in (*WORKERS, 100)]
    print(f"  model, s by workers with a core each at 1 Gbit/s: {', '.join(told)}", flush=True)
    with _cluster((1, 1), store_bytes) as (runner, _, _):
        _show("two nodes", problem, domains, runner)
    with _cluster((1, 1), store_bytes) as (runner, kill, alive):
        _show("two nodes, one killed half way", problem, domains, _Killing(runner, kill))
        print(f"  nodes alive afterwards: {alive()}", flush=True)


def check_model(devices: int, store_bytes: int) -> None:
    """What 1 to 8 workers took, each with its own core, as far as two cores can show: they rest between tasks."""
    problem = pack(sw.preset("city/paper", devices=devices))
    print(
        f"model against measurement, {devices} devices, 16 domains, workers {SLOWER:g} times slower:",
        flush=True,
    )
    for workers in WORKERS:
        with _cluster((workers,), store_bytes) as (runner, _, _):
            began, used = time.perf_counter(), time.process_time()
            joined = plan_by_domains(problem, 16, runner=_Slower(runner))
            wall, here = time.perf_counter() - began, time.process_time() - used
        said = predicted_s(joined, here, workers, slower=SLOWER, bytes_per_s=np.inf)
        print(
            f"  {workers} workers: {wall:.1f} s, model {said:.1f} s ({100 * (said / wall - 1):+.0f} %)",
            flush=True,
        )


def predicted_s(
    joined: JoinedPlan,
    coordinator_s: float,
    workers: int,
    *,
    slower: float = 0.0,
    bytes_per_s: float = LINK_BYTES_PER_S,
) -> float:
    """What so many workers would need: cutting, joining and reconciling stay with the coordinator."""
    tasks_s = sum(_makespan_s(batch * (1.0 + slower), workers) for batch in joined.spent_s)
    return coordinator_s + tasks_s + (joined.sent_bytes / bytes_per_s if workers > 1 else 0.0)


def _makespan_s(spent_s: FloatArray, workers: int) -> float:
    """Whoever is free takes the next task."""
    free_s = np.zeros(workers)
    for spent in spent_s:
        free_s[free_s.argmin()] += spent
    return float(free_s.max())


def _undivided(problem: Problem) -> None:
    began, used = time.perf_counter(), time.process_time()
    state = construct(problem)
    cost, bound = float(total_cost(problem, state)), prove(problem, state, rounds=120).bound_s
    print(
        f"undivided: cost {cost:.1f} s, proven {100 * (cost / bound - 1):.2f} %, "
        f"wall {time.perf_counter() - began:.1f} s, "
        f"processor {time.process_time() - used:.1f} s",
        flush=True,
    )


def _show(
    name: str, problem: Problem, domains: int, runner: Runner | None
) -> tuple[JoinedPlan, float, float]:
    """(The joined plan, processor seconds of the coordinator, wall seconds), which are printed."""
    began, used = time.perf_counter(), time.process_time()
    joined = plan_by_domains(problem, domains, runner=runner)
    wall, here = time.perf_counter() - began, time.process_time() - used
    coordinator_s = here - float(joined.spent_s.sum()) if runner is None else here
    print(
        f"{name}: {domains} domains, {100 * joined.border.mean():.0f} % of devices at borders, "
        f"cost {joined.cost_s:.1f} s, "
        f"proven {100 * (joined.cost_s / joined.bound_s - 1):.2f} %, wall {wall:.1f} s, processor of tasks "
        f"{joined.spent_s.sum():.1f} s and of the coordinator {coordinator_s:.1f} s, "
        f"{joined.sent_bytes / 1e6:.0f} MB sent",
        flush=True,
    )
    return joined, coordinator_s, wall


@contextmanager
def _cluster(
    cpus: Sequence[int], store_bytes: int
) -> Iterator[tuple[RayRunner, Callable[[], object], Callable[[], int]]]:
    """Nodes with so many workers each, that have loaded their kernels.

    Gives a runner, what kills the last node (its processes, without a word to anybody), and how many are alive.
    """
    import ray
    from ray.cluster_utils import Cluster

    own = {"include_dashboard": False, "object_store_memory": store_bytes}
    cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": cpus[0], **own})
    try:
        others = [cluster.add_node(num_cpus=count, object_store_memory=store_bytes) for count in cpus[1:]]
        ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
        with RayRunner() as runner:
            ready: set[int] = set()
            while len(ready) < sum(cpus):
                ready |= set(runner.run(_ready, [(k,) for k in range(sum(cpus))]))
            yield (
                runner,
                lambda: cluster.remove_node(others[-1], allow_graceful=False),
                lambda: sum(bool(node["Alive"]) for node in ray.nodes()),
            )
    finally:
        ray.shutdown()
        cluster.shutdown()


def _ready(number: int) -> int:
    """Process of a worker that has loaded its kernels; it takes long enough that every worker gets one."""
    load_kernels()
    time.sleep(1.0)
    return os.getpid()


class _Killing:
    """Runs tasks, and loses a node while a batch in the middle is out."""

    def __init__(self, runner: RayRunner, kill: Callable[[], object]) -> None:
        self._runner, self._kill, self._batches = runner, kill, 0

    def run(self, work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """As the runner does."""
        self._batches += 1
        if self._batches == KILL_IN_BATCH:
            threading.Timer(KILL_AFTER_S, self._kill).start()
        return self._runner.run(work, arguments)


class _Slower:
    """Runs tasks on workers that rest after each, in proportion to the work it was."""

    def __init__(self, runner: RayRunner) -> None:
        self._runner = runner

    def run(self, work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """As the runner does."""
        return self._runner.run(_resting, [(first, work, *rest) for first, *rest in arguments])


def _resting(first: Any, work: Callable[..., Any], *rest: Any) -> Any:
    began, used = time.perf_counter(), time.process_time()
    result = work(first, *rest)
    ends = began + (1.0 + SLOWER) * (time.process_time() - used)  # whatever else the machine did meanwhile
    time.sleep(max(0.0, ends - time.perf_counter()))
    return result
