"""Placement, Figure 5: performance gain against the number of tasks. Figure 8 is made of the same placements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from slicewright.evaluation.reproduction.engine.item import Item, Verdict, holds
from slicewright.evaluation.reproduction.engine.measured import Measured, panel, protocol
from slicewright.evaluation.reproduction.engine.scale import Scale
from slicewright.evaluation.reproduction.engine.statistics import estimate
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.placement.decision_times import AUTO_STEPS, DECODINGS
from slicewright.evaluation.reproduction.placement.labels import PROVEN, proven_labels
from slicewright.evaluation.reproduction.placement.models import (
    DEADLINES,
    LEARNED,
    LONG_STEPS_PER_TASK,
    figure_proof_s,
    served_models,
    solved_tasks,
)
from slicewright.evaluation.reproduction.placement.networks import LABELS
from slicewright.evaluation.reproduction.placement.run_values import Values, curves_of, over_runs
from slicewright.evaluation.reproduction.placement.usage import usage_panels, usage_table
from slicewright.models.placement.session import PlacementModel
from slicewright.placement import place

if TYPE_CHECKING:
    from slicewright.learning.placement.solved_runs import Run

FIRST = next(iter(DEADLINES))
"""Deadlines of Figure 5."""
METHODS = (*LEARNED, "auto", "mec-only")
PUBLISHED = ("gnn", "mlp", "dt", "mec-only")
"""Methods that the publication compares."""


def _measure(shop: Workshop) -> Measured:
    axis = shop.scale.tasks
    solutions = {(title, count): solved_tasks(shop, count, title) for title in DEADLINES for count in axis}
    models = served_models(shop)
    found: dict[str, dict[str, Values]] = {}
    gaps: dict[str, list[list[float]]] = {}
    for title in DEADLINES:
        figures: dict[str, Values] = {f: {m: [] for m in METHODS} for f in ("gain", "raw", "kept", "usage")}
        gaps[title] = []
        for count in axis:
            shop.report(f"{title}, {count} tasks")
            runs = [run for run, _ in solutions[title, count]]
            gaps[title].append([gap for _, gap in solutions[title, count]])
            _add_point(figures, models, runs)
        found[title] = figures
    proven = {title: [float(np.mean(np.array(x) <= PROVEN)) for x in rows] for title, rows in gaps.items()}
    facts = {
        "proven": proven,
        "gap": {title: [float(np.mean(x)) for x in rows] for title, rows in gaps.items()},
        "gain": {title: _means(figures["gain"]) for title, figures in found.items()},
        "lead": _lead(found[FIRST]["gain"]),
        "raw": _means(found[FIRST]["raw"]),
        "kept": _means(found[FIRST]["kept"]),
        "usage": usage_panels(axis, {title: figures["usage"] for title, figures in found.items()}),
        "usage_mean": {title: _means(figures["usage"]) for title, figures in found.items()},
        "usage_table": usage_table({title: figures["usage"] for title, figures in found.items()}),
    }
    sure = float(np.mean([share for row in proven.values() for share in row]))
    notes = [*_solver_notes(axis, gaps, figure_proof_s(shop.scale)), _spread_note(found[FIRST]["gain"])]
    return {
        "panels": _gain_panels(axis, found[FIRST]), "facts": facts, "notes": notes,
        "protocol": protocol(runs=shop.scale.placement_points, seeds=shop.scale.seeds)
        | {"solutions proven": f"{100 * sure:.0f} %", "labels proven": proven_labels(shop)},
    }  # fmt: skip


def _solver_notes(
    axis: Sequence[int], gaps: Mapping[str, Sequence[Sequence[float]]], proof_s: float
) -> list[str]:
    """How good C_solver is, and what stands beside it."""
    every = np.concatenate([x for rows in gaps.values() for x in rows])
    by_tasks = "; ".join(
        f"deadlines {title}: {_by_tasks(axis, [float(np.mean(np.array(x) <= PROVEN)) for x in rows])}"
        for title, rows in gaps.items()
    )
    return [
        f"C_solver is proven optimal in {100 * np.mean(every <= PROVEN):.0f} % of the runs, else the best known after "
        f"{proof_s:g} s of the solver by the clock and a search of {LONG_STEPS_PER_TASK} steps per task, and at most "
        f"{100 * every.mean():.2f} % above the optimum on average, {100 * every.max():.2f} % at worst. Proven by "
        f"tasks, {by_tasks}.",
        f"Models after repair (best of {DECODINGS} decodings); a rejected task counts as ten times the longest way. "
        "The publication does not say how wrong answers were made feasible; before repair a placement may cost less "
        "than the optimum because it breaks rules. It prints no numbers to this figure, so none are drawn in.",
    ]


def _add_point(
    figures: Mapping[str, Values], models: Mapping[str, Sequence[PlacementModel]], runs: Sequence[Run]
) -> None:
    """What every method makes of the runs of one point of the axis."""
    solver = np.array([run.objective_bit_hops for run in runs])
    for name in METHODS:
        rows = _of_models(models[name], runs) if name in LEARNED else [_of_method(name, runs)]
        for figure in ("gain", "raw", "kept"):
            figures[figure][name].append([row[figure] for row in rows])
        figures["usage"][name].append([(solver / row["gain"] / 1e9).tolist() for row in rows])


def _of_models(models: Sequence[PlacementModel], runs: Sequence[Run]) -> list[dict[str, list[float]]]:
    """Of every seed's model: gain after repair, gain of the likeliest classes, whether those keep every rule."""
    from slicewright.learning.placement.gain_figures import gain_figures

    def scores(model: PlacementModel) -> Callable[[Run], np.ndarray]:
        return lambda run: model.scores(run.tasks)

    names = {"gain": "gain_repaired", "raw": "gain_raw", "kept": "feasible_raw"}
    each = [[gain_figures(scores(m), [run], decodings=DECODINGS) for run in runs] for m in models]
    return [{name: [f[key] for f in row] for name, key in names.items()} for row in each]


