"""Families of random placement problems: named presets whose every parameter can be overridden (model page 2).

The seed is the instance's identity: the same preset, parameters and seed give the same tasks, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType

import numpy as np

from slicewright.errors import InvalidScenarioError, InvalidTasksError, UnknownNameError, nearest
from slicewright.network.parameters import Range, with_parameters
from slicewright.network.workload import BITS_PER_MEGABYTE
from slicewright.placement.problem.regimes import PLACEMENT_REGIMES, PREFIX
from slicewright.placement.problem.shapes import SHAPES, family_links
from slicewright.placement.problem.tasks import Split, Tasks
from slicewright.placement.problem.topology import Topology, linked_topology, with_link_rates
from slicewright.types import FloatArray


@dataclass(frozen=True)
class TaskFamily:
    """Parameters of a family of placement problems. A range (low, high) is drawn uniformly.

    The defaults are the published setting; what the publication leaves open is chosen as on the model page 2.

    Attributes:
        tasks: K.
        shape: ``layered`` as published, ``line``, ``tree`` or ``mesh``; see ``placement.problem.shapes``.
        access_points: A; access point i hangs on lower COIN i, counted round.
        lower_coins, upper_coins, mecs: counts.
        lower_capacity_hz, upper_capacity_hz, mec_capacity_hz: cycle/s, per node.
        link_length, mec_link_length: length of a link, and of one to a MEC.
        size_bits: bit, S_k.
        cycles: cycle, w_k.
        deadline_s: s, D_k.
        arrival_rate_hz: 1/s, lambda_k.
        split: ``proportional``, ``equal`` or ``none``.
        uplink_bps: bit/s from a device to its access point; 0: sending takes no time.
        link_bps: bit/s of a link; 0: sending takes no time.
        device_capacity_hz: cycle/s of a task's own device; 0: it executes nothing.
        device_cost_hops: hops that a task's size counts on its own device.
    """

    tasks: int = 60
    shape: str = "layered"
    access_points: int = 8
    lower_coins: int = 8
    upper_coins: int = 4
    mecs: int = 1
    lower_capacity_hz: Range = (5e8, 5e8)
    upper_capacity_hz: Range = (1e9, 1e9)
    mec_capacity_hz: Range = (1e10, 1e10)
    link_length: float = 1.0
    mec_link_length: float = 2.0
    size_bits: Range = (1 * BITS_PER_MEGABYTE, 10 * BITS_PER_MEGABYTE)
    cycles: Range = (4e7, 8e7)
    deadline_s: Range = (0.010, 0.150)
    arrival_rate_hz: Range = (0.3, 0.3)
    split: Split = "proportional"
    uplink_bps: Range = (0.0, 0.0)
    link_bps: Range = (0.0, 0.0)
    device_capacity_hz: Range = (0.0, 0.0)
    device_cost_hops: Range = (0.0, 0.0)


PLACEMENT_PRESETS: Mapping[str, TaskFamily] = MappingProxyType(
    {
        "paper-placement": TaskFamily(),
        **{
            PREFIX + name: with_parameters(TaskFamily(), regime.parameters, owner=f"preset {PREFIX + name!r}")
            for name, regime in PLACEMENT_REGIMES.items()
        },
    }
)
"""Families of placement problems by name, regimes among them."""


def placement_preset(name: str = "paper-placement", *, seed: int = 0, **overrides: object) -> Tasks:
    """A random placement problem of the named family.

    Args:
        name: ``paper-placement``, or a regime such as ``regime/tight``.
        seed: the instance.
        **overrides: any field of :class:`TaskFamily`, e.g. ``tasks=120`` or ``deadline_s=(0.05, 0.15)``.

    Raises:
        UnknownNameError: no such preset.
        InvalidTasksError: an unknown or impossible parameter.
    """
    if name not in PLACEMENT_PRESETS:
        raise UnknownNameError("placement preset", name, PLACEMENT_PRESETS)
    try:
        family = with_parameters(
            PLACEMENT_PRESETS[name],
            overrides,
            owner=f"preset {name!r}",
            may_be_zero=("mecs",),
        )
    except InvalidScenarioError as bad:
        raise InvalidTasksError(bad.field, bad.rule, index=bad.index, value=bad.value, fix=bad.fix) from None
    if family.shape not in SHAPES:
        raise InvalidTasksError(
            "shape", f"must be one of {', '.join(SHAPES)}{nearest(family.shape, SHAPES)}", value=family.shape
        )
    default = asdict(PLACEMENT_PRESETS[name])
    changed = {k: v for k, v in asdict(family).items() if v != default[k] or k == "tasks"}
    return replace(draw_tasks(family, seed), origin={"preset": name, "seed": seed, **changed})


def draw_tasks(family: TaskFamily, seed: int) -> Tasks:
    """Draw one problem of a family; ``seed`` is the instance."""
    rng = np.random.default_rng(seed)

    def draw(bounds: Range) -> FloatArray:
        return rng.uniform(bounds[0], bounds[1], family.tasks)

    topology = family_topology(family, rng)
    drawn = Tasks(
        topology,
        access_point=rng.integers(family.access_points, size=family.tasks),
        size_bits=draw(family.size_bits),
        cycles=draw(family.cycles),
        deadline_s=draw(family.deadline_s),
        arrival_rate_hz=draw(family.arrival_rate_hz),
        split=family.split,
    )
    return _with_sending_and_devices(drawn, family, np.random.default_rng([seed, 1]))


def _with_sending_and_devices(tasks: Tasks, family: TaskFamily, rng: np.random.Generator) -> Tasks:
    """What a family says of sending and of devices; drawn apart, so that all else stays what it is without."""

    def draw(bounds: Range, count: int) -> FloatArray | None:
        return rng.uniform(bounds[0], bounds[1], count) if bounds[1] > 0.0 else None

    rate = draw(family.link_bps, len(tasks.topology.links))
    if rate is not None:
        tasks = tasks.with_(topology=with_link_rates(tasks.topology, rate))
    hops = draw(family.device_cost_hops, tasks.n_tasks)
    return tasks.with_(
        uplink_bps=draw(family.uplink_bps, tasks.n_tasks),
        device_capacity_hz=draw(family.device_capacity_hz, tasks.n_tasks),
        device_cost_bit_hops=None if hops is None else hops * tasks.size_bits,
    )


def family_topology(family: TaskFamily, rng: np.random.Generator) -> Topology:
    """The network of a family; only the speeds of its nodes are drawn."""
    lower = [f"lower{i}" for i in range(family.lower_coins)]
    upper = [f"upper{i}" for i in range(family.upper_coins)]
    mecs = [f"mec{i}" for i in range(family.mecs)]
    access_points = [f"ap{i}" for i in range(family.access_points)]
    links = family_links(
        family.shape,
        lower=lower,
        upper=upper,
        mecs=mecs,
        access_points=access_points,
        length=family.link_length,
        mec_length=family.mec_link_length,
    )
    capacity: list[FloatArray] = [
        rng.uniform(bounds[0], bounds[1], len(names))
        for bounds, names in (
            (family.lower_capacity_hz, lower),
            (family.upper_capacity_hz, upper),
            (family.mec_capacity_hz, mecs),
        )
    ]
    return linked_topology(
        links,
        capacity_hz=np.concatenate(capacity),
        nodes=(*lower, *upper, *mecs),
        access_points=tuple(access_points),
        kinds=("coin",) * (len(lower) + len(upper)) + ("mec",) * len(mecs),
    )
