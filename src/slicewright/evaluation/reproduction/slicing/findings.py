"""Slicing: what the publication gets wrong or leaves out, each with a measurement of ours."""

from __future__ import annotations

from typing import Any

import numpy as np

from slicewright.evaluation.reproduction.engine.item import Item, Verdict
from slicewright.evaluation.reproduction.engine.measured import Measured, curve, panel, table
from slicewright.evaluation.reproduction.engine.statistics import estimate
from slicewright.evaluation.reproduction.engine.workshop import Workshop
from slicewright.evaluation.reproduction.slicing.decision_times import CURVE
from slicewright.evaluation.reproduction.slicing.methods import proven_optimum, scenarios
from slicewright.evaluation.reproduction.slicing.models import published_model, serving
from slicewright.evaluation.reproduction.slicing.readings import read
from slicewright.models.slicing.session import load_model
from slicewright.network.scenario import Scenario
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.judge import TOLERANCE
from slicewright.slicing.plan import Plan
from slicewright.slicing.published.ipopt_shares import ipopt_shares
from slicewright.slicing.shares import Shares, optimal_shares

CHECKED_DEVICES = (5, 10, 20, 30, 50)
TIES = (1e-9, 1e-3, 1e-2)
NEAR = 1e-3


def _measure_slack(shop: Workshop) -> Measured:
    largest = {"closed form": 0.0, "Ipopt": 0.0}
    used = total = 0
    for devices in (5, 15, 30):
        for problem in scenarios(shop, devices, {}, shop.scale.few):
            shop.report(f"{devices} devices")
            answer = proven_optimum(problem)
            by_ipopt = ipopt_shares(problem, answer.decisions).shares
            for name, shares in (("closed form", answer.shares), ("Ipopt", by_ipopt)):
                if shares is not None:
                    sums = _sums(problem, answer.decisions, shares)
                    largest[name] = max(largest[name], float(np.abs(1 - sums[sums > 0]).max(initial=0.0)))
            sums = _sums(problem, answer.decisions, answer.shares)
            used, total = used + int((sums > 0).sum()), total + sums.size
    rows: list[list[str | float | None]] = [[name, value] for name, value in largest.items()]
    facts = {**largest, "used": used, "total": total}
    return {"table": table(["shares by", "largest slack on a used resource"], rows), "facts": facts}


def _sums(scenario: Scenario, decisions: Decisions, shares: Shares) -> np.ndarray:
    """Sums of shares of every access point, and of every access point and every node in every slice; 0 if unused."""
    off = np.flatnonzero(~decisions.local)
    a, j, n = decisions.access_point[off], decisions.node[off], decisions.slice[off]
    radio = np.zeros((scenario.n_access_points, scenario.n_slices))
    compute = np.zeros((scenario.n_nodes, scenario.n_slices))
    np.add.at(radio, (a, n), shares.radio[off])
    np.add.at(compute, (j, n), shares.compute[off])
    between = np.where(np.isin(np.arange(scenario.n_access_points), a), shares.bandwidth.sum(axis=1), 0.0)
    return np.concatenate([between, radio.ravel(), compute.ravel()])


def _judge_slack(data: Measured) -> Verdict:
    f = data["facts"]
    return Verdict(
        "finding",
        f"largest slack on {f['used']} used resources: {f['closed form']:.1g} (closed form), {f['Ipopt']:.1g} "
        f"(Ipopt); {f['total'] - f['used']} of {f['total']} resources are empty",
        "Every cost falls in every share, so an optimum leaves nothing over on a resource that anybody uses: "
        "the slack target is 1 on empty resources and 0 on all others. The slack class therefore learns "
        "which resources are empty, not unused capacity.",
    )


