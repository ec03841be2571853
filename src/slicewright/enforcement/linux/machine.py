"""What one machine of a network has to hold of a plan: radio of its access points, compute of its node. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from slicewright.enforcement.linux.cgroups import CpuGroups
from slicewright.enforcement.linux.desired import cpu_limits, rate_limits
from slicewright.enforcement.linux.followed_plan import FollowedPlan
from slicewright.enforcement.linux.keep import Kept
from slicewright.enforcement.linux.limits import Limit
from slicewright.enforcement.linux.names import check_address, slugs
from slicewright.enforcement.linux.reconcile import Enforcer
from slicewright.errors import InvalidOptionError, nearest
from slicewright.network import Scenario
from slicewright.slicing.plan import Plan
from slicewright.slicing.rrm import Profile


@dataclass(frozen=True)
class Compute:
    """The node that a machine is.

    Attributes:
        node: its name in the scenario.
        place: holds its CPU groups.
        cpus: CPUs of the machine that stand for the whole capacity of the node, all slices together.
    """

    node: str
    place: Enforcer
    cpus: float

    @classmethod
    def here(cls, node: str, cpus: float) -> Compute:
        """CPU groups of this machine, in a group named after the node.

        Raises:
            MissingFeatureError: there is no CPU controller.
        """
        return cls(node, CpuGroups.here(f"slicewright-{slugs([node])[0]}"), cpus)


@dataclass(frozen=True)
class Machine:
    """What of a network is here.

    Attributes:
        uplinks: access points by name, each with what shapes its traffic.
        compute: the node, if the machine is one.
        addresses: IPv4 address of a device by its id, of all that may ever send through the uplinks.
        profile: ``hard``: nobody gets more than granted. ``guaranteed``: idle rate is lent within the cell.

    Raises:
        InvalidOptionError: an address is none, two devices have the same, or there are no CPUs for the node.
    """

    uplinks: Mapping[str, Enforcer] = field(default_factory=dict)
    compute: Compute | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)
    profile: Profile = "hard"

    def __post_init__(self) -> None:
        owners: dict[str, str] = {}
        for device, address in self.addresses.items():
            check_address(address, f"addresses.{device}")
            if address in owners:
                rule = f"is the address of {owners[address]} already"
                raise InvalidOptionError(f"addresses.{device}", rule, value=address)
            owners[address] = device
        if self.compute is not None and not (np.isfinite(self.compute.cpus) and self.compute.cpus > 0):
            raise InvalidOptionError("cpus", "must be positive", value=self.compute.cpus)

    @property
    def places(self) -> list[tuple[str, Enforcer]]:
        """Everything that limits something here, with its name."""
        cells = [(f"access-point-{name}", place) for name, place in self.uplinks.items()]
        return [*cells, *([(f"node-{self.compute.node}", self.compute.place)] if self.compute else [])]

    def check_names(self, scenario: Scenario) -> None:
        """That the scenario knows every place of this machine.

        Raises:
            InvalidOptionError: an access point or the node is called otherwise there.
        """
        for name in self.uplinks:
            _index(name, scenario.access_points, "access point")
        if self.compute is not None:
            _index(self.compute.node, scenario.nodes, "node")

    def kept(self, followed: FollowedPlan) -> list[Kept]:
        """The limits of every place; none where the plan has nobody there.

        Raises:
            InvalidOptionError: a device has no address, the scenario knows a name differently, or a share is too
                small or too large for the kernel.
        """
        return [
            Kept(name, place, self._limits(name, followed.plan, followed.devices))
            for name, place in self.places
        ]

    def followed(self, read: Callable[[], FollowedPlan]) -> Callable[[], list[Kept]]:
        """What :meth:`kept` says of a source's plan, worked out only when that is another one.

        Args:
            read: gives the plan of now; the very same object while it is the same.
        """
        last: tuple[FollowedPlan, list[Kept]] | None = None

        def wanted() -> list[Kept]:
            nonlocal last
            plan = read()
            if last is None or last[0] is not plan:
                last = plan, self.kept(plan)
            return last[1]

        return wanted

    def _limits(self, name: str, plan: Plan | None, devices: tuple[str, ...]) -> list[Limit]:
        if plan is None:
            return []
        if self.compute is not None and name == f"node-{self.compute.node}":
            return _of_node(plan, devices, self.compute)
        return self._of_cell(plan, devices, name.removeprefix("access-point-"))

    def _of_cell(self, plan: Plan, devices: tuple[str, ...], name: str) -> list[Limit]:
        """A device's class has the number of its address in the list: it keeps that whoever comes or goes."""
        a = _index(name, plan.scenario.access_points, "access point")
        members = np.flatnonzero(plan.decisions.access_point == a).tolist()
        for i in members:
            if devices[i] not in self.addresses:
                rule = f"has no address for a device that {name} serves"
                raise InvalidOptionError("addresses", rule, value=devices[i])
        numbers = {device: k for k, device in enumerate(self.addresses)}
        return rate_limits(
            plan,
            a,
            {i: self.addresses[devices[i]] for i in members},
            profile=self.profile,
            numbers={i: numbers[devices[i]] for i in members},
        )


def _of_node(plan: Plan, devices: tuple[str, ...], compute: Compute) -> list[Limit]:
    j = _index(compute.node, plan.scenario.nodes, "node")
    capacity = float(plan.scenario.node_capacity_hz[j].sum())
    if capacity <= 0.0:  # lost: nobody is there
        return []
    return cpu_limits(
        plan,
        cpus_per_hz=compute.cpus / capacity,
        node=j,
        groups=slugs(devices),
        most_cpus=compute.cpus,
    )


def _index(name: str, names: tuple[str, ...], what: str) -> int:
    if name not in names:
        raise InvalidOptionError(what, f"does not exist in the scenario{nearest(name, names)}", value=name)
    return names.index(name)
