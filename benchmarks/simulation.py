"""Targets 13 and 14: moving devices, queue events, an hour of 1,000 devices on one core; M/M/1 queues up to load 0.95.

A queue event is a task that arrives, reaches its node, or is done: three for each task. A user step is a device that
moves for a second and has the rates of its 8 nearest access points measured. Beside them, in the same run, a list of
events in Python.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable

import numpy as np

import slicewright as sw
from slicewright.errors import MissingExtraError
from slicewright.simulation import (
    Air,
    Arrivals,
    Disciplines,
    Distribution,
    Settings,
    Simulation,
    TaskQueues,
    Walk,
    Walkers,
)
from slicewright.simulation._kernels.state import Grants
from slicewright.simulation.movement.links import Links
from slicewright.simulation.movement.mobility import MODELS
from slicewright.simulation.tasks.demand import packed_demand
from slicewright.simulation.validation import CASES, validate

DEVICES = 1000
STEPS_TARGET, EVENTS_TARGET, HOUR_TARGET_S = 3e6, 30e6, 10.0


def main(scale: str) -> None:
    """Print the three figures of the target and what they stand beside."""
    scenario = sw.preset(
        "paper-slicing",
        devices=DEVICES,
        seed=0,
        access_points=30,
        coins=90,
        mecs=10,
        local_capacity_hz=(2e8, 2e8),
    )
    repeats = 5 if scale == "full" else 3
    _print_steps(scenario, repeats)
    _print_events(scenario, repeats)
    _print_copies(repeats)
    _print_hour(scenario, 3600.0 if scale == "full" else 600.0)
    _print_mm1(0.0025 if scale == "full" else 0.005)


def smoke() -> None:
    """A small network for some seconds, and queues at wide intervals."""
    scenario = sw.preset("paper-slicing", devices=10, seed=0)
    _print_hour(scenario, 10.0)
    _print_mm1(0.3)


def _best(function: Callable[[], float], repeats: int) -> float:
    """The fastest rate of several: what the machine can do when nobody else uses it."""
    function()
    return max(function() for _ in range(repeats))


def _verdict(have: float, target: float) -> str:
    return f"target {target / 1e6:g}: {'met' if have >= target else 'MISSED'}"


def _print_steps(scenario: sw.Scenario, repeats: int) -> None:
    print("mobility, 1,000 devices, 8 candidate links each, million user steps a second")
    cases = [(model, Air()) for model in MODELS]
    cases += [("waypoint", Air(shadowing_db=6.0)), ("waypoint", Air(shadowing_db=6.0, fading=True))]
    for model, air in cases:
        walkers = Walkers(scenario, Walk(model), seed=0)
        links = Links(scenario, air, seed=0)

        def run(walkers: Walkers = walkers, links: Links = links) -> float:
            began = time.process_time()
            for k in range(200):
                walkers.step(float(k), 1.0)
                links.measure(np.ascontiguousarray(walkers.position_m))
            return 200 * DEVICES / (time.process_time() - began)

        rate = _best(run, repeats)
        name = model + (", shadowing" if air.shadowing_db else "") + (", fading" if air.fading else "")
        verdict = "" if air.shadowing_db else _verdict(rate, STEPS_TARGET)
        print(f"  {name:28s} {rate / 1e6:6.2f}   {verdict}")


def _print_events(scenario: sw.Scenario, repeats: int) -> None:
    print("queue events, 1,000 devices, million a second")
    for servers, uplink_queue, sharing in (
        ("share", True, 1),
        ("share", False, 1),
        ("node", True, 10),
        ("node", False, 10),
    ):
        demand = packed_demand(
            scenario, arrivals=Arrivals(), size=Distribution("fixed"), work=Distribution()
        )._replace(arrival_hz=np.full(DEVICES, 0.8))
        grants = Grants(
            np.full(DEVICES, 2.0),
            np.arange(DEVICES) // sharing,
            np.full(DEVICES, float(sharing)),
            np.ones(DEVICES),
            np.zeros(DEVICES, dtype=np.int64),
        )
        rules = Disciplines("share" if servers == "share" else "node", uplink_queue)
        queues = TaskQueues(demand, grants, rules, n_servers=DEVICES, seed=0)

        def run(queues: TaskQueues = queues) -> float:
            began, done = time.process_time(), 0
            for part in queues.pieces(queues.now_s + 1000.0):
                done += len(part)
            return 3 * done / (time.process_time() - began)

        rate = _best(run, repeats)
        name = ("a queue for each share" if sharing == 1 else "one queue for 10 devices") + (
            ", uplink queue" if uplink_queue else ", no uplink queue"
        )
        print(f"  {name:42s} {rate / 1e6:6.1f}   {_verdict(rate, EVENTS_TARGET)}")
    print(f"  {'a list of events in Python, M/M/1':42s} {_best(_event_list, 1) / 1e6:6.2f}")


def _print_copies(repeats: int) -> None:
    """Environments side by side: what a copy costs when it is one of many, and alone."""
    try:
        from slicewright.simulation.environments import OffloadingEnv, OffloadingVectorEnv
        from slicewright.simulation.environments.epochs import choice_of
    except MissingExtraError as error:
        print(f"environments not measured: {error}")
        return
    small = sw.preset("paper-slicing", devices=10, seed=0)
    choice = choice_of(small, sw.plan(small, rounds=50).decisions)
    print("environments, 10 devices, an epoch of 10 s: steps a second (device seconds a second, million)")
    for copies in (1, 64, 1024, 4096):
        many = OffloadingVectorEnv(small, copies=copies, horizon_s=1e6)
        many.reset(seed=0)
        action = np.tile(choice, (copies, 1))

        def run(many: OffloadingVectorEnv = many, action: np.ndarray = action, copies: int = copies) -> float:
            began, steps = time.process_time(), max(2, 2000 // copies)
            for _ in range(steps):
                many.step(action)
            return steps * copies / (time.process_time() - began)

        rate = _best(run, repeats)
        print(f"  {copies:5d} copies in one call   {rate:12,.0f}   ({rate * 100 / 1e6:.2f})")
    env = OffloadingEnv(small, horizon_s=1e6)
    env.reset(seed=0)

    def run_one() -> float:
        began = time.process_time()
        for _ in range(30):
            env.step(choice)
        return 30 / (time.process_time() - began)

    print(f"      one, OffloadingEnv    {_best(run_one, repeats):12,.0f}")


def _event_list() -> float:
    """Events a second of the plain way: a heap, one M/M/1 queue."""
    draw = np.random.default_rng(0)
    between, work = draw.exponential(1.25, 100_000).tolist(), draw.exponential(1.0, 100_000).tolist()
    began = time.process_time()
    events, waiting, now, count, served = [(between[0], 0)], 0, 0.0, 0, 0
    while events:
        now, kind = heapq.heappop(events)
        count += 1
        if kind == 0:
            served += 1
            if served < len(between):
                heapq.heappush(events, (now + between[served], 0))
            waiting += 1
            if waiting == 1:
                heapq.heappush(events, (now + work[served - 1], 1))
        else:
            waiting -= 1
            if waiting:
                heapq.heappush(events, (now + work[served - 1], 1))
    return count / (time.process_time() - began)


def _print_hour(scenario: sw.Scenario, horizon_s: float) -> None:
    plan = sw.plan(scenario, method="greedy")
    print(f"1,000 devices under one plan, s of one core for an hour (measured over {horizon_s / 60:.0f} min)")
    for name, air in (
        ("walking", Air()),
        ("walking, shadowing and fading", Air(shadowing_db=6.0, fading=True)),
    ):
        for moving in (False, True) if air.shadowing_db == 0 else (True,):
            movement = Walkers(scenario, Walk(), seed=0) if moving else None
            run = Simulation(plan, Settings(air=air), movement=movement)
            for _ in run.pieces(2.0):
                pass
            began, tasks = time.process_time(), 0
            for part in run.pieces(2.0 + horizon_s):
                tasks += len(part)
            spent = (time.process_time() - began) * 3600.0 / horizon_s
            verdict = "met" if spent <= HOUR_TARGET_S else "MISSED"
            label = name if moving else "standing still"
            print(
                f"  {label:32s} {spent:6.2f}   target {HOUR_TARGET_S:g}: {verdict}   "
                f"({tasks:,} tasks, {run.counts.handovers:,} handovers)"
            )


def _print_mm1(precision: float) -> None:
    print("mean sojourn times against 1 / (mu - lambda), % (95 % interval)")
    for case in CASES[:2]:
        rows = validate(precision=precision, cases=(case,))
        worst = max(abs(row.exact_error) for row in rows)
        print(f"  {case.name}")
        for row in rows:
            width = 100 * row.half_width_s / row.exact_s
            print(
                f"    load {row.load:4.2f}  {100 * row.exact_error:+.2f} ({width:.2f})   {row.tasks:,} tasks"
            )
        print(f"    worst {100 * worst:.2f}   target 1: {'met' if worst <= 0.01 else 'MISSED'}")
