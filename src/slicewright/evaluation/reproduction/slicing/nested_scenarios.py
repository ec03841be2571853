"""Test scenarios that differ in nothing but what a figure varies.

A scenario is drawn with the largest network of any figure and then cut down, so that the one with four COINs is the
one with eight without four of them. Differences along a figure's parameter are then its effect, not the draw's.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from slicewright.errors import InvalidOptionError
from slicewright.network.presets import PRESETS, preset
from slicewright.network.radio import THERMAL_NOISE_DBM_HZ, distances_m
from slicewright.network.scenario import Scenario, Sites

LARGEST: Mapping[str, int] = MappingProxyType({"access_points": 6, "coins": 12, "slices": 4})
PRESET = "paper-slicing"
PRINTED_RATE = "printed_rate"


def setting(devices: int, seed: int, overrides: Mapping[str, Any]) -> Scenario:
    """A scenario of the published setting with some parameters replaced.

    Args:
        devices: I.
        seed: of the draw.
        overrides: fields of the preset, or ``printed_rate``: the rate as the publication prints it.
    """
    chosen = {name: value for name, value in overrides.items() if name != PRINTED_RATE}
    scenario = preset(PRESET, devices=devices, seed=seed, **chosen)
    return with_printed_rate(scenario) if overrides.get(PRINTED_RATE) else scenario


def with_printed_rate(scenario: Scenario) -> Scenario:
    """The scenario with R = B log2(1 + d P / N0) as printed: it grows with the distance, the noise lacks B."""
    sites = scenario.sites
    if sites is None or sites.access_point_m is None or sites.device_m is None or sites.tx_power_w is None:
        raise InvalidOptionError(PRINTED_RATE, "needs positions and powers", value=scenario.origin)
    noise_w_hz = 10.0 ** ((THERMAL_NOISE_DBM_HZ - 30.0) / 10.0)
    signal = distances_m(sites.device_m, sites.access_point_m) * sites.tx_power_w[:, None]
    return scenario.with_(rate_bps=scenario.bandwidth_hz * np.log2(1.0 + signal / noise_w_hz))


def nested_scenario(devices: int, seed: int, overrides: Mapping[str, Any]) -> Scenario:
    """A scenario of the published setting with some parameters replaced.

    Args:
        devices: I.
        seed: of the draw.
        overrides: as in :func:`setting`; counts of access points, COINs and slices at most those of ``LARGEST``.
    """
    counts = {name: int(overrides.get(name, getattr(PRESETS[PRESET], name))) for name in LARGEST}
    others = {name: value for name, value in overrides.items() if name not in LARGEST}
    whole = setting(devices, seed, {**LARGEST, **others})
    points, slices = np.arange(counts["access_points"]), np.arange(counts["slices"])
    mecs = np.flatnonzero([kind == "mec" for kind in whole.node_kinds])
    nodes = np.concatenate([np.arange(counts["coins"]), mecs])
    return whole.with_(
        rate_bps=np.asarray(whole.rate_bps)[:, points],
        bandwidth_hz=np.asarray(whole.bandwidth_hz)[points],
        access_points=tuple(whole.access_points[a] for a in points),
        node_capacity_hz=whole.node_capacity_hz[np.ix_(nodes, slices)],
        nodes=tuple(whole.nodes[j] for j in nodes),
        node_kinds=tuple(whole.node_kinds[j] for j in nodes),
        slices=tuple(whole.slices[n] for n in slices),
        slice_cycles=whole.slice_cycles[:, slices],
        sites=_cut(whole.sites, points, nodes),
        origin={"preset": PRESET, "seed": seed, "cut_to": counts, **others},
    )


def _cut(sites: Sites | None, points: np.ndarray, nodes: np.ndarray) -> Sites | None:
    if sites is None or sites.access_point_m is None or sites.node_m is None:
        return sites
    return Sites(
        access_point_m=sites.access_point_m[points],
        device_m=sites.device_m,
        tx_power_w=sites.tx_power_w,
        node_m=sites.node_m[nodes],
    )
