"""Ways in which the formula is wrong, planners that know more or less of them, and what their plans cost in each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

import slicewright as sw
from slicewright.simulation import Arrivals, Disciplines, Distribution, Settings, Simulation, Walk, Walkers
from slicewright.simulation.in_force import part_of
from slicewright.slicing.correction import Correction, corrected_plan
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.plan import Plan
from slicewright.slicing.search import iterated_search
from slicewright.slicing.shares import Shares, optimal_shares, proportional_shares
from slicewright.types import FloatArray

PLANNERS = ("margins", "learned", "corrected", "corrected, told")
"""Beside the one that trusts the formula."""
DEVICES = 15
ROUNDS, ROUNDS_OF_A_TURN = 120, 10
TICK_S, WARM_UP_S, EPOCH_S = 5.0, 100.0, 60.0


@dataclass(frozen=True)
class Kind:
    """A way in which the formula is wrong.

    Attributes:
        name: what is wrong.
        settings: of the simulated network.
        speed_mps: of its devices; 0 for standing still.
        late: plans are made from what was measured an epoch ago.
        error: standard deviation of the logarithm of estimated over true rates.
        partial: each slice's manager plans for its own devices alone.
    """

    name: str
    settings: Settings = field(default_factory=Settings)
    speed_mps: float = 0.0
    late: bool = False
    error: float = 0.0
    partial: bool = False


KINDS = (
    Kind("a device's own uplink queue"),
    Kind("work is log-normal, variation 3", Settings(work=Distribution("lognormal", 3.0))),
    Kind("arrivals in bursts", Settings(arrivals=Arrivals("bursts"))),
    Kind("one queue for each node", Settings(disciplines=Disciplines("node"))),
    Kind("devices move between plans", speed_mps=5.0),
    Kind("measurements a minute old", speed_mps=5.0, late=True),
    Kind("rates differ from the estimate", error=0.5),
    Kind("managers see their own slice", partial=True),
)
Planner = Callable[[sw.Scenario, Kind], tuple[Decisions, FloatArray]]
"""Decisions, and the factors on sizes with which shares are worked out."""


def bursts_of(factor: float) -> Kind:
    """Bursts of so many times the mean rate."""
    return Kind("drift", Settings(arrivals=Arrivals("bursts", burst_factor=factor)))


def scenario_of(seed: int) -> sw.Scenario:
    """A small network of the published preset."""
    return sw.preset("paper-slicing", devices=DEVICES, seed=seed)


def _search(problem: sw.Scenario, start: Decisions | None, rounds: int = ROUNDS) -> Decisions:
    return iterated_search(problem, start=start, rounds=rounds)[0]


def trusting(problem: sw.Scenario, kind: Kind) -> tuple[Decisions, FloatArray]:
    """What the formula says."""
    return _search(problem, None), np.ones(problem.n_devices)


def with_margins(size: float, rate: float) -> Planner:
    """As if all tasks were larger and came more often."""

    def plan(problem: sw.Scenario, kind: Kind) -> tuple[Decisions, FloatArray]:
        wider = problem.with_(
            task_bits=problem.task_bits * size, arrival_rate_hz=problem.arrival_rate_hz * rate
        )
        return _search(wider, None), np.ones(problem.n_devices)

    return plan


def learned(weights: FloatArray) -> Planner:
    """As if each task were larger and came more often by factors that are functions of the device's features.

    Constant ones are margins, so that nothing is out of reach of a policy that margins can do.
    """

    def plan(problem: sw.Scenario, kind: Kind) -> tuple[Decisions, FloatArray]:
        rates = np.sort(np.asarray(problem.rate_bps), axis=1)
        best_s = problem.task_bits / rates[:, -1]
        near = np.asarray(problem.rate_bps).argmax(axis=1)
        beside = np.bincount(near, weights=np.sqrt(best_s), minlength=problem.n_access_points)[near]
        features = np.stack(
            [
                np.ones(problem.n_devices),
                np.log(problem.arrival_rate_hz * best_s) + 3.0,
                np.log(problem.arrival_rate_hz * problem.local_time_s),
                np.log(best_s / best_s.mean()),
                np.log(problem.arrival_rate_hz * np.sqrt(best_s) * beside) + 1.0,
                np.log(rates[:, -1] / rates[:, -2]) - 1.0,
            ]
        )
        size, rate = np.exp(np.clip(weights.reshape(2, -1) @ features, -1.5, 3.0))
        wider = problem.with_(
            task_bits=problem.task_bits * size, arrival_rate_hz=problem.arrival_rate_hz * rate
        )
        return _search(wider, None), size / size.mean()

    return plan


def corrected(problem: sw.Scenario, kind: Kind) -> tuple[Decisions, FloatArray]:
    """The formula with the uplink's queue in it."""
    return _corrected(problem, Correction.of(problem, kind.settings.arrivals, kind.settings.size))


