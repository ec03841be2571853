"""Target 12: events among live devices, one by one: time, devices moved, and the plan against a full one afterwards."""

from __future__ import annotations

import time

import numpy as np

import slicewright as sw
from slicewright.slicing._kernels.problem import total_cost
from slicewright.slicing.city.bound import prove
from slicewright.slicing.city.device import Device
from slicewright.slicing.city.live import LiveCity
from slicewright.slicing.city.pack import pack
from slicewright.slicing.city.search import construct
from slicewright.slicing.judge import evaluate

SIZES = {"quick": (10_000,), "full": (10_000, 100_000)}
EVENTS = {"quick": 2_000, "full": 10_000}
REGIMES = ("paper", "balanced", "realistic")
WARM_EVENTS = 50
IDLE_EVERY, IDLE_S = 1_000, 2.0
"""Where there is idle time: after so many events, so long for the plan and as long for the bound."""
WORSE, MOVED = 0.005, 0.1
"""Of the target: than a full plan afterwards, and others per event."""


def main(scale: str) -> None:
    """One block for each regime and size: a quarter joins, a quarter leaves, half moves and changes."""
    for regime in REGIMES:
        for devices in SIZES[scale]:
            for idle in (False, True):
                _print_events(regime, devices, EVENTS[scale], idle=idle)


def smoke() -> None:
    """A small city for some events."""
    _print_events("paper", 60, 20, idle=True, idle_every=10)


def _print_events(
    regime: str, devices: int, events: int, *, idle: bool, idle_every: int = IDLE_EVERY
) -> None:
    city = sw.preset(f"city/{regime}", devices=devices)
    others = sw.preset(f"city/{regime}", devices=devices, hotspot_part=0.35)
    live, rng = LiveCity(city), np.random.default_rng(0)
    for _ in range(WARM_EVENTS):
        _happen(live, others, rng)
    live.moved, began_gap, idle_moves = 0, live.gap, 0
    took = []
    for k in range(1, events + 1):
        took.append(_happen(live, others, rng))
        if idle and k % idle_every == 0:
            idle_moves += live.improve_plan(budget_s=IDLE_S)
            live.improve_bound(budget_s=IDLE_S)
    wall, spent = np.array(took).T * 1e3
    told = [f"p50 {np.quantile(ms, 0.5):.3f}, p99 {np.quantile(ms, 0.99):.3f}" for ms in (wall, spent)]
    print(
        f"{regime}, {devices} devices, {events} events, "
        f"{f'{IDLE_S:g} s of idle time after every {idle_every}' if idle else 'no idle time'}: "
        f"ms wall {told[0]}; processor {told[1]}; "
        f"others moved per event {live.moved / events:.3f}, of them in idle time {idle_moves / events:.3f}"
    )
    snapshot = live.snapshot()
    times, violations = evaluate(snapshot, live.decisions(), live.shares())
    problem = pack(snapshot)
    full = construct(problem)
    cost = float(total_cost(problem, full))
    proven = prove(problem, full).bound_s
    print(
        f"  afterwards: feasible {violations.feasible}, judge's cost {times.completion_s.sum() / live.cost_s - 1:+.0e} "
        f"of the kept one, {100 * (live.cost_s / cost - 1):+.3f} % of a full plan's; gap kept {100 * live.gap:.2f} % "
        f"(before {100 * began_gap:.2f} %), of a full proof {100 * (cost / proven - 1):.2f} %",
        flush=True,
    )
    met = live.cost_s <= (1.0 + WORSE) * cost and live.moved <= MOVED * events
    print(f"  target {100 * WORSE:g} % worse, {MOVED:g} moved: {'met' if met else 'MISSED'}", flush=True)


def _happen(live: LiveCity, others: sw.Scenario, rng: np.random.Generator) -> tuple[float, float]:
    """One event: (wall s, processor s)."""
    here = np.flatnonzero(live.present)
    device = Device.of(others, int(rng.integers(others.n_devices)), factor=float(rng.uniform(0.7, 1.3)))
    someone, kind = int(rng.choice(here)), rng.integers(4)
    began, used = time.perf_counter(), time.thread_time()
    if kind == 0:
        live.join(device)
    elif kind == 1:
        live.leave(someone)
    else:
        live.change(someone, device)
    return time.perf_counter() - began, time.thread_time() - used
