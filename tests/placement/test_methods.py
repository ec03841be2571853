"""What all methods promise, and what single ones do."""

from __future__ import annotations

import random
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slicewright.errors import InvalidOptionError, InvalidPlanError, UnknownNameError
from slicewright.placement import (
    Answer,
    Tasks,
    load_tasks,
    lower_bound,
    place,
    placement_methods,
    placement_preset,
    register_placement_method,
)
from slicewright.solvers import available_solvers
from slicewright.solvers.programme import Capability
from tests.placement.problems import (
    REFERENCE,
    cheapest_by_enumeration,
    reference_optima,
    small_tasks,
    with_links,
)

BUILT_IN = ("auto", "exact", "greedy-nearest", "mec-only", "random")
few = settings(max_examples=40, deadline=None)


@few
@given(tasks=small_tasks(most_tasks=6), seed=st.integers(0, 5))
def test_every_placement_is_feasible_or_rejected_with_a_reason(tasks: Tasks, seed: int) -> None:
    for method in BUILT_IN:
        options: dict[str, Any] = {"iterations": 100} if method == "auto" else {}
        placement = place(tasks, method, seed=seed, **options)
        assert placement.violations.feasible
        for used, reason in zip(placement.nodes, placement.reasons, strict=True):
            assert bool(used) == (reason is None)
        assert placement.lower_bound_bit_hops <= placement.objective_bit_hops * (1 + 1e-9)


@few
@given(tasks=small_tasks())
def test_exact_finds_what_enumeration_finds_and_the_bound_is_below(tasks: Tasks) -> None:
    best = cheapest_by_enumeration(tasks)
    placement = place(tasks, "exact")
    assert placement.objective_bit_hops == pytest.approx(best, rel=1e-9)
    assert placement.status == "optimal"
    assert lower_bound(tasks) <= best * (1 + 1e-9)
    assert place(tasks, iterations=300).objective_bit_hops == pytest.approx(best, rel=1e-9)


@few
@given(tasks=small_tasks(most_tasks=6), shuffle=st.randoms(use_true_random=False))
def test_the_order_of_the_tasks_does_not_matter_to_the_optimum(tasks: Tasks, shuffle: random.Random) -> None:
    order = list(range(tasks.n_tasks))
    shuffle.shuffle(order)
    assert place(tasks.take(np.array(order)), "exact").objective_bit_hops == pytest.approx(
        place(tasks, "exact").objective_bit_hops, rel=1e-6
    )


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), shorter=st.floats(0.3, 1.0), which=st.integers(0, 33))
def test_cost_never_rises_with_shorter_links(seed: int, shorter: float, which: int) -> None:
    tasks = placement_preset(tasks=8, seed=seed)
    links = list(tasks.topology.links)
    links[which] = links[which]._replace(length=links[which].length * shorter)
    topology = with_links(tasks.topology, links)
    before, after = (place(t, "exact").objective_bit_hops for t in (tasks, tasks.with_(topology=topology)))
    assert after <= before * (1 + 1e-6)


@pytest.mark.parametrize("entry", reference_optima(), ids=lambda entry: entry["file"])
def test_reference_optima_are_met_and_never_beaten(entry: dict[str, Any]) -> None:
    tasks = load_tasks(REFERENCE / entry["file"])
    optimum = entry["best_known_objective_bit_hops"]
    exact = place(tasks, "exact")
    assert exact.objective_bit_hops == pytest.approx(optimum, rel=1e-5)
    assert exact.gap <= 1e-5
    for method in ("auto", "mec-only", "greedy-nearest", "random"):
        placement = place(tasks, method)
        assert placement.objective_bit_hops >= optimum * (1 - 1e-9)
        assert placement.lower_bound_bit_hops <= optimum * (1 + 1e-9)


@pytest.mark.parametrize("solver", available_solvers(Capability.INTEGERS))
def test_all_solvers_of_whole_numbers_agree(solver: str) -> None:
    tasks = placement_preset(tasks=15, seed=8, deadline_s=(0.008, 0.06))
    assert place(tasks, "exact", solver=solver).objective_bit_hops == pytest.approx(
        place(tasks, "exact").objective_bit_hops, rel=1e-6
    )


