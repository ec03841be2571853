"""Plans that follow moving devices: what planning costs, moves and misses, beside never planning and an oracle.

Devices walk at car's and cyclist's speeds under shadowing. Each row is one way to plan, on the same movement and
tasks, in networks where different things are scarce. The oracle plans every tick from nothing with ten times the
search; bounds are of each instant. Cost by the formula is the mean over time of the system cost in force after
planning; measured cost is by Little's law from the tasks inside, with the 95 % interval over scenarios of its ratio to
never planning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

import slicewright as sw
from slicewright.network.regimes import REGIMES
from slicewright.simulation import Air, Replanning, Settings, Simulation, Walk, Walkers
from slicewright.types import FloatArray

DEVICES = 25
PRICE = 0.25
"""What moving a device costs where it costs something, in parts of what a device costs on average at the beginning."""
NEVER = "never"
WAYS: Mapping[str, Replanning | None] = {
    NEVER: None,
    "every 60 s": Replanning(every_s=60.0, rounds=60, certify=True),
    "every 10 s": Replanning(every_s=10.0, rounds=60, certify=True),
    "every 10 s, moving costs": Replanning(every_s=10.0, rounds=60, price_s=PRICE, certify=True),
    "on event, 5 s apart": Replanning(every_s=5.0, when="event", rounds=60, certify=True),
    "on event, best response only": Replanning(every_s=5.0, when="event", rounds=0, certify=True),
    "every 10 s, uplink queues known": Replanning(every_s=10.0, rounds=60, correct=True, certify=True),
    "every 10 s, incremental": Replanning(method="incremental", every_s=10.0),
    "every 10 s, incremental, moving costs": Replanning(method="incremental", every_s=10.0, price_s=PRICE),
    "every 1 s, incremental": Replanning(method="incremental", every_s=1.0),
    "on event, incremental": Replanning(method="incremental", every_s=1.0, when="event"),
    "every 10 s, greedy": Replanning(method="greedy", every_s=10.0, certify=True),
    "every 10 s, best-response": Replanning(method="best-response", every_s=10.0, rounds=None, certify=True),
    "every 10 s, bipartite (learned)": Replanning(method="bipartite", every_s=10.0, certify=True),
    "every 10 s, from nothing": Replanning(method="auto", every_s=10.0, rounds=60, certify=True),
    "oracle: every 1 s, from nothing": Replanning(method="auto", every_s=1.0, rounds=600),
}
"""Prices here are in these parts."""
FEW = (NEVER, "every 10 s", "every 10 s, incremental", "every 1 s, incremental")


@dataclass(frozen=True)
class Asked:
    """What is asked of a regime.

    Attributes:
        ways: names of ``WAYS``.
        runs: scenarios.
        horizon_s: s of each.
        settled: go on for six times what the slowest device takes, if that is more: the first sixth is left out of what
            is measured, and tasks that take minutes are inside from then on only.
    """

    ways: tuple[str, ...]
    runs: int
    horizon_s: float
    settled: bool = False


QUICK = {
    "paper": Asked(tuple(WAYS), 2, 240.0),
    "balanced": Asked(FEW, 4, 240.0),
    **dict.fromkeys(("compute", "saturated", "realistic"), Asked(FEW, 3, 240.0, settled=True)),
}
"""What a quick run asks, by regime; a full one asks everything of every regime."""
FULL = dict.fromkeys(REGIMES, Asked(tuple(WAYS), 10, 900.0, settled=True))


def main(scale: str) -> None:
    """Print a table for each regime, a row for each way."""
    print(
        f"{DEVICES} devices at 2 to 15 m/s; means over plans and scenarios; "
        f"where moving costs, {PRICE:g} of a device's mean cost"
    )
    for regime, asked in (FULL if scale == "full" else QUICK).items():
        _print_regime(regime, asked)


def smoke() -> None:
    """Three ways for some seconds in one small network."""
    _print_regime("paper", Asked((NEVER, "every 10 s", "every 10 s, incremental"), 1, 20.0))


def _print_regime(regime: str, asked: Asked) -> None:
    lasting = f"{asked.horizon_s:.0f} s" + (" or until it has settled" if asked.settled else "")
    print(
        f"\n  {regime}: {REGIMES[regime].stresses}; {asked.runs} scenarios, {lasting}\n"
        f"  {'plans':38s}{'measured':>10s}{'over never':>16s}"
        f"{'formula':>10s}{'regret':>9s}{'plans':>7s}{'moved':>7s}{'missed 13b':>12s}{'ms':>8s}"
    )
    never = np.array([])
    for name in asked.ways:
        rows = np.array([_row(regime, seed, WAYS[name], asked) for seed in range(asked.runs)])
        never = rows[:, 0] if name == NEVER else never
        cost, formula, regret, plans, moved, missed, spent = rows.mean(axis=0)
        shown = "" if np.isnan(regret) else f"{100 * regret:.2f} %"
        beside = "" if name == NEVER or not never.size else _interval(rows[:, 0] / never)
        print(
            f"  {name:38s}{cost:10.4g}{beside:>16s}{formula:10.4g}{shown:>9s}{plans:7.0f}{moved:7.0f}"
            f"{missed:12.2f}{spent:8.1f}",
            flush=True,
        )


def _interval(ratio: FloatArray) -> str:
    """Mean, and the half width of its 95 % interval where there are enough for one."""
    if ratio.size < 3:
        return f"{ratio.mean():.3f}"
    half = stats.t.ppf(0.975, ratio.size - 1) * ratio.std(ddof=1) / np.sqrt(ratio.size)
    return f"{ratio.mean():.3f} ± {half:.3f}"


def _row(regime: str, seed: int, way: Replanning | None, asked: Asked) -> FloatArray:
    """(7,) Figures of one run, in the order of the columns; not a number what there is none of."""
    scenario = sw.preset(f"regime/{regime}", devices=DEVICES, seed=seed)
    plan = sw.plan(scenario, rounds=100)
    horizon_s = max(asked.horizon_s, 6.0 * float(plan.times.completion_s.max()) if asked.settled else 0.0)
    if way is not None:
        way = replace(way, price_s=way.price_s * plan.cost_s / DEVICES)
    run = Simulation(
        plan,
        Settings(seed=seed, air=Air(shadowing_db=4.0)),
        movement=Walkers(scenario, Walk(speed_mps=(2.0, 15.0)), seed=seed),
        replanning=way,
    )
    inside: list[FloatArray] = []
    run.advance(horizon_s, on_tick=lambda r: inside.append(r.queues.inside().sum(axis=1)))
    cost = float((np.mean(inside[len(inside) // 6 :], axis=0) / scenario.arrival_rate_hz).sum())
    steps = run.steps
    if not steps:
        return np.array([cost, np.nan, np.nan, 0.0, 0.0, np.nan, np.nan])
    return np.array(
        [
            cost,
            np.mean([step.cost_s for step in steps]),
            np.mean([step.regret for step in steps]),
            len(steps),
            run.counts.moves,
            np.mean([step.missed for step in steps]),
            1e3 * np.median([step.decision_s for step in steps]),
        ]
    )
