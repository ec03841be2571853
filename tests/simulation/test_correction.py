"""The correction: exact where theory is, plans that keep the rules, and that measured cost follows."""

from __future__ import annotations

import numpy as np
import pytest

import slicewright as sw
from slicewright.errors import InvalidOptionError
from slicewright.simulation import (
    Arrivals,
    Correction,
    Distribution,
    Replanning,
    Settings,
    Simulation,
    TaskQueues,
    Walk,
    Walkers,
    corrected_cost_s,
    corrected_plan,
    measure,
)
from slicewright.simulation.correction import dispersion
from slicewright.simulation.tasks.queues import Disciplines
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.search import iterated_search
from tests.simulation.test_queues import queues


def search(problem: sw.Scenario, start: Decisions | None) -> Decisions:
    return iterated_search(problem, start=start, rounds=20)[0]


@pytest.mark.parametrize("load", [0.3, 0.7, 0.9])
@pytest.mark.parametrize("size", [Distribution("fixed"), Distribution("exponential")])
def test_the_factor_is_the_measured_one_for_poisson_arrivals(load: float, size: Distribution) -> None:
    run: TaskQueues = queues(devices=300, load=load, size=size, disciplines=Disciplines("share"))
    tasks = run.advance(4000.0)
    took = (tasks.transmitted_s - tasks.arrived_s)[tasks.arrived_s > 500.0]
    factor = Correction(np.ones(1), size.squared_variation).factor(np.array([load]))
    assert took.mean() == pytest.approx(load * float(factor[0]), rel=0.05)


def test_the_dispersion_of_bursts_is_that_of_counted_arrivals() -> None:
    arrivals = Arrivals("bursts", burst_s=2.0)
    assert dispersion(Arrivals(), np.ones(2)).tolist() == [1.0, 1.0]
    assert dispersion(Arrivals("periodic"), np.ones(2)).tolist() == [0.0, 0.0]
    run = queues(devices=2000, arrivals=arrivals, load=0.01)
    run.advance(400.0)
    counts = run.arrays.device_links[:, -1]
    expected = float(dispersion(arrivals, np.ones(1))[0])
    assert counts.var() / counts.mean() == pytest.approx(expected, rel=0.1)


def test_a_corrected_plan_keeps_the_rules_and_costs_less_when_measured() -> None:
    promised: list[float] = []
    trusted: list[float] = []
    for seed in range(6):
        scenario = sw.preset("paper-slicing", devices=15, seed=seed)
        settings = Settings(seed=seed)
        correction = Correction.of(scenario, settings.arrivals, settings.size)
        plan = sw.plan(scenario, rounds=80)
        better, _ = corrected_plan(scenario, search, correction, plan.decisions)
        assert not better.violations.worst
        assert corrected_cost_s(better, correction) <= corrected_cost_s(plan, correction) * (1 + 1e-9)
        for made, found in ((better, promised), (plan, trusted)):
            tasks = Simulation(made, settings).advance(2000.0)
            figures = measure(tasks, made, from_s=200.0, until_s=2000.0).figures
            found.append(figures["system_cost_s"])
            if made is better:
                assert figures["system_cost_s"] == pytest.approx(corrected_cost_s(made, correction), rel=0.25)
    assert sum(promised) < 0.985 * sum(trusted)  # 2.8 % less was seen; with bursts it is much more


def test_replanning_corrects_if_asked() -> None:
    scenario = sw.preset("paper-slicing", devices=10, seed=3)
    plan = sw.plan(scenario, rounds=50)

    def run(correct: bool) -> Simulation:
        replanning = Replanning(every_s=20.0, rounds=20, correct=correct)
        walking = Walkers(scenario, Walk(speed_mps=(2.0, 6.0)), seed=0)
        made = Simulation(plan, Settings(seed=1), movement=walking, replanning=replanning)
        made.advance(100.0)
        return made

    corrected, trusting = run(True), run(False)
    assert len(corrected.steps) == len(trusting.steps) == 5
    # By the formula alone, a plan that knows more costs more.
    assert sum(s.cost_s for s in corrected.steps) >= sum(s.cost_s for s in trusting.steps) * (1 - 1e-6)
    with pytest.raises(InvalidOptionError, match="correct"):
        Replanning(method="greedy", correct=True)
    with pytest.raises(InvalidOptionError, match="turns"):
        Correction(np.ones(1), turns=0)
