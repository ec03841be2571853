"""What Figures 6 to 9 of the slicing publication claim, judged at every point that was measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slicewright.evaluation.reproduction.engine.item import Verdict, holds
from slicewright.evaluation.reproduction.engine.measured import Measured
from slicewright.evaluation.reproduction.engine.published_numbers import (
    LARGEST_DEVIATION,
    MEAN_DEVIATION_30_50,
)
from slicewright.evaluation.reproduction.slicing.methods import LABELS
from slicewright.evaluation.reproduction.slicing.points import NAMED

CLOSELY_PP = 5.0
"""Percentage points on average within which one curve of Figure 9 is taken to follow another closely: our reading."""


def judge_ratio(data: Measured) -> Verdict:
    """Figure 6: above both baselines at every point, by more at 25 devices than at 15."""
    ratio = data["facts"]["ratio"]
    above, lead = [], []
    for devices, learned in ratio["deepsets-s"].items():
        best = np.maximum(ratio["erap"][devices], ratio["prap"][devices])
        above += (np.array(learned) > best).tolist()
        lead.append(float(np.mean(np.array(learned) - best)))
    mean = {m: float(np.mean([x for row in rows.values() for x in row])) for m, rows in ratio.items()}
    told = ", ".join(f"{NAMED[m]} {x:.3f}" for m, x in mean.items())
    wider = lead[-1] > max(lead[0], 0.0)
    return Verdict(
        holds([*above, wider]),
        f"mean cost ratio: {told}",
        _text(
            f"By argmax with closed-form shares DeepSets-S beats both baselines at {sum(above)} of {len(above)} "
            f"points; its lead over the better of them is {lead[0]:+.3f} at 15 devices and {lead[-1]:+.3f} at 25.",
            _own(data),
            "ERAP and PRAP keep their own rules for shares.",
        ),
    )


def judge_coins(data: Measured) -> Verdict:
    """Figure 7: within 6.1 % at every point, dearer with more devices and cheaper with more COINs."""
    facts = data["facts"]
    points = _points(facts, "deepsets-s")
    close = [excess <= LARGEST_DEVIATION for excess in points.values()]
    falls, grows = _falls(facts), _grows(facts)
    at_30 = [e for (_, i), e in points.items() if i == _nearest(facts["devices"], 30)]
    worst = max(points, key=lambda p: points[p])
    return Verdict(
        holds([*close, *falls, *grows]),
        f"DeepSets-S by argmax within 6.1 % at {sum(close)} of {len(close)} points, {100 * points[worst]:.1f} % at "
        f"worst ({worst[0]} COINs, {worst[1]} devices), up to {100 * max(at_30):.1f} % at "
        f"{_nearest(facts['devices'], 30)} devices; at worst "
        f"{_worst(facts, ('bipartite', 'bipartite-decoded', 'ours'))}",
        _text(
            f"The optimum grows with the devices at {sum(grows)} of {len(grows)} steps and falls with more COINs at "
            f"{sum(falls)} of {len(falls)}.",
            _decoded(data),
            _own(data),
        ),
    )


def judge_slices(data: Measured) -> Verdict:
    """Figure 8: 3.8 % on average from 30 devices on, and cheaper with more slices."""
    facts = data["facts"]
    points = _points(facts, "deepsets-s")
    large = [i for i in facts["devices"] if i >= 30] or [max(facts["devices"])]
    mean = {n: float(np.mean([points[n, i] for i in large])) for n in facts["values"]}
    overall = float(np.mean(list(mean.values())))
    falls = _falls(facts)
    first, last = (np.mean(facts["best_cost"][str(n)]) for n in (facts["values"][0], facts["values"][-1]))
    worst = max(points, key=lambda p: points[p])
    by_number = ", ".join(f"{100 * e:.1f} % with {n} slices" for n, e in mean.items())
    return Verdict(
        holds([overall <= MEAN_DEVIATION_30_50, *falls]),
        f"DeepSets-S by argmax {100 * overall:.1f} % above the optimum on average at {large[0]} devices and more "
        f"({by_number}), {100 * points[worst]:.1f} % at worst ({worst[0]} slices, {worst[1]} devices); the optimum "
        f"changes by {100 * (last / first - 1):+.1f} % from {facts['values'][0]} to {facts['values'][-1]} slices",
        _text(
            f"The optimum falls with more slices at {sum(falls)} of {len(falls)} steps. The radio cost cannot change "
            "(see the finding on slices): what is gained comes from the compute capacity that each slice brings.",
            _decoded(data),
            _own(data),
        ),
    )


def judge_mec(data: Measured) -> Verdict:
    """Figure 9: the solver's share rises in every configuration, and DeepSets-S follows it."""
    rises, off = [], []
    for each in data["panels"]:
        by_label = {c["label"]: c["mean"] for c in each["curves"]}
        best = by_label[LABELS["os"]]
        rises.append(best[-1] > best[0])
        off += _apart(best, by_label[LABELS["deepsets-s"]])
    first = next(c["mean"] for c in data["panels"][0]["curves"] if c["label"] == LABELS["os"])
    follows = bool(off) and float(np.mean(off)) <= CLOSELY_PP
    apart = (
        f"off by {np.mean(off):.0f} percentage points on average, {max(off):.0f} at worst"
        if off
        else "offloads nobody, so it has no share"  # hardly trained, at the smallest scales
    )
    return Verdict(
        holds([*rises, follows]),
        f"optimum {first[0]:.0f} % to {first[-1]:.0f} % on the MEC ({data['panels'][0]['title']}); DeepSets-S {apart}",
        f"The optimum's share {_course(rises)} with the number of devices"
        + (
            "."
            if all(rises)
            else ": a queue is shared by all slices of a node, so a crowded MEC sends tasks to COINs."
        )
        + " Nodes are a small part of the cost, so exchanging a COIN for the MEC is nearly free "
        "and the share says little.",
    )


