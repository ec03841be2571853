"""Performance gain C_solver / C_model (19) of scores, as they are and after repair. No torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from slicewright.learning.placement.solved_runs import Run
from slicewright.placement import judge
from slicewright.placement._kernels.fill import chosen_options
from slicewright.placement.repair import repaired
from slicewright.placement.search import compiled_problem
from slicewright.types import FloatArray


def gain_figures(
    predict: Callable[[Run], FloatArray], runs: Sequence[Run], *, decodings: int
) -> dict[str, float]:
    """Means over runs: gain of the most probable classes and how many of those placements keep every rule; gain
    after one decoding and after the best of ``decodings``.

    An infeasible placement may cost less than the optimum: its gain means nothing beside the share of feasible ones.
    """
    rows = []
    for run in runs:
        scores = predict(run)
        raw = judge(run.tasks, scores.argmax(axis=1))
        problem = compiled_problem(run.tasks)
        after = [
            judge(
                run.tasks, chosen_options(problem, repaired(problem, scores, decodings=count))
            ).objective_bit_hops
            for count in (1, decodings)
        ]
        solver = run.objective_bit_hops
        rows.append(
            [
                solver / raw.objective_bit_hops,
                float(raw.violations.feasible),
                solver / after[0],
                solver / after[1],
            ]
        )
    names = ("gain_raw", "feasible_raw", "gain_repaired_once", "gain_repaired")
    return dict(zip(names, np.mean(rows, axis=0).round(5).tolist(), strict=True))
