"""Placement, Figure 4: how long a decision takes, of the solver, of the models and of our search."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from slicewright.evaluation.reproduction.engine.item import Item, Verdict, holds
from slicewright.evaluation.reproduction.engine.measured import Measured, curve, panel, protocol
from slicewright.evaluation.reproduction.engine.published_numbers import SOLVER_SLOWER
from slicewright.evaluation.reproduction.engine.scale import Scale
from slicewright.evaluation.reproduction.engine.statistics import estimate
from slicewright.evaluation.reproduction.engine.timing import least_seconds, seconds
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.placement.models import (
    LEARNED,
    figure_tasks,
    models_core_s,
    served_models,
)
from slicewright.evaluation.reproduction.placement.networks import LABELS, STYLES
from slicewright.models.placement.session import PlacementModel
from slicewright.placement import Tasks, place
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
    solver: dict[int, list[float]] = {}
    for count in axis:
        shop.report(f"solver, {count} tasks")
        solver[count] = [
            seconds(lambda t: solve_exact(t, time_limit_s=limit), tasks) for tasks in problems[count]
        ]
    stopped = {count: sum(t >= limit for t in times) for count, times in solver.items()}
    row = [estimate(solver[count]) for count in axis]
    curves = [curve(SOLVER, "os", axis, row, bounds=[stopped[count] > 0 for count in axis])]
    ways: dict[str, Callable[[Tasks], object]] = {name: partial(_answer, models[name]) for name in LEARNED}
    ways["auto"] = lambda tasks: place(tasks, iterations=AUTO_STEPS, certify=False)
    for name, way in ways.items():
        shop.report(f"timing {name}")
        row = [estimate([least_seconds(way, tasks) for tasks in problems[count]]) for count in axis]
        curves.append(curve(LABELS[name], STYLES[name], axis, row))
    gnn = curves[1]["mean"]
    slower = [estimate([SOLVER_SLOWER * t]) for t in gnn]
    curves.append(curve(f"{SOLVER_SLOWER:.0f} times the GNN (published)", "published", axis, slower))
    panels = [panel("one core, warm; models with repair", "tasks", "decision time in s", curves, log=True)]
    notes = [
        f"The publication's solver is Gurobi; here HiGHS on the same programme, stopped after {limit:g} s in "
        f"{sum(stopped.values())} of {sum(map(len, solver.values()))} cases, where its time is a lower "
        f"bound. Models are "
        f"served from their ONNX files; each time is the least of several, with features, inference and "
        f"repair (best of "
        f"{DECODINGS} decodings)."
    ]
    return {
        "panels": panels, "facts": {"stopped": [stopped[count] for count in axis]}, "notes": notes,
        "protocol": protocol(runs=shop.scale.solver_runs, seeds=1),
    }  # fmt: skip


def _answer(model: PlacementModel, tasks: Tasks) -> object:
    return repaired(compiled_problem(tasks), model.scores(tasks), decodings=DECODINGS)


def _judge(data: Measured) -> Verdict:
    mean = {c["label"]: np.array(c["mean"]) for c in data["panels"][0]["curves"]}
    ratio, auto = (mean[SOLVER] / mean[LABELS[name]] for name in ("gnn", "auto"))
    open_ = np.array(data["facts"]["stopped"]) > 0
    slower = ratio >= SOLVER_SLOWER
    grows = bool(ratio[-1] > ratio[0])
    return Verdict(
        holds([*slower, grows]),
        f"solver slower than the GNN by {ratio.min():,.0f} to {ratio.max():,.0f} times, than our search by "
        f"{auto.min():,.0f} to {auto.max():,.0f} times"
        + (f" (at least, at {open_.sum()} of {open_.size} points)" if open_.any() else ""),
        f"At {slower.sum()} of {slower.size} points the solver takes {SOLVER_SLOWER:.0f} times the GNN's "
        f"time or more, and "
        f"the ratio {'grows' if grows else 'does not grow'} from the fewest to the most tasks. The time "
        f"says nothing about "
        "the placement that it buys: see Figure 5.",
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
        revision=2,
    ),
)
