"""Families of random scenarios: named presets whose every parameter can be overridden (model page 1.6).

The seed is the instance's identity: the same preset, parameters and seed give the same scenario, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

import numpy as np
from scipy import sparse

from slicewright.errors import InvalidScenarioError, UnknownNameError
from slicewright.network.city import (
    EVERYBODY,
    City,
    Operators,
    deal_out,
    draw_sites,
    listed_by_customers,
    nodes_in_reach,
)
from slicewright.network.regimes import PREFIX, REGIMES
from slicewright.network.scenario import Scenario
from slicewright.network.workload import BITS_PER_MEGABYTE, Workload, populate, with_workload
from slicewright.types import FloatArray


@dataclass(frozen=True)
class Family(Workload):
    """Parameters of a family of scenarios on a square: where things are, and a :class:`Workload`.

    The defaults are the published setting, preset ``paper-slicing``.

    Attributes:
        devices, access_points, coins, mecs: counts.
        area_m: side of the square area in m.
        hotspots: devices gather around this many random centres; 0 spreads them evenly.
        hotspot_spread_m: standard deviation around a centre, in m.
    """

    devices: int = 30
    access_points: int = 3
    coins: int = 8
    mecs: int = 1
    area_m: float = 500.0
    hotspots: int = 0
    hotspot_spread_m: float = 40.0


CITY_PREFIX = "city/"
"""Regimes at the size of a city are presets by the names ``city/paper``, ``city/balanced``, ..."""
METROPOLIS = CITY_PREFIX + "metropolis"
PRESETS: Mapping[str, Family | City] = MappingProxyType(
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
        **{
            PREFIX + name: with_workload(Family(), regime.parameters, owner=f"preset {PREFIX + name!r}")
            for name, regime in REGIMES.items()
        },
        **{
            CITY_PREFIX + name: with_workload(
                City(), regime.parameters, owner=f"preset {CITY_PREFIX + name!r}"
            )
            for name, regime in REGIMES.items()
        },
        # Three operators side by side, each with its own cells and nodes, a fifth of the nodes open to all, and
        # regional centres above them. Every operator's cells lie farther apart than those of a city with one.
        METROPOLIS: with_workload(
            City(operators=3, open_part=0.2, hubs_per_km2=0.1, hub_capacity_hz=(4e11, 4e11), reach_m=700.0),
            REGIMES["realistic"].parameters,
            owner=f"preset {METROPOLIS!r}",
        ),
    }
)
"""Families of scenarios by name."""


def preset(name: str, *, devices: int | None = None, seed: int = 0, **overrides: object) -> Scenario:
    """A random scenario of the named family.

    Args:
        name: ``paper-slicing``, ``dense-urban``, a regime such as ``regime/compute``, or one at the size of a city such
            as ``city/compute``.
        devices: I, by default the preset's own.
        seed: the instance.
        **overrides: any field of :class:`Family`, for a city of :class:`~slicewright.network.city.City`.

    Raises:
        UnknownNameError: no such preset.
        InvalidScenarioError: an unknown or impossible parameter.
    """
    family = family_of(name, **overrides, **({} if devices is None else {"devices": devices}))
    values = {field.name: getattr(family, field.name) for field in fields(family)}
    changed = {k: v for k, v in values.items() if v != getattr(PRESETS[name], k) or k == "devices"}
    return generate(family, seed, origin={"preset": name, "seed": seed, **changed})


def family_of(name: str, **overrides: object) -> Family | City:
    """The preset's parameters with some replaced, checked."""
    if name not in PRESETS:
        raise UnknownNameError("preset", name, PRESETS)
    zero: tuple[str, ...] = ("hotspots", "coins", "mecs")
    zero += ("hotspots_per_km2", "hotspot_part", "open_part", "hubs_per_km2")
    if isinstance(PRESETS[name], City):
        zero += ("access_points",)
    return with_workload(PRESETS[name], overrides, owner=f"preset {name!r}", may_be_zero=zero)


