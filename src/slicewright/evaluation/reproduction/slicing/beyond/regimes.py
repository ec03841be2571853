"""Slicing: every model in every regime, as trained on the published setting and trained anew there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from slicewright.evaluation.reproduction.engine.item import Item, Verdict
from slicewright.evaluation.reproduction.engine.measured import (
    Measured,
    curve,
    panel,
    protocol,
    published_line,
    table,
)
from slicewright.evaluation.reproduction.engine.published_numbers import LARGEST_DEVIATION, NAMES
from slicewright.evaluation.reproduction.engine.scale import Scale
from slicewright.evaluation.reproduction.engine.statistics import Estimate, estimate
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.slicing.methods import FIRST_SEED, classical_plans
from slicewright.evaluation.reproduction.slicing.models import (
    Overrides,
    drawn,
    model_folder,
    prepare,
    serving,
    size_free_for,
)
from slicewright.evaluation.reproduction.slicing.readings import Reading, read
from slicewright.models.slicing.session import LoadedModel, load_model
from slicewright.network.regimes import REGIMES
from slicewright.network.scenario import Scenario
from slicewright.policies.slicing import plan
from slicewright.slicing.plan import Plan

BEST_ROUNDS = 300
"""Of search for the best plan known, beside the plans of all methods."""
PUBLISHED = (*NAMES,)[:4]
BASELINES = ("best-response", "erap", "prap")
READINGS: tuple[Reading, ...] = ("argmax", "decoded")
HOME, ANEW = "trained on the published setting", "trained anew"
LEAST_DRAWN = 1e-2
"""%, excess below which nothing is told apart in the figure."""


@dataclass(frozen=True)
class Model:
    """A trained model that can be asked.

    Attributes:
        name: of the design.
        where: ``HOME`` or ``ANEW``.
        loaded: itself.
    """

    name: str
    where: str
    loaded: LoadedModel


def cases(scale: Scale) -> dict[str, Overrides]:
    """Every regime with every queue that the scale asks for."""
    return {
        f"{regime}, {queue} queue": {**REGIMES[regime].parameters, "queueing": queue}
        for queue in scale.queueing
        for regime in REGIMES
    }


def _measure(shop: Workshop) -> Measured:
    wanted = cases(shop.scale)
    for name in shop.scale.designs:
        prepare(shop, list(wanted.values()), name=name, seeds=[shop.seed], labels=shop.scale.regime_labels)
    size_free_for(shop, list(wanted.values()), labels=shop.scale.regime_labels)
    excess: dict[str, dict[str, Estimate]] = {}
    for case, overrides in wanted.items():
        shop.report(case)
        excess[case] = _asked(shop, overrides)
    columns = list(next(iter(excess.values())))
    rows: list[list[str | float | None]] = [
        [case, *(f"{row[c].mean:.3g} ± {row[c].half:.2g}" for c in columns)] for case, row in excess.items()
    ]
    facts = {case: {c: e.mean for c, e in row.items()} for case, row in excess.items()}
    scale = shop.scale
    done = protocol(runs=_runs(scale), labels=scale.regime_labels, epochs=scale.serving_epochs, seeds=1)
    notes = [
        "Mean excess cost above the best plan known, in percent. Trained on the published setting: the models "
        "that ship "
        "with the package (5,000 labels of that setting for the published designs; 11,000 of it and of other "
        "networks for "
        f"the size-free one). Trained anew: {scale.regime_labels:,} labels of the regime for each, "
        f"{scale.serving_epochs} epochs for published designs, {scale.size_free_epochs} + 1 for the size-free "
        f"one. Best "
        f"known: the cheapest of all plans here and of a search of {BEST_ROUNDS} rounds.",
        "Regimes: " + "; ".join(f"{name}: {regime.stresses}" for name, regime in REGIMES.items()) + ".",
    ]
    return {
        "panels": _panels(excess, scale),
        "table": table(["regime", *columns], rows),
        "facts": facts,
        "protocol": done,
        "notes": notes,
    }


def _runs(scale: Scale) -> int:
    return 3 * scale.few


def _asked(shop: Workshop, overrides: Overrides) -> dict[str, Estimate]:
    """Excess in percent of every model, reading and baseline in one regime."""
    problems = [drawn(FIRST_SEED + k, overrides) for k in range(_runs(shop.scale))]
    made: dict[str, list[Plan]] = {}
    for model in _models(shop, overrides):
        for reading in READINGS:
            label = f"{NAMES.get(model.name, 'bipartite')}, {model.where}, {reading}"
            made[label] = [read(model.loaded, p, reading) for p in problems]
    for name in BASELINES:
        made[name] = classical_plans(shop, name, problems)
    best = shop.each(_long_search, problems)
    cost = {label: np.array([p.cost_s for p in plans]) for label, plans in made.items()}
    least = np.minimum.reduce([np.array([p.cost_s for p in best]), *cost.values()])
    return {label: estimate(100 * (values / least - 1)) for label, values in cost.items()}


def _long_search(problem: Scenario) -> Plan:
    return plan(problem, method="auto", rounds=BEST_ROUNDS)


def _models(shop: Workshop, overrides: Overrides) -> list[Model]:
    with serving(shop.work / "nothing"):  # what ships
        models = [Model(name, HOME, load_model(name)) for name in (*PUBLISHED, "bipartite")]
    with serving(model_folder(shop, overrides, shop.seed)):
        return models + [Model(name, ANEW, load_model(name)) for name in (*shop.scale.designs, "bipartite")]


def _panels(excess: Mapping[str, Mapping[str, Estimate]], scale: Scale) -> list[Measured]:
    """One panel per queue: argmax of each model at home and anew, and best response."""
    shown = {
        f"{NAMES['deepsets-s']}, {HOME}, argmax": ("DeepSets-S, trained at home", "deepsets-s point"),
        f"{NAMES['deepsets-s']}, {ANEW}, argmax": ("DeepSets-S, trained anew", "deepsets-s-anew point"),
        f"{NAMES['set-transformer-4']}, {HOME}, argmax": (
            "SetTransformer 4, at home",
            "set-transformer-4 point",
        ),
        f"bipartite, {HOME}, argmax": ("bipartite, trained at home", "bipartite point"),
        f"bipartite, {ANEW}, argmax": ("bipartite, trained anew", "bipartite-anew point"),
        "best-response": ("best response", "best-response point"),
    }
    panels = []
    for queue in scale.queueing:
        names = [case for case in excess if case.endswith(f"{queue} queue")]
        curves = [
            curve(label, style, range(len(names)), [_drawable(excess[case][key]) for case in names])
            for key, (label, style) in shown.items()
        ]
        panels.append(
            panel(
                f"{queue} queue, by argmax", "regime", "above the best known in %", curves, log=True,
                ticks=[name.split(",")[0] for name in names],
                published=[published_line("published (setting of its own)", 100 * LARGEST_DEVIATION)],
            )
        )  # fmt: skip
    return panels


def _drawable(e: Estimate) -> Estimate:
    return Estimate(max(e.mean, LEAST_DRAWN), e.half, e.count)


def _judge(data: Measured) -> Verdict:
    facts: Mapping[str, Mapping[str, float]] = data["facts"]
    away = {case: row for case, row in facts.items() if not case.startswith("paper")}
    home, anew = (f"{NAMES['deepsets-s']}, {where}, argmax" for where in (HOME, ANEW))
    free = f"bipartite, {HOME}, argmax"
    usable = sum(row[home] <= 100 * LARGEST_DEVIATION for row in away.values())
    again = sum(row[anew] <= 100 * LARGEST_DEVIATION for row in away.values())
    behind = sum(row[anew] > row["best-response"] for row in facts.values())
    return Verdict(
        "finding",
        f"outside the published setting DeepSets-S as trained there is {_range(away, home)} above the best "
        f"known by argmax, "
        f"trained anew {_range(away, anew)}; bipartite as shipped {_range(away, free)}, best response "
        f"{_range(away, 'best-response')}",
        f"As trained on the published setting DeepSets-S is within 6.1 % in {usable} of {len(away)} other "
        f"regimes, trained "
        f"anew in {again}; one run of best response beats the model trained for the regime in {behind} of "
        f"{len(facts)}. "
        f"{_deploying(usable, again, len(away))}",
    )


def _deploying(usable: int, again: int, count: int) -> str:
    """What that means for somebody who deploys such a model."""
    if usable == count:
        return "A model of fixed widths could be deployed without knowing the regime."
    if again > usable:
        return "Whoever deploys it must train it for the regime they meet, and notice when that changes."
    return "Training it anew does not make it safe to deploy: it needs a search behind it that checks every plan."


def _range(rows: Mapping[str, Mapping[str, float]], column: str) -> str:
    values = [row[column] for row in rows.values()]
    return f"{min(values):.2g} to {max(values):,.3g} %"


def _work(scale: Scale) -> float:
    count, labels = len(cases(scale)), scale.regime_labels
    designs = sum(2.5 if "set" in design else 1.0 for design in scale.designs)
    published = designs * labels * (0.006 + 0.0022 * scale.serving_epochs)
    free = labels * (0.006 + 0.004 * (scale.size_free_epochs + 1))
    return count * (published + free + _runs(scale) * 0.2)


ITEMS = (
    Item(
        "regimes",
        "Beyond: every model in every regime, at home and trained anew",
        "Nothing: one setting is measured, in which nodes are 2 to 3 % of the cost.",
        _measure,
        _judge,
        _work,
        trained=True,
        least="quick",
    ),
)
