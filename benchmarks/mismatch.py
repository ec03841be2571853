"""What learning is for: where the formula is wrong, what beats the planner that trusts it, at equal decision time?

Eight ways to be wrong. Four planners of about equal time, which is printed: one trusts the formula; one has margins
on sizes and on arrivals, the best of a grid for each way; one has factors on every device's size, a function of its
features with weights trained on simulated outcomes by the cross-entropy method, for each way; one corrects the
formula by theory alone (``slicewright.simulation.correction``). Margins and weights are tuned on the same
scenarios, all are held against each other on others. Cost is measured as the sum over devices of their mean
completion time, by Little's law from the tasks inside, so that tasks which never finish count.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import stats

import slicewright as sw
from slicewright.simulation import Arrivals, Disciplines, Distribution, Settings, Simulation, Walk, Walkers
from slicewright.simulation.correction import Correction, corrected_plan
from slicewright.simulation.in_force import part_of
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.plan import Plan
from slicewright.slicing.search import iterated_search
from slicewright.slicing.shares import Shares, optimal_shares, proportional_shares
from slicewright.types import FloatArray

ROUNDS, ROUNDS_OF_A_TURN = 120, 10
PERIODS = 6
TICK_S, WARM_UP_S, EPOCH_S = 5.0, 100.0, 60.0
Planner = Callable[[sw.Scenario, Settings], tuple[Decisions, FloatArray]]
"""Decisions, and the factors on sizes with which shares are worked out."""


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
    Kind("work is log-normal", Settings(work=Distribution("lognormal", 3.0))),
    Kind("arrivals in bursts", Settings(arrivals=Arrivals("bursts"))),
    Kind("one queue for each node", Settings(disciplines=Disciplines("node"))),
    Kind("devices move between plans", speed_mps=5.0),
    Kind("measurements a minute old", speed_mps=5.0, late=True),
    Kind("rates differ from the estimate", error=0.5),
    Kind("managers see their own slice", partial=True),
)


def main(scale: str) -> None:
    """Print a row for each way to be wrong: cost against the formula's planner, with intervals."""
    full = scale == "full"
    train, test = (12, 60) if full else (8, 30)
    horizon_s, effort = (1800.0, (10, 16)) if full else (700.0, (6, 12))
    print(
        f"measured system cost over that of the planner that trusts the formula, {test} scenarios of 15 devices,"
    )
    print(f"mean and 95 % interval; tuned on {train} others")
    print(f"  {'what is wrong':34s}{'margins':>18s}{'learned':>18s}{'corrected':>18s}   decision, ms")
    for kind in KINDS:
        _print_kind(kind, train, test, horizon_s, effort)
    _print_drift(train, test, horizon_s, effort)


def _print_kind(kind: Kind, train: int, test: int, horizon_s: float, effort: tuple[int, int]) -> None:
    tuned_on = [_scenario(1000 + k) for k in range(train)]
    held_out = [_scenario(k) for k in range(test)]

    def costs(planner: Planner, scenarios: list[sw.Scenario]) -> FloatArray:
        return np.array([measured_cost_s(s, kind, planner, horizon_s, k) for k, s in enumerate(scenarios)])

    base = costs(trusting, tuned_on)
    grid = [(size, rate) for size in (1.0, 1.5, 2.0, 3.0) for rate in (1.0, 1.5)]
    margin = min(grid, key=lambda pair: float((costs(with_margins(*pair), tuned_on) / base).mean()))
    weights = _train(lambda w: float((costs(learned(w), tuned_on) / base).mean()), *effort)
    planners = {
        "trusting": trusting,
        "margins": with_margins(*margin),
        "learned": learned(weights),
        "corrected": corrected,
    }
    found, spent = {}, {}
    for name, planner in planners.items():
        found[name] = costs(planner, held_out)
        spent[name] = _decision_ms(planner, kind, held_out[0])
    cells = ""
    for name in ("margins", "learned", "corrected"):
        ratio = found[name] / found["trusting"]
        width = float(stats.t.ppf(0.975, test - 1) * ratio.std(ddof=1) / np.sqrt(test))
        cells += f"{ratio.mean():10.3f} ± {width:.3f}"
    times = " / ".join(f"{spent[name]:.1f}" for name in planners)
    print(f"  {kind.name:34s}{cells}   {times}   margins {margin[0]:g}, {margin[1]:g}", flush=True)


