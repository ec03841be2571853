"""Families of random scenarios: named presets whose every parameter can be overridden (model page 1.6).

The seed is the instance's identity: the same preset, parameters and seed give the same scenario, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType

import numpy as np

from slicewright.errors import UnknownNameError
from slicewright.network.parameters import Range, with_parameters
from slicewright.network.radio import THERMAL_NOISE_DBM_HZ, Radio
from slicewright.network.scenario import Scenario, Sites, SliceId
from slicewright.types import FloatArray, Queueing

BITS_PER_MEGABYTE = 8e6


@dataclass(frozen=True)
class Family:
    """Parameters of a family of scenarios. A range (low, high) is drawn uniformly, low = high fixes the value.

    The defaults are the published setting (preset ``paper-slicing``); what the publication leaves open is chosen
    as on the model page 1.6.

    Attributes:
        devices, access_points, coins, mecs: counts.
        slices: names of the slices, or their number.
        area_m: side of the square area in m.
        hotspots: devices gather around this many random centres; 0 spreads them evenly.
        hotspot_spread_m: standard deviation around a centre, in m.
        bandwidth_hz: per access point, Hz.
        coin_capacity_hz, mec_capacity_hz: per node and slice, cycle/s.
        task_bits: S_i, bit. local_capacity_hz: F_i^l, cycle/s. arrival_rate_hz: alpha_i, 1/s.
        cycles_per_bit: L_i / S_i. slice_work_ratio: L_in / L_i.
        tx_power_w: P_i, W. noise_dbm_hz: N0. path_loss_exponent: of the default radio model.
        radio: name of the radio model.
        reach_m: access points farther than this are no candidates, in m; 0 sets no limit.
        queueing: ``node`` or ``device``.
    """

    devices: int = 30
    access_points: int = 3
    coins: int = 8
    mecs: int = 1
    slices: int | tuple[str, ...] = 3
    area_m: float = 500.0
    hotspots: int = 0
    hotspot_spread_m: float = 40.0
    bandwidth_hz: Range = (18e6, 18e6)
    coin_capacity_hz: Range = (5e8, 10e8)
    mec_capacity_hz: Range = (1e10, 1e10)
    task_bits: Range = (1 * BITS_PER_MEGABYTE, 10 * BITS_PER_MEGABYTE)
    local_capacity_hz: Range = (2e7, 2e7)
    cycles_per_bit: Range = (1.0, 5.0)
    slice_work_ratio: Range = (0.5, 1.0)
    arrival_rate_hz: Range = (0.1, 0.3)
    tx_power_w: Range = (1e-6, 0.1)
    noise_dbm_hz: float = THERMAL_NOISE_DBM_HZ
    path_loss_exponent: float = 4.0
    radio: str = "path-loss"
    reach_m: float = 0.0
    queueing: Queueing = "node"


PRESETS: Mapping[str, Family] = MappingProxyType(
    {
        "paper-slicing": Family(),
        # A dense small-cell quarter: short distances, crowds, more cells and nodes than the published square,
        # smaller tasks that come more often, and nodes that differ more from each other.
        "dense-urban": Family(
            devices=100,
            access_points=12,
            coins=20,
            mecs=2,
            slices=("embb", "urllc", "mmtc", "xr"),
            area_m=800.0,
            hotspots=6,
            bandwidth_hz=(20e6, 100e6),
            coin_capacity_hz=(1e9, 4e9),
            mec_capacity_hz=(1e10, 2e10),
            task_bits=(0.5 * BITS_PER_MEGABYTE, 5 * BITS_PER_MEGABYTE),
            local_capacity_hz=(2e7, 1e8),
            cycles_per_bit=(2.0, 10.0),
            arrival_rate_hz=(0.1, 0.5),
            tx_power_w=(0.01, 0.2),
            path_loss_exponent=3.5,
        ),
    }
)


def preset(name: str, *, devices: int | None = None, seed: int = 0, **overrides: object) -> Scenario:
    """A random scenario of the named family.

    Args:
        name: ``paper-slicing`` or ``dense-urban``.
        devices: I, by default the preset's own.
        seed: the instance.
        **overrides: any field of :class:`Family`.

    Raises:
        UnknownNameError: no such preset.
        InvalidScenarioError: an unknown or impossible parameter.
    """
    family = family_of(name, **overrides, **({} if devices is None else {"devices": devices}))
    scenario = generate(family, seed)
    changed = {k: v for k, v in asdict(family).items() if v != getattr(PRESETS[name], k) or k == "devices"}
    return replace(scenario, origin={"preset": name, "seed": seed, **changed})


def family_of(name: str, **overrides: object) -> Family:
    """The preset's parameters with some replaced, checked."""
    if name not in PRESETS:
        raise UnknownNameError("preset", name, PRESETS)
    return with_parameters(
        PRESETS[name],
        overrides,
        owner=f"preset {name!r}",
        may_be_zero=("hotspots", "coins", "mecs", "reach_m"),
        may_be_negative=("noise_dbm_hz",),
    )


