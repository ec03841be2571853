"""Target 5: proven optima in every regime and both queueing variants, to a gap of 1e-4, one core.

Twenty devices are judged by the median of their times, forty by the share that is proven within the limit, and by the
largest gap of those that are not.
"""

from __future__ import annotations

import numpy as np

import slicewright as sw
from slicewright.judging import OPTIMAL_GAP
from slicewright.network.regimes import REGIMES
from slicewright.slicing.exact import ExactAnswer, solve_exact

FIRST_SEED = 2_000_000  # far from every seed used in training and tests
FEW, MANY = 20, 40
FEW_TARGET_S = 2.0
LIMIT_S = 60.0
SHARE_TARGET, GAP_TARGET = 0.9, 0.5  # of the scenarios; %, of the others


def main(scale: str) -> None:
    """Print a row per regime and queueing variant as it is done."""
    count = 20 if scale == "full" else 4
    print(f"{count} scenarios per cell; proven: to 1e-4 within {LIMIT_S:g} s; * misses its target")
    print(
        f"queueing, regime      {FEW} devices: median s     proven   "
        f"{MANY} devices: median s     proven   largest gap %"
    )
    for queueing in ("node", "device"):
        for regime in REGIMES:
            few, many = ([_exact(regime, queueing, n, k) for k in range(count)] for n in (FEW, MANY))
            print(f"{queueing:>8}, {regime:10}{_few(few)}{_many(many)}", flush=True)


def _exact(regime: str, queueing: str, devices: int, k: int) -> ExactAnswer:
    scenario = sw.preset(f"regime/{regime}", devices=devices, seed=FIRST_SEED + k, queueing=queueing)
    _ = scenario.links, scenario.local_time_s  # part of reading the file
    return solve_exact(scenario, budget_s=LIMIT_S)


def _few(answers: list[ExactAnswer]) -> str:
    median = float(np.median([answer.runtime_s for answer in answers]))
    return f"{median:23.4f}{_mark(median > FEW_TARGET_S)} {_share(answers):10.0%} "


def _many(answers: list[ExactAnswer]) -> str:
    median = float(np.median([answer.runtime_s for answer in answers]))
    share = _share(answers)
    gap = 100 * max((answer.gap for answer in answers if answer.gap > OPTIMAL_GAP), default=0.0)
    return f"{median:23.4f}  {share:9.0%}{_mark(share < SHARE_TARGET)} {gap:15.3f}{_mark(gap > GAP_TARGET)}"


def _share(answers: list[ExactAnswer]) -> float:
    return float(np.mean([answer.gap <= OPTIMAL_GAP for answer in answers]))


def _mark(missed: bool) -> str:
    return "*" if missed else " "
