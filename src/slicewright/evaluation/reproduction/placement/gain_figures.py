"""Placement, Figures 5 and 8: performance gain and network usage against the number of tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from slicewright.evaluation.reproduction.engine.item import Item, Verdict, holds
from slicewright.evaluation.reproduction.engine.measured import Measured, curve, panel, protocol, table
from slicewright.evaluation.reproduction.engine.scale import Scale
from slicewright.evaluation.reproduction.engine.statistics import Estimate, estimate
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.placement.decision_times import AUTO_STEPS, DECODINGS
from slicewright.evaluation.reproduction.placement.models import (
    DEADLINES,
    LEARNED,
    figure_tasks,
    served_models,
)
from slicewright.evaluation.reproduction.placement.networks import LABELS, STYLES
from slicewright.models.placement.session import PlacementModel
from slicewright.placement import place

if TYPE_CHECKING:
    from slicewright.learning.placement.solved_runs import Run

FIRST = next(iter(DEADLINES))
"""Deadlines of Figure 5."""
METHODS = (*LEARNED, "auto", "mec-only")
Values = dict[str, list[list[list[float]]]]
"""By method: for every point of the axis, and every seed, one number per run."""


def _measure(shop: Workshop) -> Measured:
    from slicewright.learning.placement.solved_runs import solve_run

    models, axis = served_models(shop), shop.scale.tasks
    proof_s = min(shop.scale.placement_proof_s, shop.scale.solver_limit_s)
    found: dict[str, dict[str, Values]] = {}
    proven: dict[str, list[float]] = {}
    for title, deadline in DEADLINES.items():
        figures: dict[str, Values] = {f: {m: [] for m in METHODS} for f in ("gain", "raw", "kept", "usage")}
        proven[title] = []
        for count in axis:
            shop.report(f"{title}, {count} tasks")
            problems = figure_tasks(shop, count, deadline_s=deadline)
            runs = shop.each(lambda tasks: solve_run(tasks, proof_s=proof_s), problems)
            proven[title].append(float(np.mean([run.proven for run in runs])))
            for name in METHODS:
                rows = _of_models(models[name], runs) if name in LEARNED else [_of_method(name, runs)]
                solver = np.array([run.objective_bit_hops for run in runs])
                for figure, values in figures.items():
                    if figure != "usage":
                        values[name].append([row[figure] for row in rows])
                figures["usage"][name].append([(solver / row["gain"] / 1e9).tolist() for row in rows])
        found[title] = figures
    facts = {
        "proven": proven,
        "gain": {title: _means(figures["gain"]) for title, figures in found.items()},
        "raw": _means(found[FIRST]["raw"]),
        "kept": _means(found[FIRST]["kept"]),
        "usage": _usage_panels(axis, found),
        "usage_table": _usage_table(found),
    }
    sure = float(np.mean(proven[FIRST]))
    notes = [
        f"Models after repair (best of {DECODINGS} decodings); a rejected task counts as ten times the longest way. "
        f"C_solver is proven optimal in {100 * sure:.0f} % of the runs, else the best known after "
        f"{proof_s:g} s; by tasks: "
        f"{_by_tasks(axis, proven[FIRST])}. "
        "The publication does not say how wrong answers were made feasible; before repair a placement may cost less "
        "than the optimum because it breaks rules.",
        _spread_note(found[FIRST]["gain"]),
    ]
    return {
        "panels": _gain_panels(axis, found[FIRST]), "facts": facts, "notes": notes,
        "protocol": protocol(runs=shop.scale.placement_points, seeds=shop.scale.seeds)
        | {"solutions proven": f"{100 * sure:.0f} %"},
    }  # fmt: skip


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


def _points(values: Sequence[Sequence[Sequence[float]]], *, factor: float = 1.0) -> list[Estimate]:
    """Of every point: mean over runs, each the mean of its seeds."""
    return [estimate(factor * np.mean(np.array(seeds), axis=0)) for seeds in values]


def _means(values: Values) -> dict[str, list[float]]:
    return {name: [e.mean for e in _points(points)] for name, points in values.items()}


def _of_seeds(points: Sequence[Sequence[Sequence[float]]]) -> list[float]:
    """Mean over all runs, of every seed."""
    return [float(x) for x in np.mean(np.array(points), axis=(0, 2))]


def _spread_note(gain: Values) -> str:
    told = [f"{LABELS[m]} {min(x):.4f} to {max(x):.4f}" for m in LEARNED if (x := _of_seeds(gain[m]))]
    count = len(_of_seeds(gain[LEARNED[0]]))
    return f"Mean gain by seed, lowest to highest of {count}: {'; '.join(told)}."


def _by_tasks(axis: Sequence[int], proven: Sequence[float]) -> str:
    return ", ".join(f"{count}: {100 * share:.0f} %" for count, share in zip(axis, proven, strict=True))


def _curves(
    axis: Sequence[int], values: Values, names: Sequence[str], *, factor: float = 1.0
) -> list[Measured]:
    return [curve(LABELS[m], STYLES[m], axis, _points(values[m], factor=factor)) for m in names]


def _gain_panels(axis: Sequence[int], figures: Mapping[str, Values]) -> list[Measured]:
    lost = {
        m: [[[100 * (1 / g - 1) for g in seed] for seed in seeds] for seeds in points]
        for m, points in figures["gain"].items()
    }
    near = [m for m in METHODS if m != "mec-only"]
    return [
        panel("performance gain after repair", "tasks", "C_solver / C_model", _curves(axis, figures["gain"], METHODS)),
        panel("after repair, without MEC only", "tasks", "cost above the solver's in %", _curves(axis, lost, near)),
        panel(
            "before repair", "tasks", "placements that keep every rule in %",
            _curves(axis, figures["kept"], LEARNED, factor=100.0), share=True,
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
    told = ", ".join(f"{LABELS[m]} {mean[m].mean():.3f}" for m in METHODS)
    return Verdict(
        holds([*leads, *lowest, rises]),
        f"mean gain {told}",
        f"The GNN as published leads MLP and DT at {leads.sum()} of {leads.size} points, MEC only is lowest at "
        f"{lowest.sum()}, and the GNN's gain {'rises' if rises else 'does not rise'} with the tasks. Before repair "
        f"{100 * np.mean(facts['kept']['gnn']):.0f} % of the GNN's placements keep every rule (MLP "
        f"{100 * np.mean(facts['kept']['mlp']):.0f} %), at a gain of {raw['gnn'].mean():.3f} "
        f"({raw['mlp'].mean():.3f}).",
    )


def _usage_panels(axis: Sequence[int], found: Mapping[str, Mapping[str, Values]]) -> list[Measured]:
    names = [m for m in METHODS if m != "mec-only"]
    absolute = [
        panel(
            f"deadlines {title}",
            "tasks",
            "network usage in Gbit hops",
            _curves(axis, figures["usage"], names),
        )
        for title, figures in found.items()
    ]
    usage = found[FIRST]["usage"]
    base = [np.mean(np.array(seeds), axis=0) for seeds in usage["auto"]]
    above = {
        m: [
            [(100 * (np.array(seed) / base[k] - 1)).tolist() for seed in seeds]
            for k, seeds in enumerate(usage[m])
        ]
        for m in names
    }
    return [
        *absolute,
        panel(
            f"deadlines {FIRST}, relative",
            "tasks",
            "usage above our search's in %",
            _curves(axis, above, names),
        ),
    ]


def _usage_table(found: Mapping[str, Mapping[str, Values]]) -> Measured:
    rows: list[list[str | float | None]] = []
    for name in METHODS:
        total = [
            float(np.sum(np.mean(np.array(figures["usage"][name]), axis=1))) for figures in found.values()
        ]
        rows.append([LABELS[name], *total, round(100 * (total[1] / total[0] - 1), 2) + 0.0])
    tight, relaxed = DEADLINES
    return table(["method", f"{tight}, Gbit hops", f"{relaxed}, Gbit hops", "change in %"], rows)


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
        revision=2,
    ),
)
