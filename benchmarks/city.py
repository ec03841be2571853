"""Targets 10 and 11: cities from 100 devices on, beside best response, the dense planner and SCIP.

The dense planner and SCIP have every node open to everybody, and are asked as long as they end. A figure of times and
gaps, both axes logarithmic, is left in ``build/bench/city.svg``. Every size runs in a process of its own, so that the
peak of memory is its own. Processor seconds are printed beside wall seconds: on a machine with other work only they can
be compared.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

SIZES = {"quick": (100, 1_000, 10_000, 100_000), "full": (100, 1_000, 10_000, 100_000, 1_000_000)}
REGIMES = ("paper", "balanced", "realistic")
LARGEST_OF_OTHER_REGIMES = {"quick": 10_000, "full": 100_000}
LARGEST_DENSE, LARGEST_SCIP = 2_000, 100
SCIP_S = 30.0
"""Its time limit: at 100 devices it does not prove its plan in that time either."""
FIGURE = Path("build/bench/city.svg")
ROUNDS = {True: 10, False: 200}
"""Of the bound: in the regime of the publications, where ten prove 0.2 % and sixty 0.1; where nodes are what costs."""
TARGETS = {10_000: (1.0, 1.0), 100_000: (10.0, 2.0), 1_000_000: (120.0, 12.0)}
"""Devices to wall seconds on two cores and GB, with 1 % proven."""


def main(scale: str) -> None:
    """One table for each regime, and the figure."""
    told: dict[str, dict[int, dict[str, Any]]] = {}
    for regime in REGIMES:
        _print_heads(regime)
        told[regime] = {}
        for devices in SIZES[scale]:
            if regime == "paper" or devices <= LARGEST_OF_OTHER_REGIMES[scale]:
                said = told[regime][devices] = _measured(regime, devices)
                _print_line(devices, said, paper=regime == "paper")
    _draw(told, FIGURE)
    print(f"\nfigure: {FIGURE}")


def smoke() -> None:
    """A city that is none, in this process."""
    from benchmarks._city_size import measured

    said = measured("paper", 20, rounds=5, dense=True, scip_s=0.0)
    _print_heads("paper")
    _print_line(20, said, paper=True)
    with TemporaryDirectory() as folder:
        _draw({"paper": {20: said}}, Path(folder) / "city.svg")


def _print_heads(regime: str) -> None:
    print(f"\n{regime}: seconds as wall (processor), two threads; gaps of each plan to its own bound")
    print(
        f"{'devices':>9s} {'best response':>15s} {'cost above':>10s} {'plan':>15s} {'prices':>15s} {'gap':>8s} "
        f"{'whole sets':>15s} {'gap':>8s} {'peak GB':>8s}   dense: plan, certificate, gap   "
        "SCIP: time, gap, cost above"
    )


def _measured(regime: str, devices: int) -> dict[str, Any]:
    arguments = [regime, str(devices), str(ROUNDS[regime == "paper"]), str(devices <= LARGEST_DENSE)]
    arguments.append(str(SCIP_S if devices <= LARGEST_SCIP else 0.0))
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks._city_size", *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    said: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return said


def _print_line(devices: int, said: Mapping[str, Any], *, paper: bool) -> None:

    def seconds(name: str) -> str:
        return f"{said[name][0]:.2f} ({said[name][1]:.2f})"

    def gap(cost: float, bound: float) -> str:
        return f"{100 * (cost / bound - 1):.2f} %" if bound > 0 else "none"

    others = ""
    if "dense" in said:
        proven = gap(said["dense_cost"], said["dense_bound"])
        others += f"   {seconds('dense')}, {seconds('dense_prove')}, {proven}"
    if "scip" in said:
        above = f"{100 * (said['scip_cost'] / said['dense_cost'] - 1):.2f} %"
        others += f"   {seconds('scip')}, {gap(said['scip_cost'], said['scip_bound'])}, {above}"
    above = f"{100 * (said['plain_cost'] / said['cost'] - 1):.2f} %"
    print(
        f"{devices:9d} {seconds('plain'):>15s} {above:>10s} {seconds('plan'):>15s} {seconds('prove'):>15s} "
        f"{gap(said['cost'], said['prices_bound']):>8s} {seconds('sets'):>15s} {gap(said['cost'], said['bound']):>8s} "
        f"{said['peak_gb']:8.2f}{others}{_verdict(devices, said) if paper else ''}",
        flush=True,
    )


def _draw(told: Mapping[str, Mapping[int, Mapping[str, Any]]], file: Path) -> None:
    """Processor seconds and gaps by devices, a column for each regime."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(
        2, len(told), figsize=(4 * len(told), 6), sharex=True, sharey="row", squeeze=False
    )
    for column, (regime, sizes) in enumerate(told.items()):
        for name, label in (
            ("plain", "best response"), ("plan", "plan"), ("prove", "prices"), ("sets", "whole sets"),
            ("dense", "dense plan"), ("dense_prove", "dense certificate"), ("scip", "SCIP"),
        ):  # fmt: skip
            points = [(devices, said[name][1]) for devices, said in sizes.items() if name in said]
            axes[0, column].loglog(*zip(*points, strict=True), "o-", label=label, markersize=3)
        for cost, bound, label in (
            ("cost", "prices_bound", "prices"), ("cost", "bound", "whole sets"),
            ("dense_cost", "dense_bound", "dense"), ("scip_cost", "scip_bound", "SCIP"),
        ):  # fmt: skip
            points = [
                (devices, 100 * (said[cost] / said[bound] - 1))
                for devices, said in sizes.items()
                if bound in said and said[bound] > 0
            ]
            if points:
                axes[1, column].loglog(*zip(*points, strict=True), "o-", label=label, markersize=3)
        axes[0, column].set_title(regime)
        axes[1, column].set_xlabel("devices")
    axes[0, 0].set_ylabel("processor time (s)")
    axes[1, 0].set_ylabel("proven gap (%)")
    for row in axes:
        row[-1].legend(fontsize="small")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, bbox_inches="tight")
    pyplot.close(figure)


def _verdict(devices: int, said: Mapping[str, Any]) -> str:
    """The target of a size, if it has one; processor seconds of two threads count half."""
    if devices not in TARGETS:
        return ""
    most_s, most_gb = TARGETS[devices]
    wall, spent = (sum(said[name][k] for name in ("plan", "prove", "sets")) / (1, 2)[k] for k in (0, 1))
    met = min(wall, spent) <= most_s and said["cost"] <= 1.01 * said["bound"] and said["peak_gb"] <= most_gb
    return f"   target {most_s:g} s, 1 %, {most_gb:g} GB: {'met' if met else 'MISSED'} ({spent:.2f} s of two cores)"