def _of_method(name: str, runs: Sequence[Run]) -> dict[str, list[float]]:
    """Of a method that needs no training and breaks no rule."""
    gain = []
    for run in runs:
        found = (
            place(run.tasks, iterations=AUTO_STEPS, certify=False)
            if name == "auto"
            else place(run.tasks, name, certify=False)
        )
        gain.append(run.objective_bit_hops / found.objective_bit_hops)
    return {"gain": gain, "raw": gain, "kept": [1.0] * len(runs)}


def _means(values: Values) -> dict[str, list[float]]:
    return {name: [e.mean for e in over_runs(points)] for name, points in values.items()}


def _lead(gain: Values) -> list[list[float]]:
    """Of every point: gain of the GNN less that of the better of MLP and DT there, run by run: mean and half width."""
    of = {m: [np.mean(np.array(seeds), axis=0) for seeds in gain[m]] for m in ("gnn", "mlp", "dt")}
    rows = []
    for gnn, mlp, dt in zip(*of.values(), strict=True):
        e = estimate(gnn - max(mlp, dt, key=lambda x: float(np.mean(x))))
        rows.append([e.mean, e.half])
    return rows


def _of_seeds(points: Sequence[Sequence[Sequence[float]]]) -> list[float]:
    """Mean over all runs, of every seed."""
    return [float(x) for x in np.mean(np.array(points), axis=(0, 2))]


def _spread_note(gain: Values) -> str:
    told = [f"{LABELS[m]} {min(x):.4f} to {max(x):.4f}" for m in LEARNED if (x := _of_seeds(gain[m]))]
    count = len(_of_seeds(gain[LEARNED[0]]))
    return f"Mean gain by seed, lowest to highest of {count}: {'; '.join(told)}."


def _by_tasks(axis: Sequence[int], proven: Sequence[float]) -> str:
    return ", ".join(f"{count}: {100 * share:.0f} %" for count, share in zip(axis, proven, strict=True))


def _gain_panels(axis: Sequence[int], figures: Mapping[str, Values]) -> list[Measured]:
    lost = {
        m: [[[100 * (1 / g - 1) for g in seed] for seed in seeds] for seeds in points]
        for m, points in figures["gain"].items()
    }
    near = [m for m in METHODS if m != "mec-only"]
    return [
        panel(
            "after repair, methods of the publication", "tasks", "C_solver / C_model",
            curves_of(axis, figures["gain"], PUBLISHED), apart=True,
        ),
        panel(
            "after repair, all but MEC only", "tasks", "cost above the solver's in %", curves_of(axis, lost, near),
            apart=True,
        ),
        panel(
            "before repair", "tasks", "placements that keep every rule in %",
            curves_of(axis, figures["kept"], LEARNED, factor=100.0), share=True, apart=True,
        ),
    ]  # fmt: skip


def _judge(data: Measured) -> Verdict:
    facts = data["facts"]
    mean = {name: np.array(row) for name, row in facts["gain"][FIRST].items()}
    raw = {name: np.array(row) for name, row in facts["raw"].items()}
    others = np.maximum(mean["mlp"], mean["dt"])
    leads = mean["gnn"] >= others
    lowest = mean["mec-only"] <= np.minimum.reduce([mean[m] for m in ("gnn", "mlp", "dt")])
    rises = bool(mean["gnn"][-1] > mean["gnn"][0])
    lead = np.array(facts["lead"])
    ahead, behind = int((lead[:, 0] > lead[:, 1]).sum()), int((lead[:, 0] < -lead[:, 1]).sum())
    told = ", ".join(f"{LABELS[m]} {mean[m].mean():.3f}" for m in METHODS)
    return Verdict(
        holds([*leads, *lowest, rises]),
        f"mean gain {told}",
        f"The GNN as published leads MLP and DT at {leads.sum()} of {leads.size} points, or is level; run by run it is "
        f"surely (90 %) ahead of the better of them at {ahead} and surely behind at {behind}. MEC only is lowest at "
        f"{lowest.sum()}, and the GNN's gain {'rises' if rises else 'does not rise'} with the tasks. Before repair "
        f"{100 * np.mean(facts['kept']['gnn']):.0f} % of the GNN's placements keep every rule (MLP "
        f"{100 * np.mean(facts['kept']['mlp']):.0f} %), at a gain of {raw['gnn'].mean():.3f} "
        f"({raw['mlp'].mean():.3f}).",
    )


def _work(scale: Scale) -> float:
    each = 0.02 * len(LEARNED) * scale.seeds + 0.3 * min(scale.placement_proof_s, scale.solver_limit_s)
    return len(DEADLINES) * len(scale.tasks) * scale.placement_points * each


ITEMS = (
    Item(
        "fig5",
        "Figure 5: performance gain against the number of tasks",
        "The GNN is closest to the solver, the more so with more requests; MEC only is lowest.",
        _measure,
        _judge,
        _work,
        trained=True,
        revision=3,
    ),
)