def generate(family: Family | City, seed: int, *, origin: Mapping[str, object]) -> Scenario:
    """Draw one scenario of a family; ``seed`` is the instance, ``origin`` what the scenario says of itself."""
    if isinstance(family, City):
        return _generate_city(family, seed, origin)
    rng = np.random.default_rng(seed)
    access_point_m = rng.uniform(0, family.area_m, (family.access_points, 2))
    node_m = rng.uniform(0, family.area_m, (family.coins + family.mecs, 2))
    device_m = _device_positions(family, rng)
    return populate(
        family,
        rng,
        device_m=device_m,
        access_point_m=access_point_m,
        node_m=node_m,
        node_kinds=("coin",) * family.coins + ("mec",) * family.mecs,
        nodes=[f"coin{j}" for j in range(family.coins)] + [f"mec{j}" for j in range(family.mecs)],
        origin=origin,
    )


def _generate_city(city: City, seed: int, origin: Mapping[str, object]) -> Scenario:
    """One city: access points by reach of their radio, nodes by the reach of their kind, both by operator."""
    if city.open_part > 1:
        raise InvalidScenarioError("open_part", "must be at most 1", value=city.open_part)
    rng = np.random.default_rng(seed)
    sites = draw_sites(city, rng)
    kinds = ["mec" if mec else "coin" for mec in sites.mec.tolist()]
    names = [
        f"{'hub' if hub else kind}{j}" for j, (kind, hub) in enumerate(zip(kinds, sites.hub, strict=True))
    ]
    scenario = populate(
        city,
        rng,
        device_m=sites.device_m,
        access_point_m=sites.access_point_m,
        node_m=sites.node_m,
        node_kinds=kinds,
        nodes=names,
        origin=origin,
    )
    reach_m = np.where(sites.hub, city.hub_reach_m, np.where(sites.mec, city.mec_reach_m, city.coin_reach_m))
    lists = nodes_in_reach(sites.device_m, sites.node_m, reach_m)
    if city.hubs:
        capacity = scenario.node_capacity_hz.copy()
        capacity[sites.hub] = rng.uniform(*city.hub_capacity_hz, (city.hubs, scenario.n_slices))
        scenario = scenario.with_(node_capacity_hz=capacity)
    if city.operators == 1:
        return scenario.with_(node_lists=lists)
    operators = deal_out(city, sites, rng)
    return scenario.with_(
        node_lists=listed_by_customers(lists, operators),
        rate_bps=_of_own_operator(scenario.rate_bps, operators),
        access_points=tuple(f"ap{a}-operator{o}" for a, o in enumerate(operators.access_point.tolist())),
        nodes=tuple(
            name if o == EVERYBODY else f"{name}-operator{o}"
            for name, o in zip(names, operators.node.tolist(), strict=True)
        ),
        radio=None,  # rates do not follow from places alone any more
    )


def _of_own_operator(rate_bps: FloatArray | sparse.csr_array, operators: Operators) -> sparse.csr_array:
    """Rates without those of other operators' access points."""
    rates = sparse.csr_array(rate_bps)
    rows = np.repeat(np.arange(rates.shape[0]), np.diff(rates.indptr))
    kept = operators.access_point[rates.indices] == operators.device[rows]
    start = np.concatenate([[0], np.cumsum(np.bincount(rows[kept], minlength=rates.shape[0]))])
    return sparse.csr_array((rates.data[kept], rates.indices[kept], start), shape=rates.shape)


def _device_positions(family: Family, rng: np.random.Generator) -> FloatArray:
    if not family.hotspots:
        return rng.uniform(0, family.area_m, (family.devices, 2))
    centres = rng.uniform(0, family.area_m, (family.hotspots, 2))
    chosen = centres[rng.integers(family.hotspots, size=family.devices)]
    return np.clip(chosen + rng.normal(0, family.hotspot_spread_m, chosen.shape), 0, family.area_m)