def _measure_radio(shop: Workshop) -> Measured:
    rng = np.random.default_rng(shop.seed)
    radio_change, total_change = [], []
    for devices in (10, 30, 50):
        for problem in scenarios(shop, devices, {}, shop.scale.few):
            answer = proven_optimum(problem)
            d = answer.decisions
            for _ in range(5):
                mixed = np.where(d.local, -1, rng.integers(problem.n_slices, size=problem.n_devices))
                other = Decisions(d.access_point, d.node, mixed)
                shares = optimal_shares(problem, other)
                if shares is None:
                    continue
                changed = Plan(problem, other, shares)
                before, after = (float(p.times.transmit_s.sum()) for p in (answer, changed))
                radio_change.append(abs(after / before - 1) if before else 0.0)
                total_change.append(changed.cost_s / answer.cost_s - 1)
    largest = float(max(radio_change, default=0.0))
    facts = {"largest": largest, "total": float(np.mean(total_change)), "trials": len(radio_change)}
    rows: list[list[str | float | None]] = [
        ["radio part of the cost, largest relative change", largest],
        ["whole cost, mean relative change", facts["total"]],
    ]
    return {
        "table": table(["devices put into random slices, shares optimal again", "value"], rows),
        "facts": facts,
    }


def _judge_radio(data: Measured) -> Verdict:
    f = data["facts"]
    return Verdict(
        "finding",
        f"radio cost changes by at most {f['largest']:.1g} (relative) in {f['trials']} random reassignments "
        f"of slices; the whole cost by {100 * f['total']:+.1f} % on average",
        "With optimal shares an access point costs the square of the sum of sqrt(T) over its devices, "
        "however they are split into slices. So SP2 has nothing to gain on the radio side, and the effect of "
        "slices in Figure 8 is compute capacity alone.",
    )


def _measure_violations(shop: Workshop) -> Measured:
    folder = published_model(shop, {})
    rows: list[list[str | float | None]] = []
    broken: dict[str, list[Any]] = {"13b": [], "13c": [], "no shares": []}
    with serving(folder):
        model = load_model("deepsets-s")
        for devices in CHECKED_DEVICES:
            shop.report(f"{devices} devices")
            tallies = [_raw(model, p) for p in scenarios(shop, devices, {})]
            means = {k: estimate([100 * t[k] for t in tallies]) for k in tallies[0]}
            for k, row in broken.items():
                row.append(means[k])
            rows.append(
                [f"{devices} devices", *(f"{means[k].mean:.0f} ± {means[k].half:.0f}" for k in means)]
            )
    columns = [
        "DeepSets-S, raw outputs", "plans that break 13b, %", "plans that break 13c, %",
        "offloaded devices late (13b), %", "offloaded devices in unstable queues (13c), %",
        "decisions that no shares save, %",
    ]  # fmt: skip
    labels = {
        "13b": ("13b broken", "rule-13b"), "13c": ("13c broken", "rule-13c"),
        "no shares": ("no shares can save the decisions", "no-shares"),
    }  # fmt: skip
    curves = [curve(*labels[k], CHECKED_DEVICES, row) for k, row in broken.items()]
    panels = [panel("raw outputs of DeepSets-S", "devices", "plans in %", curves, share=True)]
    facts = {k: float(np.mean([e.mean for e in row])) for k, row in broken.items()}
    return {"panels": panels, "table": table(columns, rows), "facts": facts}


def _raw(model: Any, scenario: Scenario) -> dict[str, float]:
    """What the network's own decisions and own shares break in one scenario."""
    plan = read(model, scenario, "own")
    d, times, violations = plan.decisions, plan.times, plan.violations
    off = np.flatnonzero(~d.local)
    late = times.execute_s[off] > scenario.local_time_s[off] + TOLERANCE
    unstable = np.isinf(times.execute_s[off])
    return {
        "13b": float("13b" in violations.broken),
        "13c": float("13c" in violations.broken),
        "late": float(late.mean()) if off.size else 0.0,
        "unstable": float(unstable.mean()) if off.size else 0.0,
        "no shares": float(optimal_shares(scenario, d) is None),
    }


def _judge_violations(data: Measured) -> Verdict:
    f = data["facts"]
    return Verdict(
        "finding",
        f"raw plans break 13b in {f['13b']:.0f} % and 13c in {f['13c']:.0f} % of scenarios; in "
        f"{f['no shares']:.0f} % no shares at all make the decisions feasible",
        "The published lemmas cover sums of shares (13d, 13e) only; execution time and stable queues are "
        "never measured. A small predicted share is within a percentage point of the right one and still "
        "leaves a queue unstable.",
    )