def _print_drift(train: int, test: int, horizon_s: float, effort: tuple[int, int]) -> None:
    """Arrivals that become burstier from period to period: does a policy that goes on learning follow?

    It may learn from a period only when that is over: one more generation on what was simulated then.
    """
    tuned_on = [_scenario(1000 + k) for k in range(train)]
    held_out = [_scenario(k) for k in range(test)]
    factors = np.linspace(1.0, 5.0, PERIODS)
    kinds = [Kind("drift", Settings(arrivals=Arrivals("bursts", burst_factor=float(f)))) for f in factors]

    def costs(planner: Planner, kind: Kind, scenarios: list[sw.Scenario]) -> FloatArray:
        return np.array([measured_cost_s(s, kind, planner, horizon_s, k) for k, s in enumerate(scenarios)])

    def score(kind: Kind) -> Callable[[FloatArray], float]:
        base = costs(trusting, kind, tuned_on)
        return lambda w: float((costs(learned(w), kind, tuned_on) / base).mean())

    first = _train(score(kinds[0]), *effort)
    before = kinds[0].settings
    draw, mean, width = np.random.default_rng(1), first, np.array([0.5, 0.3, 0.2, 0.2])
    ratios: dict[str, list[FloatArray]] = {}
    for kind, last in zip(kinds, [kinds[0], *kinds[:-1]], strict=True):
        if kind is not last:
            samples = np.vstack([mean, mean + width * draw.standard_normal((effort[1], 4))])
            of_last = score(last)
            mean = samples[np.argsort([of_last(w) for w in samples])[:3]].mean(axis=0)
        base = costs(trusting, kind, held_out)
        planners: dict[str, Planner] = {
            "learned once": learned(first),
            "learning on": learned(mean),
            "corrected, as at first": corrected_for(before),
            "corrected, last period's bursts": corrected_for(last.settings),
        }
        for name, planner in planners.items():
            ratios.setdefault(name, []).append(costs(planner, kind, held_out) / base)
    print(
        f"bursts grow from 1 to 5 times the mean rate in {PERIODS} periods: cost over the trusting planner's"
    )
    for name, found in ratios.items():
        overall = np.mean(found, axis=0)
        half = float(stats.t.ppf(0.975, test - 1) * overall.std(ddof=1) / np.sqrt(test))
        by_period = " ".join(f"{r.mean():.3f}" for r in found)
        print(f"  {name:34s}{overall.mean():10.3f} ± {half:.3f}   by period {by_period}", flush=True)


def _scenario(seed: int) -> sw.Scenario:
    return sw.preset("paper-slicing", devices=15, seed=seed)


def _search(problem: sw.Scenario, start: Decisions | None, rounds: int = ROUNDS) -> Decisions:
    return iterated_search(problem, start=start, rounds=rounds)[0]


def trusting(problem: sw.Scenario, settings: Settings) -> tuple[Decisions, FloatArray]:
    """What the formula says."""
    return _search(problem, None), np.ones(problem.n_devices)


def with_margins(size: float, rate: float) -> Planner:
    """As if all tasks were larger and came more often."""

    def plan(problem: sw.Scenario, settings: Settings) -> tuple[Decisions, FloatArray]:
        wider = problem.with_(
            task_bits=problem.task_bits * size, arrival_rate_hz=problem.arrival_rate_hz * rate
        )
        return _search(wider, None), np.ones(problem.n_devices)

    return plan


