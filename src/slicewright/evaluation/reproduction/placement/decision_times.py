"""Placement, Figure 4: how long a decision takes, of the solver, of the models and of our search."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from slicewright.errors import SolverError
from slicewright.evaluation.reproduction.engine.item import Item, Verdict, holds
from slicewright.evaluation.reproduction.engine.measured import (
    Measured,
    curve,
    panel,
    protocol,
    published_line,
)
from slicewright.evaluation.reproduction.engine.published_numbers import SOLVER_SLOWER
from slicewright.evaluation.reproduction.engine.scale import Scale
from slicewright.evaluation.reproduction.engine.statistics import Estimate, estimate
from slicewright.evaluation.reproduction.engine.timing import least_seconds
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.placement.labels import PROVEN, proven_labels
from slicewright.evaluation.reproduction.placement.models import (
    LEARNED,
    figure_tasks,
    models_core_s,
    served_models,
)
from slicewright.evaluation.reproduction.placement.networks import LABELS, STYLES
from slicewright.models.placement.session import PlacementModel
from slicewright.placement import Tasks, judge, place
from slicewright.placement.exact import solve_exact
from slicewright.placement.repair import repaired
from slicewright.placement.search import compiled_problem

DECODINGS = 8
AUTO_STEPS = 2000
SOLVER = "solver (HiGHS, plain programme)"


def _measure(shop: Workshop) -> Measured:
    models = {name: each[0] for name, each in served_models(shop).items()}
    limit, axis = shop.scale.solver_limit_s, shop.scale.tasks
    problems = {count: figure_tasks(shop, count)[: shop.scale.solver_runs] for count in axis}
    solver: list[list[float]] = []
    stopped: list[int] = []
    for count in axis:
        shop.report(f"solver, {count} tasks")
        times, open_ = zip(*(solver_time(tasks, limit) for tasks in problems[count]), strict=True)
        solver.append(list(times))
        stopped.append(sum(open_))
    ways: dict[str, Callable[[Tasks], object]] = {name: partial(_answer, models[name]) for name in LEARNED}
    ways["auto"] = lambda tasks: place(tasks, iterations=AUTO_STEPS, certify=False)
    others: dict[str, list[list[float]]] = {}
    for name, way in ways.items():
        shop.report(f"timing {name}")
        others[name] = [[least_seconds(way, tasks) for tasks in problems[count]] for count in axis]
    notes = [
        f"The publication's solver is Gurobi; here HiGHS on the same programme, stopped after {limit:g} s by the clock "
        f"without a proof in {sum(stopped)} of {sum(map(len, solver))} cases, where its processor time until then is a "
        "lower bound. Models are served from their ONNX files; each time is the least of several, with features, "
        f"inference and repair (best of {DECODINGS} decodings). All times are of one processor.",
        "Ratios are of the same problems, run by run. The publication says about how many times slower the solver is, "
        "and no times.",
    ]
    return {
        "panels": _panels(axis, solver, stopped, others), "notes": notes,
        "facts": {
            "stopped": stopped,
            "slower": {name: _mean_ratio(solver, others[name]) for name in ("gnn", "auto")},
        },
        "protocol": protocol(runs=shop.scale.solver_runs, seeds=1) | {"labels proven": proven_labels(shop)},
    }  # fmt: skip


def solver_time(tasks: Tasks, limit_s: float) -> tuple[float, bool]:
    """Processor time of the solver, s, and whether it was stopped before it had proven its placement."""
    clock, began = time.perf_counter(), time.process_time()
    try:
        choice, bound = solve_exact(tasks, time_limit_s=limit_s)
    except SolverError:
        if time.perf_counter() - clock < limit_s:
            raise
        choice, bound = None, 0.0  # on a busy machine the limit may come before any placement or bound
    taken = time.process_time() - began
    return taken, choice is None or judge(tasks, choice).objective_bit_hops > bound * (1.0 + PROVEN)


def _panels(
    axis: Sequence[int],
    solver: Sequence[Sequence[float]],
    stopped: Sequence[int],
    others: Mapping[str, Sequence[Sequence[float]]],
) -> list[Measured]:
    """Times of all; how many times longer than the GNN the solver takes; and the same of models and search."""
    bounds, gnn = [count > 0 for count in stopped], others["gnn"]
    drawn = [curve(SOLVER, "os", axis, [estimate(row) for row in solver], bounds=bounds)]
    drawn += [curve(LABELS[m], STYLES[m], axis, [estimate(row) for row in others[m]]) for m in others]
    line = published_line(f"{SOLVER_SLOWER:.0f} times the GNN (published)", SOLVER_SLOWER)
    slower = curve(SOLVER, "os", axis, _ratio(solver, gnn), bounds=bounds)
    beside = [curve(LABELS[m], STYLES[m], axis, _ratio(others[m], gnn)) for m in others]
    return [
        panel("models with repair", "tasks", "decision time in s of one processor", drawn, log=True),
        panel("the solver, relative", "tasks", "times the GNN's time", [slower], log=True, published=[line]),
        panel("models and search, relative", "tasks", "times the GNN's", beside, log=True),
    ]


def _ratio(one: Sequence[Sequence[float]], other: Sequence[Sequence[float]]) -> list[Estimate]:
    return [estimate(np.array(a) / np.array(b)) for a, b in zip(one, other, strict=True)]


def _mean_ratio(one: Sequence[Sequence[float]], other: Sequence[Sequence[float]]) -> list[float]:
    return [each.mean for each in _ratio(one, other)]


def _answer(model: PlacementModel, tasks: Tasks) -> object:
    return repaired(compiled_problem(tasks), model.scores(tasks), decodings=DECODINGS)


def _judge(data: Measured) -> Verdict:
    facts = data["facts"]
    gnn, auto = (np.array(facts["slower"][name]) for name in ("gnn", "auto"))
    open_ = np.array(facts["stopped"]) > 0
    slower = gnn >= SOLVER_SLOWER
    unknown = open_ & ~slower
    grows = bool(gnn[-1] > gnn[0])
    ended = bool(unknown.any() or (open_[0] and grows) or (open_[-1] and not grows))
    return Verdict(
        "open" if ended else holds([*slower, grows]),
        f"solver slower than the GNN by {gnn.min():,.0f} to {gnn.max():,.0f} times, than our search by "
        f"{auto.min():,.0f} to {auto.max():,.0f} times"
        + (f" (at least, at {open_.sum()} of {open_.size} points)" if open_.any() else ""),
        f"At {slower.sum()} of {slower.size} points the solver takes {SOLVER_SLOWER:.0f} times the GNN's time or "
        f"more{' at least' if (slower & open_).any() else ''}, and the ratio {'grows' if grows else 'does not grow'} "
        "from the fewest to the most tasks. "
        + (
            f"At {unknown.sum()} of {slower.size} points it was stopped before that could show. "
            if unknown.any()
            else ""
        )
        + "The time says nothing about the placement that it buys: see Figure 5.",
    )


def _work(scale: Scale) -> float:
    return models_core_s(scale) + 0.5 * len(scale.tasks) * scale.solver_runs * scale.solver_limit_s


ITEMS = (
    Item(
        "fig4",
        "Figure 4: computation time against the number of tasks",
        "The solver is about 100 times slower than the GNN, and the more so the more requests there are.",
        _measure,
        _judge,
        _work,
        revision=3,
    ),
)
