"""Plans that follow moving devices: what planning costs, moves and misses, beside never planning and an oracle.

Devices walk at car's and cyclist's speeds under shadowing. Each row is one way to plan, on the same movement and
tasks. The oracle plans every tick from nothing with ten times the search; bounds are of each instant. Cost by the
formula is the mean over time of the system cost in force after planning; measured cost is by Little's law from the
tasks inside.
"""

from __future__ import annotations

import numpy as np

import slicewright as sw
from slicewright.simulation import Air, Replanning, Settings, Simulation, Walk, Walkers

DEVICES = 25
WAYS: dict[str, Replanning | None] = {
    "never": None,
    "every 60 s": Replanning(every_s=60.0, rounds=60, certify=True),
    "every 10 s": Replanning(every_s=10.0, rounds=60, certify=True),
    "every 10 s, moving costs 0.5 s": Replanning(every_s=10.0, rounds=60, price_s=0.5, certify=True),
    "on event, 5 s apart": Replanning(every_s=5.0, when="event", rounds=60, certify=True),
    "on event, best response only": Replanning(every_s=5.0, when="event", rounds=0, certify=True),
    "every 10 s, uplink queues known": Replanning(every_s=10.0, rounds=60, correct=True, certify=True),
    "every 10 s, incremental": Replanning(method="incremental", every_s=10.0),
    "every 10 s, incremental, 0.5 s": Replanning(method="incremental", every_s=10.0, price_s=0.5),
    "every 1 s, incremental": Replanning(method="incremental", every_s=1.0),
    "on event, incremental": Replanning(method="incremental", every_s=1.0, when="event"),
    "every 10 s, greedy": Replanning(method="greedy", every_s=10.0, certify=True),
    "every 10 s, best-response": Replanning(method="best-response", every_s=10.0, rounds=None, certify=True),
    "every 10 s, bipartite (learned)": Replanning(method="bipartite", every_s=10.0, certify=True),
    "every 10 s, from nothing": Replanning(method="auto", every_s=10.0, rounds=60, certify=True),
    "oracle: every 1 s, from nothing": Replanning(method="auto", every_s=1.0, rounds=600),
}


def main(scale: str) -> None:
    """Print a row for each way."""
    horizon_s, runs = (900.0, 10) if scale == "full" else (240.0, 2)
    print(
        f"{DEVICES} devices at 2 to 15 m/s, {horizon_s:.0f} s, {runs} scenarios; means over plans and scenarios"
    )
    print(
        f"  {'plans':34s}{'measured':>10s}{'formula':>10s}{'regret':>9s}{'plans':>7s}{'moved':>7s}"
        f"{'missed 13b':>12s}{'ms':>8s}"
    )
    for name, replanning in WAYS.items():
        rows = [_row(seed, replanning, horizon_s) for seed in range(runs)]
        cost, formula, regret, plans, moved, missed, spent = np.nanmean(np.array(rows), axis=0)
        shown = "" if np.isnan(regret) else f"{100 * regret:.2f} %"
        print(
            f"  {name:34s}{cost:10.2f}{formula:10.2f}{shown:>9s}{plans:7.0f}{moved:7.0f}{missed:12.2f}{spent:8.1f}",
            flush=True,
        )


def _row(seed: int, replanning: Replanning | None, horizon_s: float) -> tuple[float, ...]:
    scenario = sw.preset("paper-slicing", devices=DEVICES, seed=seed)
    run = Simulation(
        sw.plan(scenario, rounds=100),
        Settings(seed=seed, air=Air(shadowing_db=4.0)),
        movement=Walkers(scenario, Walk(speed_mps=(2.0, 15.0)), seed=seed),
        replanning=replanning,
    )
    inside: list[np.ndarray] = []
    run.advance(horizon_s, on_tick=lambda r: inside.append(r.queues.inside().sum(axis=1)))
    cost = float((np.mean(inside[len(inside) // 6 :], axis=0) / scenario.arrival_rate_hz).sum())
    steps = run.steps
    if not steps:
        return cost, np.nan, np.nan, 0.0, 0.0, np.nan, np.nan
    return (
        cost,
        float(np.mean([step.cost_s for step in steps])),
        float(np.mean([step.regret for step in steps])),
        float(len(steps)),
        float(run.counts.moves),
        float(np.mean([step.missed for step in steps])),
        1e3 * float(np.median([step.decision_s for step in steps])),
    )
