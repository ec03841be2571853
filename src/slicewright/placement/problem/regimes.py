"""Regimes of placement: what limits a network, as families of tasks. Every claim names the regimes it holds in.

A regime is the published setting (60 tasks on 12 COINs and one MEC server, deadlines of 10 to 150 ms) with other
figures, by the spelling that slicing uses: ``regime/tight``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

PREFIX = "regime/"
"""Regimes are presets by the names ``regime/loose``, ``regime/paper``, ..."""


@dataclass(frozen=True)
class PlacementRegime:
    """What a regime stresses, and how it differs from the published setting.

    Attributes:
        stresses: what limits placements there, in a few words.
        parameters: of ``paper-placement``, replaced.
    """

    stresses: str
    parameters: Mapping[str, object] = field(default_factory=dict)


PLACEMENT_REGIMES: Mapping[str, PlacementRegime] = MappingProxyType(
    {
        "loose": PlacementRegime(
            "deadlines of 150 to 1,000 ms: everything fits where it is cheapest",
            {"deadline_s": (0.15, 1.0)},
        ),
        "paper": PlacementRegime("the published setting: deadlines of 10 to 150 ms"),
        "tight": PlacementRegime(
            "deadlines of 5 to 50 ms: who is served at all counts more than where",
            {"deadline_s": (0.005, 0.05)},
        ),
        "impossible": PlacementRegime(
            "deadlines of 1 to 10 ms: most tasks are late even on idle nodes",
            {"deadline_s": (0.001, 0.01)},
        ),
        "light": PlacementRegime(
            "a tenth of the published arrivals: queues are short", {"arrival_rate_hz": (0.03, 0.03)}
        ),
        "overloaded": PlacementRegime(
            "ten times the published arrivals: more than the network takes, a node serves a handful",
            {"arrival_rate_hz": (3.0, 3.0)},
        ),
        "saturated": PlacementRegime(
            "overloaded, with deadlines of 20 to 50 ms",
            {"arrival_rate_hz": (3.0, 3.0), "deadline_s": (0.02, 0.05)},
        ),
        "uneven": PlacementRegime(
            "arrivals of 0.05 to 5 per second: tasks that weigh a hundred times others",
            {"arrival_rate_hz": (0.05, 5.0)},
        ),
        "mixed": PlacementRegime(
            "COINs of different speeds: every pair limits its queues differently",
            {"lower_capacity_hz": (3e8, 8e8), "upper_capacity_hz": (6e8, 1.5e9)},
        ),
        "whole": PlacementRegime("no splitting: one COIN or the MEC", {"split": "none"}),
        "line": PlacementRegime("COINs in a row with the MEC at its end: long ways", {"shape": "line"}),
        "tree": PlacementRegime(
            "a binary tree of COINs under the MEC, entered at its leaves", {"shape": "tree"}
        ),
        "mesh": PlacementRegime(
            "120 tasks on a grid of 30 COINs of different speeds: 435 pairs",
            {
                "shape": "mesh",
                "tasks": 120,
                "lower_coins": 20,
                "upper_coins": 10,
                "access_points": 20,
                "lower_capacity_hz": (3e8, 8e8),
            },
        ),
        "sent": PlacementRegime(
            "sending takes time: uplinks of 2 to 10 Gbit/s, links of 10 to 40 Gbit/s",
            {"uplink_bps": (2e9, 1e10), "link_bps": (1e10, 4e10)},
        ),
        "devices": PlacementRegime(
            "sending takes time, and own devices may execute, at what 1 to 6 hops cost",
            {
                "uplink_bps": (2e9, 1e10),
                "link_bps": (1e10, 4e10),
                "device_capacity_hz": (5e8, 2e9),
                "device_cost_hops": (1.0, 6.0),
                "arrival_rate_hz": (1.0, 1.0),
            },
        ),
        "large": PlacementRegime(
            "500 tasks on the published network: slightly more than it takes", {"tasks": 500}
        ),
        "huge": PlacementRegime(
            "2,000 tasks on the published network: four times what it takes", {"tasks": 2000}
        ),
    }
)
"""What each regime changes in the published setting, by name, and what it stresses."""