def learned(weights: FloatArray) -> Planner:
    """As if each task were larger by a factor that a linear function of the device's features gives."""

    def plan(problem: sw.Scenario, settings: Settings) -> tuple[Decisions, FloatArray]:
        best_s = problem.task_bits / np.asarray(problem.rate_bps).max(axis=1)
        features = np.stack(
            [
                np.ones(problem.n_devices),
                np.log(problem.arrival_rate_hz * best_s) + 3.0,
                np.log(problem.arrival_rate_hz * problem.local_time_s),
                np.log(best_s / best_s.mean()),
            ]
        )
        factor = np.exp(np.clip(weights @ features, -1.5, 3.0))
        return _search(problem.with_(task_bits=problem.task_bits * factor), None), factor

    return plan


def corrected(problem: sw.Scenario, settings: Settings) -> tuple[Decisions, FloatArray]:
    """The formula with the uplink's queue in it; four turns, of which each sets up a search of its own."""
    correction = Correction.of(problem, settings.arrivals, settings.size)
    plan, _ = corrected_plan(problem, lambda p, start: _search(p, start, ROUNDS_OF_A_TURN), correction)
    return plan.decisions, correction.factor(problem.arrival_rate_hz * plan.times.transmit_s)


def corrected_for(told: Settings) -> Planner:
    """Corrected for arrivals that are not those of the network."""

    def plan(problem: sw.Scenario, settings: Settings) -> tuple[Decisions, FloatArray]:
        return corrected(problem, told)

    return plan


def _decided(
    kind: Kind, seen: sw.Scenario, planner: Planner, scenario: sw.Scenario
) -> tuple[Decisions, Shares]:
    """Decisions of one planner, or of one for each slice; shares from what is seen."""
    if not kind.partial:
        decisions, factor = planner(seen, kind.settings)
    else:
        columns = [np.full(seen.n_devices, -1) for _ in range(3)]
        factor = np.ones(seen.n_devices)
        for n in range(seen.n_slices):
            mine = np.arange(n, seen.n_devices, seen.n_slices)
            view = part_of(seen, mine, seen.rate_bps, seen.sites.device_m)
            only = np.zeros_like(view.node_capacity_hz)
            only[:, n] = view.node_capacity_hz[:, n]
            decisions, factor[mine] = planner(view.with_(node_capacity_hz=only), kind.settings)
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
    decisions, shares = _decided(kind, estimate, planner, scenario)
    settings = replace(kind.settings, seed=seed, tick_s=TICK_S)
    movement = None
    if kind.speed_mps:
        movement = Walkers(scenario, Walk(speed_mps=(kind.speed_mps / 2, 2 * kind.speed_mps)), seed=seed)
    run = Simulation(Plan(scenario, decisions, shares), settings, movement=movement)
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
            run.impose(*_decided(kind, seen if kind.late else now, planner, scenario))
            seen = now
    return float((inside / samples / scenario.arrival_rate_hz).sum())


def _train(score: Callable[[FloatArray], float], generations: int, tried: int) -> FloatArray:
    """Cross-entropy method; the mean of the last best, or nothing where that is better."""
    draw = np.random.default_rng(0)
    mean, width = np.zeros(4), np.array([0.7, 0.5, 0.3, 0.3])
    best, best_score = np.zeros(4), 1.0
    for _ in range(generations):
        samples = mean + width * draw.standard_normal((tried, 4))
        scores = np.array([score(w) for w in samples])
        elite = samples[np.argsort(scores)[: max(2, tried // 4)]]
        mean, width = elite.mean(axis=0), elite.std(axis=0) + 0.05
        if scores.min() < best_score:
            best, best_score = samples[scores.argmin()], float(scores.min())
    return best if score(mean) >= best_score else mean


def _decision_ms(planner: Planner, kind: Kind, scenario: sw.Scenario) -> float:
    """Of processor time, the least of three."""
    spent = []
    for _ in range(3):
        began = time.process_time()
        planner(scenario, kind.settings)
        spent.append(time.process_time() - began)
    return 1e3 * min(spent)
