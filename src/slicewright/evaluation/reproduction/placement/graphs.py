"""Placement: what the graph does to the accuracy. Cliques that blur, graphs made from the answers, folds by task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from slicewright.evaluation.reproduction.engine.item import Item, Verdict
from slicewright.evaluation.reproduction.engine.measured import (
    Measured,
    curve,
    panel,
    published_line,
    table,
)
from slicewright.evaluation.reproduction.engine.published_numbers import NAMES, PLACEMENT
from slicewright.evaluation.reproduction.engine.scale import Scale
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.placement.folds import (
    RUN,
    TASK,
    Wanted,
    cross_validated,
    cross_validation_core_s,
    over_folds,
)
from slicewright.evaluation.reproduction.placement.labels import training_runs, unproven_gaps
from slicewright.evaluation.reproduction.placement.networks import (
    BARE,
    GRAPH_NAMES,
    GRAPH_NETWORKS,
    LOOPS,
    OWN,
    label_of,
)
from slicewright.evaluation.reproduction.placement.tables import (
    TIES,
    cell,
    labels_note,
    one_answer_ceiling,
    protocol_of,
)
from slicewright.models.placement.features import EXECUTOR, INGRESS, SHARED

Scores = Mapping[str, list[list[float]]]
KNOWN = tuple(name for name, network in GRAPH_NETWORKS.items() if not network.leaks)
"""Networks whose graph is known when a decision is due."""
CONVOLUTIONS = (LOOPS, BARE, OWN)
GRAPHS = (INGRESS, EXECUTOR, SHARED)
GRID = tuple(name for name, network in GRAPH_NETWORKS.items() if network.graph in GRAPHS)
KINDS = {RUN: "by-run", TASK: "by-task"}
TARGET = round(PLACEMENT["gnn"][0], 2)
"""What counts as the published accuracy."""


def _measure_cliques(shop: Workshop) -> Measured:
    runs = training_runs(shop)
    facts = cross_validated(shop, [Wanted(name) for name in (*KNOWN, "mlp")])
    rows: list[list[str | float | None]] = []
    for name in (*KNOWN, "mlp"):
        scores = facts[Wanted(name).key]
        rows.append(
            [label_of(name), *_per_ingress(scores), cell(scores, "accuracy"), cell(scores, "tie_aware")]
        )
    columns = [
        "model",
        "tasks per ingress",
        "different answers per ingress",
        "accuracy",
        "tie-aware accuracy",
    ]
    best = one_answer_ceiling(runs)
    notes = [
        "Counted on held-out runs; answers are the same if no log-probability differs by more than 0.001.",
        f"A model that gives one answer to all tasks of an ingress can be right for {100 * best:.1f} % of "
        f"them at most.",
        labels_note(runs, unproven_gaps(shop)),
    ]
    return {
        "table": table(columns, rows), "facts": {"scores": facts, "ceiling": best}, "notes": notes,
        "protocol": protocol_of(shop, runs) | {"seeds": 1},
    }  # fmt: skip


def _per_ingress(scores: Scores) -> tuple[float, float]:
    """Tasks, and different answers, per ingress of a run."""
    tasks, answers, ingresses = (float(np.sum(scores[name])) for name in ("tasks", "answers", "ingresses"))
    return tasks / ingresses, answers / ingresses


def _judge_cliques(data: Measured) -> Verdict:
    facts, ceiling = data["facts"]["scores"], data["facts"]["ceiling"]
    mean = {name: over_folds(facts[Wanted(name).key], "accuracy").mean for name in (*KNOWN, "mlp")}
    best = max(KNOWN, key=lambda name: mean[name])
    tasks, answers = _per_ingress(facts[Wanted("gnn").key])
    return Verdict(
        "finding",
        f"the {tasks:.1f} tasks of an ingress get {answers:.2f} different answers from the GNN as published "
        f"(accuracy {mean['gnn']:.3f}, at most {ceiling:.3f} with one answer each); best on a graph that is known: "
        f"{label_of(best)}, {mean[best]:.3f}",
        "All who share an ingress are neighbours, and with self-loops each takes the same sum over the same tasks. "
        f"{'Without that' if mean[best] > mean['gnn'] else 'Even without that'} the graph is worth "
        f"{100 * (mean[best] - mean['mlp']):+.1f} points against the MLP, which has none.",
    )


def _measure_leak(shop: Workshop) -> Measured:
    runs = training_runs(shop)
    known = shop.data_of("cliques")["facts"]["scores"]
    mean = {name: over_folds(known[Wanted(name).key], "accuracy").mean for name in KNOWN}
    best = max(KNOWN, key=lambda name: mean[name])
    leaking = [name for name in GRAPH_NETWORKS if name not in KNOWN]
    wanted = [Wanted(name, by) for name in (best, "mlp", *leaking) for by in KINDS]
    facts = cross_validated(shop, wanted)
    rows: list[list[str | float | None]] = [
        [
            label_of(name),
            *(cell(facts[Wanted(name, by).key], f) for by in KINDS for f in ("accuracy", "tie_aware")),
        ]
        for name in ("mlp", best, *leaking)
    ]
    columns = ["model", "folds by run", "tie-aware", "folds by task", "tie-aware"]
    return {
        "table": table(columns, rows),
        "facts": {"best": best, "scores": facts},
        "notes": [labels_note(runs, unproven_gaps(shop)), _FOLDS_NOTE],
        "protocol": protocol_of(shop, runs) | {"seeds": 1},
    }


_FOLDS_NOTE = (
    "By run: no task of a held-out run is in training. By task: single tasks of every run are held out, as a plain "
    "k-fold of all samples does; their neighbours' labels are learned, and they take part in the graph."
)


def _judge_leak(data: Measured) -> Verdict:
    best, facts = data["facts"]["best"], data["facts"]["scores"]
    mean = {key: over_folds(scores, "accuracy").mean for key, scores in facts.items()}
    known, known_by_task = (mean[Wanted(best, by).key] for by in (RUN, TASK))
    leaks = {name: mean[Wanted(name).key] for name in GRAPH_NETWORKS if name not in KNOWN}
    worst = max(leaks, key=lambda name: leaks[name])
    lift = leaks[worst] - known
    return Verdict(
        "finding",
        f"accuracy {known:.3f} with the best graph that is known ({label_of(best)}), {leaks[worst]:.3f} with "
        f"{label_of(worst)} ({100 * lift:+.1f} points); folds by task change the former by "
        f"{100 * (known_by_task - known):+.1f} points and the latter by "
        f"{100 * (mean[Wanted(worst, TASK).key] - leaks[worst]):+.1f}",
        "'Located at the same node' read as the executor builds the graph from the very placement that is to "
        "be predicted, so it cannot exist when a decision is due. "
        + f"It {'adds' if lift > 0 else 'costs'} {100 * abs(lift):.1f} points against the best graph that is known.",
    )


def _measure_grid(shop: Workshop) -> Measured:
    runs = training_runs(shop)
    wanted = [Wanted(name, by) for name in (*GRID, "mlp") for by in KINDS]
    facts = cross_validated(shop, wanted)
    rows: list[list[str | float | None]] = [["MLP", "none", *_row(facts, "mlp")]]
    rows += [
        [GRAPH_NAMES[GRAPH_NETWORKS[n].graph], GRAPH_NETWORKS[n].convolution, *_row(facts, n)] for n in GRID
    ]
    columns = ["graph", "convolution", "folds by run", "folds by task", f"reach {TARGET}"]
    lines = [
        published_line(f"{NAMES[n]}, published ({PLACEMENT[n][0]:.4f})", PLACEMENT[n][0])
        for n in ("gnn", "mlp")
    ]
    panels = [
        panel(
            GRAPH_NAMES[graph], "convolution", "accuracy",
            [_points(facts, graph, by, style) for by, style in KINDS.items()],
            published=lines, ticks=CONVOLUTIONS,
        )
        for graph in GRAPHS
    ]  # fmt: skip
    return {
        "panels": panels, "table": table(columns, rows), "facts": facts,
        "notes": [labels_note(runs, unproven_gaps(shop)), _FOLDS_NOTE],
        "protocol": protocol_of(shop, runs) | {"seeds": 1},
    }  # fmt: skip


def _row(facts: Mapping[str, Scores], name: str) -> list[str | float | None]:
    reached = [by for by in KINDS if _reaches(facts[Wanted(name, by).key])]
    return [
        *(cell(facts[Wanted(name, by).key], "accuracy") for by in KINDS),
        ", ".join(f"by {x}" for x in reached) or "no",
    ]


def _reaches(scores: Scores) -> bool:
    """Whether the mean over the folds, rounded as the target is, reaches it."""
    return round(over_folds(scores, "accuracy").mean, 2) >= TARGET


def _points(facts: Mapping[str, Scores], graph: str, by: str, style: str) -> Measured:
    names = {GRAPH_NETWORKS[n].convolution: n for n in GRID if GRAPH_NETWORKS[n].graph == graph}
    aside = -0.1 if by == RUN else 0.1
    x = [CONVOLUTIONS.index(c) + aside for c in CONVOLUTIONS]
    row = [over_folds(facts[Wanted(names[c], by).key], "accuracy") for c in CONVOLUTIONS]
    return curve(f"folds by {by}", style, x, row)


def _judge_grid(data: Measured) -> Verdict:
    facts = data["facts"]
    reached = [(n, by) for n in GRID for by in KINDS if _reaches(facts[Wanted(n, by).key])]
    clean = [n for n, by in reached if n in KNOWN and by == RUN]
    mean = {(n, by): over_folds(facts[Wanted(n, by).key], "accuracy").mean for n in GRID for by in KINDS}
    top = max(mean, key=lambda key: mean[key])
    without = max((key for key in mean if key[0] in KNOWN and key[1] == RUN), key=lambda key: mean[key])
    said = f"{len(reached)} of {len(mean)} combinations reach {TARGET}"
    return Verdict(
        "finding",
        f"{said}{': ' + '; '.join(f'{label_of(n)} by {by}' for n, by in reached) if reached else ''}. Highest "
        f"{mean[top]:.3f} ({label_of(top[0])}, by {top[1]}); without a leak {mean[without]:.3f} "
        f"({label_of(without[0])})",
        f"{len(clean) or 'None'} of those without a leak reach{'' if len(clean) > 1 else 'es'} it; the best "
        f"with a graph that "
        f"is known when a decision is due, and no run on both sides, is {100 * abs(TARGET - mean[without]):.1f} points "
        f"{'above' if mean[without] >= TARGET else 'below'}."
        + (f" All that reach it know {_what_leaks(reached)}." if reached and not clean else ""),
    )


def _what_leaks(reached: Sequence[tuple[str, str]]) -> str:
    graphs = any(GRAPH_NETWORKS[n].leaks for n, _ in reached)
    tasks = any(by == TASK for _, by in reached)
    words = (["the answers by its graph"] if graphs else []) + (
        ["other tasks of the same run"] if tasks else []
    )
    return " or ".join(words)


def _cliques_wanted() -> list[Wanted]:
    return [Wanted(name) for name in (*KNOWN, "mlp") if name not in ("gnn", "gnn-own", "mlp")]


def _leak_wanted() -> list[Wanted]:
    leaking = [name for name in GRAPH_NETWORKS if name not in KNOWN]
    return [Wanted(name, by) for name in leaking for by in KINDS] + [
        Wanted(name, TASK) for name in ("gnn-own", "mlp")
    ]


def _grid_core_s(scale: Scale) -> float:
    """What the other items have not trained yet."""
    return cross_validation_core_s(scale, [Wanted(name, TASK) for name in ("gnn", "gnn-bare")])


ITEMS = (
    Item(
        "cliques",
        "Finding: a graph of cliques gives the tasks of an ingress one answer",
        "Neighbours' features are averaged over the graph (12, 13), with self-loops in the cited convolution.",
        _measure_cliques,
        _judge_cliques,
        lambda s: cross_validation_core_s(s, _cliques_wanted()),
        uses=("table3",),
    ),
    Item(
        "label-leak",
        "Finding: label leakage in the executor graph",
        "Tasks share an edge if they are located at the same node.",
        _measure_leak,
        _judge_leak,
        lambda s: cross_validation_core_s(s, _leak_wanted()),
        uses=("cliques",),
        revision=3,
    ),
    Item(
        "combinations",
        "Finding: which graph, convolution and folds reach the published accuracy",
        "The GNN's accuracy is 0.9244.",
        _measure_grid,
        _judge_grid,
        _grid_core_s,
        uses=("label-leak",),
    ),
    TIES,
)