def _apart(one: Sequence[float | None], other: Sequence[float | None]) -> list[float]:
    return [abs(a - b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]


def _course(rises: Sequence[bool]) -> str:
    return "rises" if all(rises) else ("rises in some configurations only" if any(rises) else "falls")


def _points(facts: Measured, method: str) -> dict[tuple[int, int], float]:
    """Relative excess by (value of the figure's parameter, devices)."""
    return {
        (n, i): e
        for n in facts["values"]
        for i, e in zip(facts["devices"], facts["excess"][method][str(n)], strict=True)
        if e is not None
    }


def _worst(facts: Measured, methods: Sequence[str]) -> str:
    """The worst points of those methods that were measured."""
    return ", ".join(
        f"{NAMED[m]} {100 * max(_points(facts, m).values()):.2f} %" for m in methods if m in facts["excess"]
    )


def _nearest(devices: Sequence[int], wanted: int) -> int:
    return min(devices, key=lambda i: abs(i - wanted))


def _falls(facts: Measured) -> list[bool]:
    """Whether the optimum's mean cost falls from each value of the parameter to the next, at each number of devices."""
    cost = np.array([facts["best_cost"][str(n)] for n in facts["values"]])
    return [bool(x) for x in (np.diff(cost, axis=0) < 0).ravel()]


def _grows(facts: Measured) -> list[bool]:
    """Whether the optimum's mean cost grows from each number of devices to the next, at each value of the parameter."""
    cost = np.array([facts["best_cost"][str(n)] for n in facts["values"]])
    return [bool(x) for x in (np.diff(cost, axis=1) > 0).ravel()]


def _text(*sentences: str) -> str:
    """The sentences that say something, one after the other."""
    return " ".join(sentence for sentence in sentences if sentence)


def _decoded(data: Measured) -> str:
    """What decoding buys each model that was read both ways, over all points."""
    mean = {m: float(np.mean(seeds)) for m, seeds in data["facts"]["by_seed"].items()}
    gains = [
        f"{NAMED[m]} goes from {_pc(mean[m])} to {_pc(mean[m + '-decoded'])}"
        for m in ("deepsets-s", "bipartite")
        if m in mean and m + "-decoded" in mean
    ]
    return (
        f"Decoded in 32 orders under the true cost, {', '.join(gains)} above the optimum over all points."
        if gains
        else ""
    )


def _own(data: Measured) -> str:
    """What becomes of the model's own shares, if they were measured."""
    rules = data["facts"]["broken"].get("own")
    if rules is None:
        return ""
    return (
        f"With its own shares, as published, {_pc(rules['13b'])} of its plans break 13b and {_pc(rules['13c'])} break "
        f"13c; in {_pc(rules['never'])} some task never completes."
    )


def _pc(share: float) -> str:
    return f"{100 * share:.2g} %"