def generate(family: Family, seed: int) -> Scenario:
    """Draw one scenario of a family; ``seed`` is the instance."""
    rng = np.random.default_rng(seed)
    draw = lambda bounds, *shape: rng.uniform(bounds[0], bounds[1], shape)  # noqa: E731
    names = (
        family.slices if isinstance(family.slices, tuple) else tuple(f"s{n}" for n in range(family.slices))
    )
    devices, slices, nodes = family.devices, len(names), family.coins + family.mecs
    access_point_m = draw((0, family.area_m), family.access_points, 2)
    node_m = draw((0, family.area_m), nodes, 2)
    device_m = _device_positions(family, rng)
    power = draw(family.tx_power_w, devices)
    bandwidth = draw(family.bandwidth_hz, family.access_points)
    bits = draw(family.task_bits, devices)
    cycles = bits * draw(family.cycles_per_bit, devices)
    radio = _radio(family)
    return Scenario(
        task_bits=bits,
        local_cycles=cycles,
        local_capacity_hz=draw(family.local_capacity_hz, devices),
        arrival_rate_hz=draw(family.arrival_rate_hz, devices),
        slice_cycles=cycles[:, None] * draw(family.slice_work_ratio, devices, slices),
        rate_bps=radio.rates(device_m, access_point_m, power, bandwidth),
        node_capacity_hz=np.concatenate(
            [
                draw(family.coin_capacity_hz, family.coins, slices),
                draw(family.mec_capacity_hz, family.mecs, slices),
            ]
        ),
        bandwidth_hz=bandwidth,
        queueing=family.queueing,
        slices=tuple(SliceId(name, sst=1 + n % 255) for n, name in enumerate(names)),
        nodes=tuple([f"coin{j}" for j in range(family.coins)] + [f"mec{j}" for j in range(family.mecs)]),
        node_kinds=("coin",) * family.coins + ("mec",) * family.mecs,
        sites=Sites(access_point_m=access_point_m, device_m=device_m, tx_power_w=power, node_m=node_m),
        radio=radio,
        origin={"family": asdict(family), "seed": seed},
    )


def _device_positions(family: Family, rng: np.random.Generator) -> FloatArray:
    if not family.hotspots:
        return rng.uniform(0, family.area_m, (family.devices, 2))
    centres = rng.uniform(0, family.area_m, (family.hotspots, 2))
    chosen = centres[rng.integers(family.hotspots, size=family.devices)]
    return np.clip(chosen + rng.normal(0, family.hotspot_spread_m, chosen.shape), 0, family.area_m)


def _radio(family: Family) -> Radio:
    parameters = {"reach_m": family.reach_m} if family.reach_m else {}
    if family.radio == "path-loss":
        parameters |= {"exponent": family.path_loss_exponent, "noise_dbm_hz": family.noise_dbm_hz}
    return Radio(family.radio, parameters)
