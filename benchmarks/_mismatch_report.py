"""Table, figure and data of what learning is for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from benchmarks._mismatch_world import PLANNERS
from slicewright.drawing.palette import INK, SERIES_COLOURS, SOFT
from slicewright.errors import InvalidOptionError
from slicewright.files.documents import read_document, write_atomically, write_document
from slicewright.files.pictures import write_picture
from slicewright.types import FloatArray

FOLDER = Path(__file__).parents[1] / "reproduction" / "mismatch"
Results = dict[str, dict[str, Any]]


def command_of(scale: str) -> str:
    """What was typed."""
    return f"python -m benchmarks mismatch --scale {scale}"


def result_file(scale: str, name: str) -> Path:
    """Where what was measured of one kind is kept."""
    plain = "".join(letter if letter.isalnum() else "-" for letter in name)
    return FOLDER / "work" / scale / f"{plain}.json"


def read_results(scale: str, names: list[str]) -> Results:
    """What is measured so far, by name."""
    there = [name for name in names if result_file(scale, name).exists()]
    return {name: dict(read_document(result_file(scale, name), InvalidOptionError)) for name in there}


def interval(values: FloatArray) -> tuple[float, float]:
    """Mean, and the half width of its 95 % interval."""
    half = stats.t.ppf(0.975, values.size - 1) * values.std(ddof=1) / np.sqrt(values.size)
    return float(values.mean()), float(half)


def _ratio(result: dict[str, Any], name: str, beside: str = "trusting") -> FloatArray:
    """(scenarios,) cost over another planner's."""
    return np.asarray(np.array(result["cost_s"][name]) / np.array(result["cost_s"][beside]))


