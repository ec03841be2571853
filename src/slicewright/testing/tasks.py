"""Small placement problems that each hold one difficulty a method may not have thought of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from slicewright.placement.problem.presets import placement_preset
from slicewright.placement.problem.tasks import Tasks


def awkward_tasks() -> Mapping[str, Tasks]:
    """Name to problem; small enough that every method answers each in milliseconds, or proves its optimum."""
    plain = placement_preset(tasks=8, seed=11)
    small: dict[str, Any] = {"lower_coins": 2, "upper_coins": 1, "access_points": 2}
    return {
        "ordinary": plain,
        "halves of equal size": placement_preset(tasks=8, seed=11, split="equal"),
        "no splitting": placement_preset(tasks=8, seed=11, split="none"),
        "one task": placement_preset(tasks=1, seed=3),
        "three COINs and no MEC server": placement_preset(tasks=5, seed=5, mecs=0, **small),
        "two COINs": placement_preset(tasks=4, seed=5, lower_coins=1, upper_coins=1, access_points=1),
        "nobody can be served in time": placement_preset(tasks=6, seed=2, deadline_s=(1e-4, 2e-4)),
        "crowded: only some fit": placement_preset(
            tasks=10, seed=4, deadline_s=(0.03, 0.06), arrival_rate_hz=(2.0, 8.0), mecs=0, **small
        ),
        "deadlines never bind": placement_preset(tasks=8, seed=6, deadline_s=(50.0, 100.0)),
        "a MEC server slower than the COINs": placement_preset(tasks=8, seed=9, mec_capacity_hz=(1e8, 1e8)),
        "sending takes time": placement_preset("regime/sent", tasks=8, seed=11),
        "own devices beside the network": placement_preset("regime/devices", tasks=8, seed=11),
        "own devices for nothing": placement_preset(tasks=8, seed=11, device_capacity_hz=(5e8, 5e9)),
        "identical tasks": plain.take(np.zeros(8, dtype=np.int64)),
    }