def _measure_ties(shop: Workshop) -> Measured:
    rows: list[list[str | float | None]] = []
    tied: list[float] = []
    agree: list[float] = []
    for devices in (10, 30):
        problems = scenarios(shop, devices, {}, shop.scale.few)
        shop.report(f"{devices} devices")
        best = shop.each(proven_optimum, problems)
        found = shop.each(_alternatives, best)
        shares = [estimate([100 * f[t] for f in found]) for t in TIES]
        pairs = shop.each(_agreement, best)
        both = estimate([100 * p for p in pairs])
        rows.append([f"{devices} devices", *(f"{e.mean:.0f} ± {e.half:.0f}" for e in (*shares, both))])
        tied.append(shares[1].mean)
        agree.append(both.mean)
    columns = [
        "scenario", "tied exactly, %", "another decision within 0.1 % of the cost, %", "within 1 %, %",
        "agreement of two plans within 0.1 %, %",
    ]  # fmt: skip
    return {
        "table": table(columns, rows),
        "facts": {"tied": float(np.mean(tied)), "agree": float(np.mean(agree))},
    }


def _alternatives(best: Plan) -> dict[float, float]:
    """Part of devices that have another decision, the others staying, which costs at most so much more."""
    scenario, d = best.scenario, best.decisions
    least = np.full(scenario.n_devices, np.inf)
    for i in range(scenario.n_devices):
        own = (d.access_point[i], d.node[i], d.slice[i])
        options = [(-1, -1, -1), *np.ndindex(scenario.n_access_points, scenario.n_nodes, scenario.n_slices)]
        for option in options:
            if option == own:
                continue
            changed = [x.copy() for x in (d.access_point, d.node, d.slice)]
            for x, v in zip(changed, option, strict=True):
                x[i] = v
            other = Decisions(*changed)
            shares = optimal_shares(scenario, other)
            if shares is not None:
                least[i] = min(least[i], Plan(scenario, other, shares).cost_s / best.cost_s - 1)
    return {t: float((least <= t).mean()) for t in TIES}


def _agreement(best: Plan) -> float:
    """Part of equal decisions between the optimum and another plan within 0.1 % of it, from a short search."""
    from slicewright.slicing.search import iterated_search

    scenario = best.scenario
    for seed in range(1, 40):
        d, shares = iterated_search(scenario, rounds=3, seed=seed)
        same = np.ones(scenario.n_devices, dtype=bool)
        for a, b in zip(
            (d.access_point, d.node, d.slice),
            (best.decisions.access_point, best.decisions.node, best.decisions.slice),
            strict=True,
        ):
            same &= a == b
        if not same.all() and Plan(scenario, d, shares).cost_s <= best.cost_s * (1 + NEAR):
            return float(same.mean())
    return float("nan")


def _judge_ties(data: Measured) -> Verdict:
    f = data["facts"]
    return Verdict(
        "finding",
        f"{f['tied']:.0f} % of devices have another decision within 0.1 % of the cost; two plans within 0.1 % "
        f"of each other agree on {f['agree']:.0f} % of decisions",
        "Nodes are a few percent of the cost, so node and slice can be exchanged at almost no cost and the "
        "label picks one of many good answers. Accuracy over 82 classes punishes equally good plans; cost is "
        "the measure to report.",
    )


ITEMS = (
    Item(
        "slack",
        "Finding: slack is always 0 on used resources",
        "A slack class keeps shares below 1 and represents unused capacity.",
        _measure_slack,
        _judge_slack,
        lambda s: 3 * s.few * 0.5,
    ),
    Item(
        "slices-and-radio",
        "Finding: slices do not change the radio cost",
        "More slices reduce cost by adapting radio and compute better.",
        _measure_radio,
        _judge_radio,
        lambda s: 3 * s.few * 0.7,
    ),
    Item(
        "violations",
        "Finding: what raw network outputs violate",
        "Nothing: 13b and 13c are never measured.",
        _measure_violations,
        _judge_violations,
        lambda s: 20 + 5 * s.runs * 0.01,
    ),
    Item(
        "ties",
        "Finding: accuracy against ties",
        "Accuracy over all decisions is taken as a measure of quality.",
        _measure_ties,
        _judge_ties,
        lambda s: s.few * 2.0,
    ),
    CURVE,
)
