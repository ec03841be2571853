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
    assert Arrivals().dispersion(np.ones(2)).tolist() == [1.0, 1.0]
    assert Arrivals("periodic").dispersion(np.ones(2)).tolist() == [0.0, 0.0]
    run = queues(devices=2000, arrivals=arrivals, load=0.01)
    run.advance(400.0)
    counts = run.arrays.device_links[:, -1]
    expected = float(arrivals.dispersion(np.ones(1))[0])
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


def test_what_is_known_of_measurements_makes_transmissions_longer() -> None:
    """The factor is a mean over log-normal errors; load that is not seen takes its part of every access point."""
    load, draw = np.array([0.0, 0.2]), np.random.default_rng(0)
    plain, wrong = Correction(np.ones(2)), Correction(np.ones(2), rate_error=0.3)
    longer = np.exp(0.3 * draw.standard_normal(200_000))
    expected = [
        (longer * plain.factor(np.full((200_000, 1), x) * longer[:, None])[:, 0]).mean() for x in load
    ]
    np.testing.assert_allclose(wrong.factor(load), expected, rtol=0.01)
    np.testing.assert_allclose(Correction(np.ones(2), seen=0.5).factor(load), 2.0 * plain.factor(2.0 * load))
    for name, value in (("rate_error", -0.1), ("seen", 0.0), ("seen", 1.5)):
        with pytest.raises(InvalidOptionError, match=name):
            Correction(np.ones(2), **{name: value})  # type: ignore[arg-type]


def test_believed_rates_are_nearer_to_the_truth_where_they_are_chosen() -> None:
    scenario = sw.preset("paper-slicing", devices=400, seed=1)
    truth = np.log(np.asarray(scenario.rate_bps))
    estimate = truth + 0.8 * np.random.default_rng(1).standard_normal(truth.shape)
    correction = Correction(np.ones(400), rate_error=0.8)
    believed, left = correction.believing(scenario.with_(rate_bps=np.exp(estimate), radio=None))
    rows, best = np.arange(400), estimate.argmax(axis=1)
    shrunk = np.log(believed.rate_of(rows, best))
    assert abs((shrunk - truth[rows, best]).mean()) < 0.5 * (estimate - truth)[rows, best].mean()
    assert 0.0 < left.rate_error < 0.8
    assert Correction(np.ones(400)).believing(scenario)[0] is scenario


def test_the_planner_has_it_as_a_method() -> None:
    scenario = sw.preset("paper-slicing", devices=20, seed=4)
    plan, auto = sw.plan(scenario, method="corrected", rounds=40), sw.plan(scenario, rounds=40)
    correction = Correction(np.ones(20))
    assert plan.violations.feasible
    assert plan.cost_s >= auto.lower_bound_s
    assert corrected_cost_s(plan, correction) <= corrected_cost_s(auto, correction) * (1 + 1e-9)
    assert (
        sw.plan(scenario, method="corrected", rounds=40).decisions.node.tolist()
        == plan.decisions.node.tolist()
    )