def corrected_and_told(problem: sw.Scenario, kind: Kind) -> tuple[Decisions, FloatArray]:
    """The same, with what is known of the measurements: all of it can be measured, nothing is tuned."""
    correction = Correction.of(problem, kind.settings.arrivals, kind.settings.size)
    error = _drift_of_rates(kind) if kind.speed_mps else kind.error
    seen = 1.0 / problem.n_slices if kind.partial else 1.0
    return _corrected(*replace(correction, rate_error=error, seen=seen).believing(problem))


def corrected_for(told: Settings) -> Planner:
    """Corrected for arrivals that are not those of the network."""

    def plan(problem: sw.Scenario, kind: Kind) -> tuple[Decisions, FloatArray]:
        return corrected(problem, replace(kind, settings=told))

    return plan


def _corrected(problem: sw.Scenario, correction: Correction) -> tuple[Decisions, FloatArray]:
    """Four turns, of which each sets up a search of its own."""
    plan, _ = corrected_plan(problem, lambda p, start: _search(p, start, ROUNDS_OF_A_TURN), correction)
    return plan.decisions, correction.factor(problem.arrival_rate_hz * plan.times.transmit_s)


@cache
def _drift_of_rates(kind: Kind) -> float:
    """Standard deviation of the logarithm of rates at a plan's making over those while it is in force.

    As an operator would measure it: on the best access point of each device, half an epoch later, or one and a half.
    """
    changes = []
    for seed in range(1000, 1006):
        scenario = scenario_of(seed)
        run = _simulation(Plan(scenario, *_nobody(scenario)), kind, seed)
        seen: list[FloatArray] = []
        for _ in range(12):
            run.advance(run.now_s + EPOCH_S / 2)
            seen.append(np.asarray(run.scenario_now()[0].rate_bps))
        lag = 3 if kind.late else 1
        for before, after in zip(seen[:-lag], seen[lag:], strict=True):
            rows, best = np.arange(len(before)), before.argmax(axis=1)
            changes.append(np.log(before[rows, best] / after[rows, best]))
    return float(np.concatenate(changes).std())


def _nobody(scenario: sw.Scenario) -> tuple[Decisions, Shares]:
    return Decisions.all_local(scenario.n_devices), Shares.none(scenario)


def _simulation(plan: Plan, kind: Kind, seed: int) -> Simulation:
    movement = None
    if kind.speed_mps:
        speeds = (kind.speed_mps / 2, 2 * kind.speed_mps)
        movement = Walkers(plan.scenario, Walk(speed_mps=speeds), seed=seed)
    return Simulation(plan, replace(kind.settings, seed=seed, tick_s=TICK_S), movement=movement)


def _decided(kind: Kind, seen: sw.Scenario, planner: Planner) -> tuple[Decisions, Shares]:
    """Decisions of one planner, or of one for each slice; shares from what is seen."""
    if not kind.partial:
        decisions, factor = planner(seen, kind)
    else:
        columns = [np.full(seen.n_devices, -1) for _ in range(3)]
        factor = np.ones(seen.n_devices)
        for n in range(seen.n_slices):
            mine = np.arange(n, seen.n_devices, seen.n_slices)
            view = part_of(seen, mine, seen.rate_bps, seen.sites.device_m)
            only = np.zeros_like(view.node_capacity_hz)
            only[:, n] = view.node_capacity_hz[:, n]
            decisions, factor[mine] = planner(view.with_(node_capacity_hz=only), kind)
            for column, given in zip(
                columns, (decisions.access_point, decisions.node, decisions.slice), strict=True
            ):
                column[mine] = given
        decisions = Decisions.trusted(*columns)
    larger = seen.with_(task_bits=seen.task_bits * factor)
    return decisions, optimal_shares(larger, decisions) or proportional_shares(larger, decisions)


def measured_cost_s(
    scenario: sw.Scenario, kind: Kind, planner: Planner, horizon_s: float, seed: int
) -> float:
    """s. Sum over devices of mean completion times, from the tasks inside."""
    draw = np.random.default_rng([seed, 5])
    estimate = scenario
    if kind.error:
        wrong = np.exp(kind.error * draw.standard_normal(np.shape(scenario.rate_bps)))
        estimate = scenario.with_(rate_bps=np.asarray(scenario.rate_bps) * wrong, radio=None)
    run = _simulation(Plan(scenario, *_decided(kind, estimate, planner)), kind, seed)
    inside, samples = np.zeros(scenario.n_devices), 0

    def count(now: Simulation) -> None:
        nonlocal samples
        if now.now_s > WARM_UP_S:
            inside[:] += now.queues.inside().sum(axis=1)
            samples += 1

    seen = scenario
    while run.now_s < horizon_s:
        run.advance(min(horizon_s, run.now_s + (EPOCH_S if kind.speed_mps else horizon_s)), on_tick=count)
        if kind.speed_mps:
            now, _ = run.scenario_now()
            run.impose(*_decided(kind, seen if kind.late else now, planner))
            seen = now
    return float((inside / samples / scenario.arrival_rate_hz).sum())
