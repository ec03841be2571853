"""Regimes: what limits a network, as families of scenarios. Every claim of this project names the regimes it holds in.

The published setting spends 2 to 3 % of its cost on nodes: it is a radio problem with a small tail of computing.
Edge computing exists for the other cases. A regime is the published setting with other figures, so that all have
the same network of 3 access points, 8 COIN nodes, 1 MEC server and 3 slices, and both queueing variants
(``queueing="node"`` or ``"device"``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Regime:
    """What a regime stresses, and how it differs from the published setting.

    Attributes:
        stresses: what limits plans there, in a few words.
        parameters: of ``paper-slicing``, replaced.
    """

    stresses: str
    parameters: Mapping[str, object] = field(default_factory=dict)


REGIMES: Mapping[str, Regime] = MappingProxyType(
    {
        "paper": Regime("radio: nodes are 2 to 3 % of the cost"),
        "balanced": Regime(
            "nodes are a third of the cost, queues run near their pole, 13b binds",
            {"cycles_per_bit": (20.0, 60.0)},
        ),
        "compute": Regime(
            "not everybody fits: who stays local is worth more than who goes where",
            {"cycles_per_bit": (100.0, 300.0)},
        ),
        "saturated": Regime(
            "the queue that the devices of a node share",
            {"cycles_per_bit": (5.0, 15.0), "arrival_rate_hz": (0.3, 0.6)},
        ),
        "realistic": Regime(
            "figures usual in the offloading literature",
            {
                "cycles_per_bit": (500.0, 1000.0),
                "local_capacity_hz": (0.5e9, 1.5e9),
                "coin_capacity_hz": (5e9, 2e10),
                "mec_capacity_hz": (1e11, 1e11),
                "task_bits": (1e6, 5e6),
                "arrival_rate_hz": (0.05, 0.2),
            },
        ),
        "xr": Regime(
            "small tasks at frame rates",
            {
                "cycles_per_bit": (50.0, 200.0),
                "local_capacity_hz": (1e9, 2e9),
                "coin_capacity_hz": (2e10, 6e10),
                "mec_capacity_hz": (4e11, 4e11),
                "task_bits": (2e5, 1e6),
                "arrival_rate_hz": (10.0, 30.0),
                "bandwidth_hz": (1e8, 1e8),
            },
        ),
    }
)
PREFIX = "regime/"
"""Regimes are presets by the names ``regime/paper``, ``regime/balanced``, ..."""
