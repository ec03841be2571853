"""Target 1: the closed forms of SP1 and SP2 against Ipopt on the same decisions, same run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from slicewright.network import Scenario, preset
from slicewright.slicing import Decisions, Shares, evaluate, iterated_search, optimal_shares
from slicewright.slicing._kernels.shares import best_shares
from slicewright.slicing.compact import compact
from slicewright.slicing.published.ipopt_shares import ipopt_shares

FIRST_SEED = 1_000_000
DEVICES = (5, 10, 20, 30, 50)
REPEATS = 200
Result = TypeVar("Result")


@dataclass(frozen=True)
class Row:
    """One instance: seconds of each way and the relative difference in cost."""

    ipopt_s: float
    closed_s: float
    kernel_s: float
    difference: float


def main(scale: str) -> None:
    """Print one line per number of devices and queueing variant."""
    instances = 20 if scale == "full" else 4
    print(f"preset paper-slicing, decisions of a search, {instances} instances each")
    print(
        "devices  queueing | Ipopt      closed form  faster | packed     faster | greatest difference in cost"
    )
    for queueing in ("node", "device"):
        for devices in DEVICES:
            rows = [
                _measure(preset("paper-slicing", devices=devices, seed=FIRST_SEED + k, queueing=queueing))
                for k in range(instances)
            ]
            ipopt, closed, kernel = (
                float(np.mean([getattr(row, name) for row in rows]))
                for name in ("ipopt_s", "closed_s", "kernel_s")
            )
            worst = max(abs(row.difference) for row in rows)
            print(
                f"{devices:>7}  {queueing:<8} | {1e3 * ipopt:6.2f} ms  {1e6 * closed:6.1f} us  {ipopt / closed:6.0f}x"
                f" | {1e6 * kernel:6.2f} us {ipopt / kernel:6.0f}x | {worst:.1e}"
            )
    print("closed form: optimal_shares(); packed: the same on a scenario packed already, as search uses it")
    print("target 1: 1e-6 relative, 1,000 times faster at 50 devices")


def smoke() -> None:
    """One small instance."""
    print(_measure(preset("paper-slicing", devices=5, seed=FIRST_SEED)))


def _measure(scenario: Scenario) -> Row:
    decisions, _ = iterated_search(scenario, rounds=100)
    ipopt_s, reference = _timed(lambda: ipopt_shares(scenario, decisions), 1)
    closed_s, closed = _timed(lambda: optimal_shares(scenario, decisions), REPEATS)
    packed = compact(scenario).with_decisions(decisions)
    kernel_s, _ = _timed(lambda: best_shares(*packed), REPEATS)
    if reference.shares is None or closed is None:
        raise RuntimeError("one way found no feasible shares where the other has some")
    ratio = _cost(scenario, decisions, reference.shares) / _cost(scenario, decisions, closed)
    return Row(ipopt_s, closed_s, kernel_s, ratio - 1.0)


def _timed(work: Callable[[], Result], repeats: int) -> tuple[float, Result]:
    """Mean seconds of a repeated call, once it is warm, and what it returns."""
    result = work()
    began = time.perf_counter()
    for _ in range(repeats):
        result = work()
    return (time.perf_counter() - began) / repeats, result


def _cost(scenario: Scenario, decisions: Decisions, shares: Shares) -> float:
    return float(evaluate(scenario, decisions, shares)[0].completion_s.sum())
