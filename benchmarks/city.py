"""Targets 10 and 11: a city's plan and its certificate from 100 devices on, beside best response and the dense planner.

Every size runs in a process of its own, so that the peak of memory is its own. Processor seconds are printed beside
wall seconds: on a machine with other work only they can be compared.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

SIZES = {"quick": (100, 1_000, 10_000, 100_000), "full": (100, 1_000, 10_000, 100_000, 1_000_000)}
REGIMES = ("paper", "balanced", "realistic")
LARGEST_OF_OTHER_REGIMES = {"quick": 10_000, "full": 100_000}
LARGEST_DENSE = 2_000
ROUNDS = {True: 60, False: 200}
"""Of the bound: in the regime of the publications, and where nodes are what costs."""
TARGETS = {10_000: (1.0, 1.0), 100_000: (10.0, 2.0), 1_000_000: (120.0, 12.0)}
"""Devices to wall seconds on two cores and GB, with 1 % proven."""

_MEASURE = """
import json, resource, sys, time
import slicewright as sw
from slicewright.slicing.city._kernels.problem import empty_state, total_cost
from slicewright.slicing.city.bound import prove
from slicewright.slicing.city.certificate import load_kernels
from slicewright.slicing.city.pack import pack
from slicewright.slicing.city.search import construct, improve
regime, devices, rounds, dense = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "True"
load_kernels()
said = {}
def timed(name, call):
    wall, spent = time.perf_counter(), time.process_time()
    value = call()
    said[name] = (time.perf_counter() - wall, time.process_time() - spent)
    return value
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
scenario = timed("draw", lambda: sw.preset(f"city/{regime}", devices=devices))
said["drawn_gb"] = peak()
def plain():
    problem = pack(scenario)
    state = empty_state(problem)
    improve(problem, state)
    return total_cost(problem, state)
said["plain_cost"] = timed("plain", plain)
problem = pack(scenario)
state = timed("plan", lambda: construct(problem))
proof = timed("prove", lambda: prove(problem, state, rounds=rounds))
said["cost"], said["bound"], said["peak_gb"] = total_cost(problem, state), proof.bound_s, peak()
if dense:
    whole = scenario.with_(node_lists=None)
    sw.plan(whole.with_(), rounds=0).lower_bound_s
    made = timed("dense", lambda: sw.plan(whole))
    said["dense_bound"] = timed("dense_prove", lambda: made.lower_bound_s)
    said["dense_cost"] = made.cost_s
print(json.dumps(said))
"""


def main(scale: str) -> None:
    """One table for each regime."""
    for regime in REGIMES:
        print(f"\n{regime}: seconds as wall (processor), two threads; gap of the plan to its own bound")
        print(
            f"{'devices':>9s} {'best response':>15s} {'cost above':>10s} {'plan':>15s} {'certificate':>15s} "
            f"{'proven':>8s} {'peak GB':>8s}   dense planner, every node open to everybody: plan, certificate, gap"
        )
        for devices in SIZES[scale]:
            if regime == "paper" or devices <= LARGEST_OF_OTHER_REGIMES[scale]:
                _print_line(devices, _measured(regime, devices), paper=regime == "paper")


def _measured(regime: str, devices: int) -> dict[str, Any]:
    arguments = [regime, str(devices), str(ROUNDS[regime == "paper"]), str(devices <= LARGEST_DENSE)]
    run = subprocess.run(
        [sys.executable, "-c", _MEASURE, *arguments], check=True, capture_output=True, text=True
    )
    said: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return said


def _print_line(devices: int, said: dict[str, Any], *, paper: bool) -> None:

    def seconds(name: str) -> str:
        return f"{said[name][0]:.2f} ({said[name][1]:.2f})"

    def gap(cost: float, bound: float) -> str:
        return f"{100 * (cost / bound - 1):.2f} %" if bound > 0 else "none"

    dense = ""
    if "dense" in said:
        proven = gap(said["dense_cost"], said["dense_bound"])
        dense = f"   {seconds('dense')}, {seconds('dense_prove')}, {proven}"
    above = f"{100 * (said['plain_cost'] / said['cost'] - 1):.2f} %"
    proven = gap(said["cost"], said["bound"])
    print(
        f"{devices:9d} {seconds('plain'):>15s} {above:>10s} {seconds('plan'):>15s} {seconds('prove'):>15s} "
        f"{proven:>8s} {said['peak_gb']:8.2f}{dense}{_verdict(devices, said) if paper else ''}",
        flush=True,
    )


def _verdict(devices: int, said: dict[str, Any]) -> str:
    """The target of a size, if it has one; processor seconds of two threads count half."""
    if devices not in TARGETS:
        return ""
    most_s, most_gb = TARGETS[devices]
    wall = said["plan"][0] + said["prove"][0]
    spent = (said["plan"][1] + said["prove"][1]) / 2
    met = min(wall, spent) <= most_s and said["cost"] <= 1.01 * said["bound"] and said["peak_gb"] <= most_gb
    return f"   target {most_s:g} s, 1 %, {most_gb:g} GB: {'met' if met else 'MISSED'} ({spent:.2f} s of two cores)"
