"""A placement method that an installed package would offer."""

from __future__ import annotations

import numpy as np

from slicewright.placement import Answer, Tasks


def everyone_rejected(tasks: Tasks, *, budget_s: float | None, seed: int) -> Answer:
    return Answer(np.full(tasks.n_tasks, -1))
