"""A city in domains: one process and a Ray cluster of two nodes on this machine, one of which is killed half way.

Prints the joined plan's cost and proven gap beside the undivided plan's, processor seconds and bytes of the tasks, and
what a model of cost says for many machines: tasks end when the slowest of them does, what is sent passes one link.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import slicewright as sw
from slicewright.policies.slicing.domains_on_ray import RayRunner
from slicewright.slicing.city._kernels.problem import Problem, total_cost
from slicewright.slicing.city.bound import prove
from slicewright.slicing.city.certificate import load_kernels
from slicewright.slicing.city.domains import JoinedPlan, plan_by_domains
from slicewright.slicing.city.pack import pack
from slicewright.slicing.city.search import construct

DEVICES = {"quick": 5_000, "full": 1_000_000}
DOMAINS = {"quick": 4, "full": 16}
LINK_BYTES_PER_S = 1.25e8
"""1 Gbit/s between the coordinator and the others."""


def main(scale: str) -> None:
    """Undivided, in this process, on two nodes, and with one of them killed."""
    load_kernels()
    problem = pack(sw.preset("city/paper", devices=DEVICES[scale]))
    _undivided(problem)
    _show("one process", problem, DOMAINS[scale], None)
    _on_cluster(problem, DOMAINS[scale], kill=False)
    _on_cluster(problem, DOMAINS[scale], kill=True)


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


def _show(name: str, problem: Problem, domains: int, runner: Any) -> None:
    began, used = time.perf_counter(), time.process_time()
    joined = plan_by_domains(problem, domains, runner=runner)
    wall, here = time.perf_counter() - began, time.process_time() - used
    print(
        f"{name}: {domains} domains, {100 * joined.border.mean():.0f} % of devices at borders, "
        f"cost {joined.cost_s:.1f} s, "
        f"proven {100 * (joined.cost_s / joined.bound_s - 1):.2f} %, wall {wall:.1f} s, processor of tasks "
        f"{joined.spent_s.sum():.1f} s and of this process {here:.1f} s, {joined.sent_bytes / 1e6:.0f} MB sent",
        flush=True,
    )
    if runner is None:
        _predict(joined, here - float(joined.spent_s.sum()))


def _predict(joined: JoinedPlan, coordinator_s: float) -> None:
    """What so many workers would need: cutting, joining and reconciling stay with the coordinator."""
    told = []
    for workers in (1, 2, 4, 8, 100):
        loads = np.zeros(workers)
        for spent in np.sort(joined.spent_s)[::-1]:
            loads[loads.argmin()] += spent
        sent = joined.sent_bytes / LINK_BYTES_PER_S if workers > 1 else 0.0
        told.append(f"{workers}: {coordinator_s + loads.max() + sent:.1f}")
    print(f"  model, s by workers at 1 Gbit/s: {', '.join(told)}", flush=True)


def _on_cluster(problem: Problem, domains: int, *, kill: bool) -> None:
    import ray
    from ray.cluster_utils import Cluster

    cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        other = cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
        with RayRunner() as runner:
            used: Any = _Killing(runner, lambda: cluster.remove_node(other)) if kill else runner
            _show("two nodes, one killed half way" if kill else "two nodes", problem, domains, used)
    finally:
        ray.shutdown()
        cluster.shutdown()


class _Killing:
    """Runs tasks, and loses a node while the second batch is out."""

    def __init__(self, runner: RayRunner, kill: Callable[[], object]) -> None:
        self._runner, self._kill, self._batches = runner, kill, 0

    def run(self, work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """As the runner does."""
        self._batches += 1
        if self._batches == 2:
            threading.Timer(1.0, self._kill).start()
        return self._runner.run(work, arguments)
