"""Plans that follow by what has changed: feasible, certified at every instant, bit for bit after a resume."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import slicewright as sw
from slicewright.errors import InvalidOptionError
from slicewright.simulation import (
    Air,
    FinishedTasks,
    Follower,
    Replanning,
    Settings,
    Simulation,
    Walk,
    Walkers,
    load_trace,
)
from tests.simulation.test_queues import in_order


@pytest.fixture(scope="module")
def plan() -> sw.Plan:
    return sw.plan(sw.preset("paper-slicing", devices=20, seed=4), rounds=200)


def coming_and_going(plan: sw.Plan, folder: Path, **options: float | bool) -> Simulation:
    """Everybody walks straight on; a third is there from 20 s on only, another third until 40 s."""
    file = folder / "moves.csv"
    if not file.exists():
        draw = np.random.default_rng(0)
        begin, end = draw.uniform(50, 450, (2, 20, 2))
        rows = ["time_s,device,x_m,y_m"]
        for t in range(61):
            for i in range(20):
                if not (i % 3 == 1 and t < 20) and not (i % 3 == 2 and t > 40):
                    x, y = begin[i] + (end[i] - begin[i]) * t / 60.0
                    rows.append(f"{t},{i:02d},{x:.3f},{y:.3f}")
        file.write_text("\n".join(rows) + "\n")
    movement = Follower(plan.scenario, load_trace(file))
    return Simulation(
        plan,
        Settings(seed=1, air=Air(shadowing_db=4.0)),
        movement=movement,
        replanning=Replanning(method="incremental", every_s=6.0, **options),  # type: ignore[arg-type]
    )


def test_every_step_is_feasible_and_certified(plan: sw.Plan, tmp_path: Path) -> None:
    run = coming_and_going(plan, tmp_path)
    there = set()
    while run.now_s < 60.0:
        run.advance(run.now_s + 6.0)
        problem, devices = run.scenario_now()
        there.add(devices.size)
        step = run.steps[-1]
        assert step.devices == devices.size
        assert 0.0 < step.bound_s <= step.cost_s * (1 + 1e-9)
        assert step.cost_s <= step.kept_s * (1 + 1e-9)
        best = sw.plan(problem, rounds=60)
        assert step.bound_s <= best.cost_s * (1 + 1e-9)
        assert step.cost_s <= 1.3 * best.cost_s
    assert len(there) >= 3


def test_carried_prices_prove_nearly_what_a_certificate_does(plan: sw.Plan) -> None:
    regrets = []
    for certify in (False, True):
        run = Simulation(
            plan,
            Settings(seed=1),
            movement=Walkers(plan.scenario, Walk(speed_mps=(2.0, 8.0)), seed=1),
            replanning=Replanning(method="incremental", every_s=5.0, certify=certify),
        )
        run.advance(100.0)
        assert run.steps[-1].bound_s <= run.steps[-1].cost_s
        regrets.append(float(np.mean([step.regret for step in run.steps])))
    assert 0.0 <= regrets[1] <= regrets[0] < 0.1  # the plans are the same


def test_a_price_keeps_devices_where_they_are(plan: sw.Plan, tmp_path: Path) -> None:
    free, dear = (coming_and_going(plan, tmp_path, price_s=price) for price in (0.0, 1e9))
    for run in (free, dear):
        run.advance(60.0)
    assert dear.counts.moves < free.counts.moves


def test_it_resumes_bit_for_bit(plan: sw.Plan, tmp_path: Path) -> None:
    whole = coming_and_going(plan, tmp_path)
    tasks = in_order(whole.advance(60.0))
    running, parts = coming_and_going(plan, tmp_path), []
    for until in (2.5, 9.0, 22.3, 41.0, 44.4, 60.0):
        parts.append(running.advance(until))
        running.save(tmp_path / "state.npz")
        running = coming_and_going(plan, tmp_path)
        running.load(tmp_path / "state.npz")
    pieces = in_order(FinishedTasks.joined(parts))
    np.testing.assert_array_equal(tasks.times, pieces.times)
    np.testing.assert_array_equal(tasks.place, pieces.place)
    assert whole.counts == running.counts and whole.counts.moves > 0


def test_it_takes_over_what_others_impose(plan: sw.Plan, tmp_path: Path) -> None:
    run = coming_and_going(plan, tmp_path)
    run.advance(10.0)
    run.impose(sw.plan(plan.scenario, method="local").decisions)
    run.advance(16.0)
    assert run.steps[-1].cost_s <= run.steps[-1].kept_s


def test_it_corrects_nothing() -> None:
    with pytest.raises(InvalidOptionError, match="correct"):
        Replanning(method="incremental", correct=True)