def write_report(
    scale: str,
    results: Results,
    test: int,
    train: int,
    *,
    checked: dict[str, Any] | None = None,
    folder: Path = FOLDER,
) -> str:
    """Write report, figure and data into a folder, by default beside the work; returns the report.

    Args:
        scale: of the results.
        results: by kind.
        test, train: networks.
        checked: when and where how many costs were judged again, if they were.
        folder: where to.
    """
    drift = results.get("drift")
    kinds = {name: result for name, result in results.items() if name != "drift"}
    lines = [
        "# What learning is for",
        "",
        f"`{command_of(scale)}`. Measured system cost over that of the planner that trusts",
        f"the formula: {test} networks of 15 devices, none seen in tuning, means with 95 % intervals. Margins and",
        f"weights were tuned for each row on {train} other networks; corrections have nothing to tune,",
        "but how rates are drawn to their mean, where their error is told, was chosen with these networks in sight.",
        *_origin_lines(results),
        *_checked_lines(checked),
        "",
        "| what is wrong | margins | learned | corrected | corrected, told | learned over the better correction |",
        "|---|---|---|---|---|---|",
    ]
    for name, result in kinds.items():
        cells = " | ".join("{:.3f} ± {:.3f}".format(*interval(_ratio(result, p))) for p in PLANNERS)
        best = min(PLANNERS[2:], key=lambda p: float(_ratio(result, p).mean()))
        lines.append(
            f"| {name} | {cells} | {'{:.3f} ± {:.3f}'.format(*interval(_ratio(result, 'learned', best)))} |"
        )
    lines += [
        "",
        "Decisions, ms of processor time, and the margins that were best:",
        "",
        "| what is wrong | margins on size, rate | trusting | margins | learned | corrected | corrected, told |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, result in kinds.items():
        spent = " | ".join(f"{result['decision_ms'][p]:.1f}" for p in ("trusting", *PLANNERS))
        lines.append(f"| {name} | {result['margin'][0]:g}, {result['margin'][1]:g} | {spent} |")
    if drift is not None:
        lines += _drift_lines(drift)
    lines += ["", "![Cost over the trusting planner's](mismatch.png)", ""]
    folder.mkdir(parents=True, exist_ok=True)
    report = "\n".join(lines)
    write_atomically(folder / "report.md", report.encode())
    data = {"scale": scale, "results": results} | ({} if checked is None else {"checked": checked})
    write_document(data, folder / "data.json")
    _draw(kinds, drift, folder / "mismatch.png")
    return report


def _place(told: dict[str, Any]) -> str:
    """Commit, day and machine in a few words."""
    host = told["host"]
    return (
        f"commit {told['commit'] or 'unknown'}, {told['date']}, {host['system']} {host['machine']}, "
        f"{host['processor']}, {host['jobs']} of {host['processors']} processors"
    )


def _origin_lines(results: Results) -> list[str]:
    """A line for each commit, day and machine that something was measured at."""
    places: dict[str, list[str]] = {}
    for name, result in results.items():
        if "origin" in result:
            places.setdefault(_place(result["origin"]), []).append(name)
    return [
        line for where, names in places.items() for line in ("", f"Measured at {where}: {', '.join(names)}.")
    ]


def _checked_lines(checked: dict[str, Any] | None) -> list[str]:
    if checked is None:
        return []
    told = checked["origin"]
    return [
        "",
        f"Judged again by `{told['command']}` at {_place(told)}:",
        f"of {checked['costs']} costs, on the first {checked['networks']} networks of every row, {checked['same']} are "
        f"the same to the last bit; means are {100 * checked['off']:.2g} % off at most.",
    ]


def _drift_lines(drift: dict[str, Any]) -> list[str]:
    base = np.array(drift["cost_s"]["trusting"])
    lines = [
        "",
        f"Under a drift, bursts that grow from 1 to 5 times the mean rate in {len(base)} periods; what is learned or",
        "told in a period is what was measured in the one before. Cost over the trusting planner's:",
        "",
        "| planner | all periods | "
        + " | ".join(str(k + 1) for k in range(len(base)))
        + " | episodes for a period |",
        "|---|---|" + "---|" * len(base) + "---|",
    ]
    for name, costs in drift["cost_s"].items():
        if name != "trusting":
            ratio = np.array(costs) / base
            periods = " | ".join(f"{row.mean():.3f}" for row in ratio)
            mean, half = interval(ratio.mean(axis=0))
            lines.append(
                f"| {name} | {mean:.3f} ± {half:.3f} | {periods} | {drift['episodes'].get(name, 0)} |"
            )
    return lines


def _draw(kinds: Results, drift: dict[str, Any] | None, file: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.0, 6.2), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(
        "Measured system cost over that of the planner that trusts the formula, 95 % intervals",
        color=INK,
        fontsize=12,
    )
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    for k, planner in enumerate(PLANNERS):
        found = np.array([interval(_ratio(result, planner)) for result in kinds.values()]).reshape(-1, 2)
        at = np.arange(len(found)) + 0.17 * (k - 1.5)
        left.errorbar(
            found[:, 0],
            at,
            xerr=found[:, 1],
            fmt="o",
            color=SERIES_COLOURS[k],
            markersize=5,
            capsize=2.5,
            label=planner,
        )
    left.set_yticks(np.arange(len(kinds)), labels=list(kinds), fontsize=9)
    left.invert_yaxis()
    left.axvline(1.0, color=SOFT, linewidth=0.8)
    left.set_xlabel("below 1: better than trusting the formula", color=SOFT)
    left.legend(fontsize=8.5, frameon=False, loc="lower left")
    if drift is not None:
        base = np.array(drift["cost_s"]["trusting"])
        rows = [
            (name, np.array(costs) / base) for name, costs in drift["cost_s"].items() if name != "trusting"
        ]
        for k, (name, ratio) in enumerate(rows):
            mean, half = np.array([interval(row) for row in ratio]).T
            period = np.arange(len(base)) + 1 + 0.05 * (k - 2.5)
            right.errorbar(
                period, mean, yerr=half, fmt="o-" if k % 2 else "o--", color=SERIES_COLOURS[k // 2],
                markersize=4, capsize=2.5, linewidth=1.2, label=name,
            )  # fmt: skip
        right.axhline(1.0, color=SOFT, linewidth=0.8)
        right.set_xlabel("period; bursts grow from 1 to 5 times the mean rate", color=SOFT)
        right.legend(fontsize=8.5, frameon=False, loc="lower left")
    for axes in (left, right):
        axes.grid(alpha=0.25)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    write_picture(figure, file)
