"""One city of :mod:`benchmarks.city`, in a process of its own: seconds, costs, bounds and the peak of memory, as JSON.

``python -m benchmarks._city_size REGIME DEVICES ROUNDS DENSE SCIP_S``.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import slicewright as sw
from slicewright.slicing._kernels.problem import total_cost
from slicewright.slicing.city._kernels.problem import empty_state
from slicewright.slicing.city.bound import prove
from slicewright.slicing.city.certificate import load_kernels
from slicewright.slicing.city.pack import pack
from slicewright.slicing.city.search import construct, improve
from slicewright.slicing.city.whole_sets import tighten

Result = TypeVar("Result")


def measured(regime: str, devices: int, *, rounds: int, dense: bool, scip_s: float) -> dict[str, Any]:
    """Figures by name; a pair is seconds of wall time and of the processor.

    Args:
        regime: of the city.
        devices: how many.
        rounds: of the bound.
        dense: also plan and prove it with every node open to everybody.
        scip_s: also ask SCIP, for so long; not if 0.
    """
    load_kernels()
    said: dict[str, Any] = {}

    def timed(name: str, call: Callable[[], Result]) -> Result:
        wall, spent = time.perf_counter(), time.process_time()
        value = call()
        said[name] = (time.perf_counter() - wall, time.process_time() - spent)
        return value

    scenario = timed("draw", lambda: sw.preset(f"city/{regime}", devices=devices))
    said["drawn_gb"] = _peak_gb()

    def plain() -> float:
        problem = pack(scenario)
        state = empty_state(problem)
        improve(problem, state)
        return float(total_cost(problem, state))

    said["plain_cost"] = timed("plain", plain)
    problem = pack(scenario)
    state = timed("plan", lambda: construct(problem))
    proof = timed("prove", lambda: prove(problem, state, rounds=rounds))
    said["cost"], said["prices_bound"] = float(total_cost(problem, state)), proof.bound_s
    said["bound"] = timed("sets", lambda: tighten(problem, state, proof))
    said["peak_gb"] = _peak_gb()
    if dense:
        whole = scenario.with_(node_lists=None)
        _ = sw.plan(whole.with_(), rounds=0).lower_bound_s  # loads its kernels
        made = timed("dense", lambda: sw.plan(whole))
        said["dense_bound"] = timed("dense_prove", lambda: made.lower_bound_s)
        said["dense_cost"] = made.cost_s
    if scip_s > 0.0:
        made = timed(
            "scip",
            lambda: sw.plan(scenario.with_(node_lists=None), method="solver-cold", budget_s=scip_s),
        )
        said["scip_cost"], said["scip_bound"] = made.cost_s, made.lower_bound_s
    return said


def _peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    regime, devices, rounds, dense, scip_s = sys.argv[1:]
    print(
        json.dumps(
            measured(regime, int(devices), rounds=int(rounds), dense=dense == "True", scip_s=float(scip_s))
        )
    )
