"""What a test bed looks like: names, addresses, and the scale at which a scenario fits this machine. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from slicewright.enforcement.linux.cgroups import LEAST_QUOTA_US, SECOND_US
from slicewright.enforcement.linux.desired import cpu_group, cpu_speeds_hz, device_group, uplink_rates_bps
from slicewright.errors import InvalidOptionError
from slicewright.slicing.plan import Plan
from slicewright.types import IntArray

PREFIX = "swt-"
WIRE_OVERHEAD = 1514 / 1448
"""Bytes on the wire per byte of payload: Ethernet, IP and TCP headers of full frames."""
MOST_BPS = 200e6
MOST_CPU = 0.9
"""A worker has one thread; it is not promised a whole CPU, because somebody must move the packets."""
_NAME = re.compile(r"[a-z0-9]{1,12}")
_PER_BLOCK = 250


@dataclass(frozen=True)
class BedScale:
    """How the scenario is made to fit. Times stay as they are: work and speed shrink by the same factor.

    Attributes:
        bits: sent here per bit of the scenario.
        cpus_per_hz: CPUs of this machine that stand for one cycle/s; a cycle is so many CPU seconds.
        slow: slow motion: everything takes so many times longer here, and measured times are divided by it. CPU
            quotas come in periods, which long tasks feel less.
    """

    bits: float
    cpus_per_hz: float
    slow: float = 1.0

    @property
    def rate(self) -> float:
        """Payload bit/s granted here per bit/s of the scenario."""
        return self.bits / self.slow


def fit(plan: Plan, *, most_bps: float = MOST_BPS, cpus: float, slow: float = 1.0) -> BedScale:
    """The largest scale at which all that a plan grants fits this machine at the same time.

    Args:
        plan: what is granted.
        most_bps: bit/s that all uplinks together may carry.
        cpus: CPUs that all workers together may use.
        slow: slow motion, at least 1.

    Raises:
        InvalidOptionError: a limit is not positive, nobody offloads, or a device's part would be below the kernel's
            least quota.
    """
    for name, value in (("most_bps", most_bps), ("cpus", cpus)):
        if not value > 0:
            raise InvalidOptionError(name, "must be positive", value=value)
    if not slow >= 1:
        raise InvalidOptionError("slow", "must be at least 1", value=slow)
    rates, speeds = uplink_rates_bps(plan), cpu_speeds_hz(plan)
    if not (rates > 0).any():
        raise InvalidOptionError(
            "plan", "must offload at least one device: all compute locally, so nothing is shared"
        )
    cpus_per_hz = min(cpus / speeds.sum(), MOST_CPU / speeds.max())
    least = speeds[speeds > 0].min() * cpus_per_hz
    if least * SECOND_US < LEAST_QUOTA_US:
        raise InvalidOptionError(
            "devices",
            f"must each get at least {LEAST_QUOTA_US / SECOND_US:g} CPU here; the smallest share is {least:.2g}",
            fix="use fewer devices, or give the bed more CPUs",
        )
    return BedScale(min(1.0, float(most_bps * slow / rates.sum())), float(cpus_per_hz), slow)


@dataclass(frozen=True)
class Layout:
    """Names and addresses of one test bed. Only what the plan uses is built.

    Attributes:
        name: of the bed; every namespace and group that belongs to it begins with its prefix.
        plan: who sends where.

    Raises:
        InvalidOptionError: the name has characters that interfaces or folders cannot have.
    """

    name: str
    plan: Plan

    def __post_init__(self) -> None:
        check_name(self.name)

    @property
    def prefix(self) -> str:
        """Of all names in the kernel."""
        return bed_prefix(self.name)

    @cached_property
    def devices(self) -> IntArray:
        """Devices that offload; the others share nothing and are not built."""
        return np.flatnonzero(~self.plan.decisions.local)

    @cached_property
    def access_points(self) -> tuple[int, ...]:
        """Access points in use."""
        return tuple(np.unique(self.plan.decisions.access_point[self.devices]).tolist())

    @cached_property
    def nodes(self) -> tuple[int, ...]:
        """Nodes in use."""
        return tuple(np.unique(self.plan.decisions.node[self.devices]).tolist())

    @property
    def core(self) -> str:
        """Namespace of the network between access points and nodes."""
        return f"{self.prefix}core"

    def access_point(self, index: int) -> str:
        """Namespace of an access point."""
        return f"{self.prefix}ap{index}"

    def node(self, index: int) -> str:
        """Namespace of a node."""
        return f"{self.prefix}node{index}"

    def device(self, index: int) -> str:
        """Namespace of a device."""
        return f"{self.prefix}dev{index}"

    def group(self, device: int) -> str:
        """CPU group of a device's share of its node."""
        d = self.plan.decisions
        return f"{cpu_group(int(d.node[device]), int(d.slice[device]))}/{device_group(device)}"


def check_name(name: str) -> None:
    """Raise unless a bed can have this name."""
    if _NAME.fullmatch(name) is None:
        raise InvalidOptionError("name", "must be 1 to 12 lower-case letters and digits", value=name)


def bed_prefix(name: str) -> str:
    """Beginning of all names of a bed in the kernel."""
    return f"{PREFIX}{name}-"


def device_address(index: int) -> str:
    """IPv4 address of a device."""
    return f"10.80.{index // _PER_BLOCK}.{index % _PER_BLOCK + 1}"


def node_address(index: int) -> str:
    """IPv4 address of a node."""
    return f"10.81.{index // _PER_BLOCK}.{index % _PER_BLOCK + 1}"
