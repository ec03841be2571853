"""From a plan to the limits that carry it out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from slicewright.enforcement.linux.cgroups import SECOND_US
from slicewright.enforcement.linux.limits import Limit
from slicewright.errors import InvalidOptionError
from slicewright.slicing.plan import Plan
from slicewright.slicing.rrm import Profile
from slicewright.types import FloatArray

ROOT_MINOR = 0x1
FIRST_SLICE_MINOR, FIRST_DEVICE_MINOR, LAST_MINOR = 0x100, 0x1000, 0xFFFF


def uplink_rates_bps(plan: Plan) -> FloatArray:
    """(I,) bit/s. What every offloaded device was granted on its access point, omega phi R; 0 if local."""
    d, rates = plan.decisions, np.zeros(plan.scenario.n_devices)
    off = np.flatnonzero(~d.local)
    a, n = d.access_point[off], d.slice[off]
    rates[off] = plan.shares.bandwidth[a, n] * plan.shares.radio[off] * plan.scenario.rate_of(off, a)
    return rates


def cpu_speeds_hz(plan: Plan) -> FloatArray:
    """(I,) cycle/s. What every offloaded device was granted on its node, phi F; 0 if local."""
    d, speeds = plan.decisions, np.zeros(plan.scenario.n_devices)
    off = np.flatnonzero(~d.local)
    speeds[off] = plan.shares.compute[off] * plan.scenario.node_capacity_hz[d.node[off], d.slice[off]]
    return speeds


def rate_limits(
    plan: Plan,
    access_point: int,
    sources: Mapping[int, str],
    *,
    scale: float = 1.0,
    profile: Profile = "hard",
    numbers: Mapping[int, int] | None = None,
) -> list[Limit]:
    """Rate classes of one access point's uplink: the cell, its slices (omega), their devices (phi).

    The devices of a cell have different R, so a share of the radio is a share of time, and a slice's class gets
    the sum of what its devices are granted.

    Args:
        plan: decisions and shares.
        access_point: whose devices.
        sources: address of each of these devices, by index.
        scale: multiplies every rate: for header bytes, or to fit a machine.
        profile: ``hard``: nobody gets more than granted. ``guaranteed``: idle rate is lent within the cell.
        numbers: of each of these devices' classes, by index; by default the index itself.

    Raises:
        InvalidOptionError: more devices than a queue has class numbers, or one granted less than 1 kbit/s.
    """
    d = plan.decisions
    rates = uplink_rates_bps(plan) * scale
    members = np.flatnonzero(d.access_point == access_point)
    if members.size == 0:
        return []
    number = {i: i if numbers is None else numbers[i] for i in members.tolist()}
    if FIRST_DEVICE_MINOR + max(number.values()) > LAST_MINOR:
        raise InvalidOptionError("devices", "must have numbers that fit the class numbers of one queue")
    slices: dict[int, list[tuple[int, int]]] = {}
    for i in members.tolist():
        kbit = int(rates[i] // 1000)
        if kbit < 1:
            raise InvalidOptionError(
                "rate", f"of device {i} must be at least 1 kbit/s", value=float(rates[i])
            )
        slices.setdefault(int(d.slice[i]), []).append((i, kbit))
    total = sum(kbit for group in slices.values() for _, kbit in group)
    root = f"{ROOT_MINOR:x}"
    lend = profile == "guaranteed"
    limits = [Limit(root, None, total, total)]
    for n, group in sorted(slices.items()):
        minor, own = f"{FIRST_SLICE_MINOR + n:x}", sum(kbit for _, kbit in group)
        limits.append(Limit(minor, root, own, total if lend else own))
        limits += [
            Limit(f"{FIRST_DEVICE_MINOR + number[i]:x}", minor, kbit, total if lend else kbit, sources[i])
            for i, kbit in group
        ]
    return limits


def cpu_limits(
    plan: Plan,
    *,
    cpus_per_hz: float,
    node: int | None = None,
    groups: Sequence[str] | None = None,
    most_cpus: float = 1.0,
) -> list[Limit]:
    """CPU groups of nodes: one per node and slice in use (its capacity F), one per device in it (phi).

    Args:
        plan: decisions and shares.
        cpus_per_hz: how many CPUs of this machine stand for one cycle/s of the scenario.
        node: the only one whose groups are wanted; all by default.
        groups: name of each device's group, by index; by default after its index.
        most_cpus: CPUs that a device may get; one, where its worker has one thread.

    Raises:
        InvalidOptionError: a device's share is below the kernel's least quota, or above ``most_cpus``.
    """
    d, speeds = plan.decisions, cpu_speeds_hz(plan)
    seated: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for i in np.flatnonzero(~d.local if node is None else d.node == node).tolist():
        amount = int(speeds[i] * cpus_per_hz * SECOND_US)
        if not amount <= most_cpus * SECOND_US:
            most = "one CPU" if most_cpus == 1.0 else f"{most_cpus:g} CPUs"
            rule = f"gives device {i} more than {most}"
            raise InvalidOptionError("cpus_per_hz", rule, value=cpus_per_hz)
        seated.setdefault((int(d.node[i]), int(d.slice[i])), []).append((i, amount))
    limits = []
    for (j, n), group in sorted(seated.items()):
        # A parent exactly as large would stop children whose periods do not line up with its own.
        above = sum(amount for _, amount in group) + max(amount for _, amount in group)
        key = cpu_group(j, n)
        limits.append(Limit(key, None, above, above))
        limits += [
            Limit(f"{key}/{device_group(i) if groups is None else groups[i]}", key, amount, amount)
            for i, amount in group
        ]
    return limits


def cpu_group(node: int, slice_index: int) -> str:
    """Name of the CPU group of a node's slice."""
    return f"node{node}-slice{slice_index}"


def device_group(device: int) -> str:
    """Name of a device's group in the group of its node's slice."""
    return f"device{device}"