@pytest.mark.timing
def test_exact_returns_its_incumbent_when_time_is_up() -> None:
    tasks = placement_preset(tasks=120, seed=1)
    place(placement_preset(tasks=2))  # compiles what is not compiled yet
    began = time.process_time()  # beside other work, the clock goes on while nothing is done here
    placement = place(tasks, "exact", budget_s=0.3)
    assert time.process_time() - began < 3
    assert placement.violations.feasible
    assert 0 < placement.lower_bound_bit_hops <= placement.objective_bit_hops


@pytest.mark.parametrize("tasks", [60, 120])
def test_the_bound_is_near_and_auto_is_between(tasks: int) -> None:
    problem = placement_preset(tasks=tasks, seed=5)
    placement = place(problem, iterations=20_000)
    assert 0 <= placement.gap < 0.03
    assert placement.objective_bit_hops <= place(problem, "greedy-nearest").objective_bit_hops


@pytest.mark.parametrize("method", ["auto", "random"])
def test_runs_without_a_clock_repeat_bit_for_bit(method: str) -> None:
    tasks = placement_preset(tasks=50, seed=7, deadline_s=(0.005, 0.1))
    options: dict[str, Any] = {"iterations": 3000} if method == "auto" else {}
    first, second = (place(tasks, method, seed=3, **options) for _ in range(2))
    assert first.nodes == second.nodes
    assert first.lower_bound_bit_hops == second.lower_bound_bit_hops


def test_unequal_arrival_rates_keep_the_bound_valid() -> None:
    for seed in range(3):
        tasks = placement_preset(tasks=16, seed=seed, arrival_rate_hz=(0.1, 1.2), deadline_s=(0.02, 0.1))
        exact = place(tasks, "exact", budget_s=2.0)
        assert lower_bound(tasks) <= exact.objective_bit_hops * (1 + 1e-9)
        auto = place(tasks, iterations=5000)
        assert auto.violations.feasible
        assert auto.objective_bit_hops >= exact.lower_bound_bit_hops * (1 - 1e-9)


def test_mec_only_uses_the_mec_and_nothing_else() -> None:
    tasks = placement_preset(tasks=10, seed=1)
    assert set(place(tasks, "mec-only").nodes) == {(12,)}


def test_reasons_tell_the_impossible_from_the_full() -> None:
    impossible = placement_preset(tasks=3, seed=1, deadline_s=(1e-3, 1e-3))
    assert all("cannot be met even on idle nodes" in (reason or "") for reason in place(impossible).reasons)
    full = placement_preset(tasks=30, seed=1, mecs=0, lower_coins=2, upper_coins=1, deadline_s=(0.07, 0.08))
    reasons = [reason for reason in place(full, iterations=500).reasons if reason]
    assert reasons and all("are taken" in reason for reason in reasons)
    left_out = place(placement_preset(tasks=6, seed=2, mecs=0, deadline_s=(0.1, 0.15)), "mec-only")
    assert all("left it out" in (reason or "") for reason in left_out.reasons)


def test_options_are_checked() -> None:
    tasks = placement_preset(tasks=2)
    with pytest.raises(UnknownNameError, match="'exact'"):
        place(tasks, "exakt")
    with pytest.raises(InvalidOptionError, match="did you mean 'iterations'"):
        place(tasks, itertions=5)
    with pytest.raises(InvalidOptionError, match="budget_s"):
        place(tasks, budget_s=0.0)
    with pytest.raises(InvalidOptionError, match="seed"):
        place(tasks, seed=-1)
    with pytest.raises(InvalidOptionError, match="iterations"):
        place(tasks, iterations=0)
    with pytest.raises(UnknownNameError, match="solver"):
        place(placement_preset(tasks=40, seed=12), "exact", solver="cplex", budget_s=0.01)


def test_methods_of_others_are_known_by_name() -> None:
    def reject_all(tasks: Tasks, *, budget_s: float | None, seed: int, factor: int = 1) -> Answer:
        return Answer(np.full(tasks.n_tasks, -1 * factor))

    register_placement_method("reject-all", reject_all)
    tasks = placement_preset(tasks=3)
    assert "reject-all" in placement_methods()
    assert len(placement_methods()) == len(list(placement_methods())) >= 6
    placement = place(tasks, "reject-all")
    assert placement.rejected == 3
    assert placement.lower_bound_bit_hops > 0
    with pytest.raises(InvalidOptionError, match="already"):
        register_placement_method("reject-all", reject_all)
    with pytest.raises(InvalidPlanError, match="below 67"):
        place(tasks, "reject-all", factor=-80)
