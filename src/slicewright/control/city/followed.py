"""A live city by the names of its devices: changes that are checked first, and the difference that each has made."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from slicewright.control.requests.commands import CapacityError, UnknownDeviceError
from slicewright.control.requests.owners import ForeignDeviceError
from slicewright.control.state.events import LOCAL as NOBODY
from slicewright.control.state.events.city import CityChanged, CityDevice
from slicewright.control.state.grants import Place
from slicewright.control.state.idempotency import Remembered, with_key
from slicewright.control.state.network import Network
from slicewright.errors import InvalidPlanError, InvalidScenarioError, nearest
from slicewright.network.city import City
from slicewright.network.scenario import Scenario
from slicewright.slicing.city.device import Device
from slicewright.slicing.city.live import LiveCity
from slicewright.slicing.decisions import LOCAL, Decisions
from slicewright.types import FloatArray, IntArray

PREFIX = "device-"
"""Devices of the scenario that a city begins with are named so, and by their number in it."""


@dataclass(frozen=True)
class Change:
    """What is asked for; all of it happens, or nothing.

    Attributes:
        admitted, withdrawn, capacity_hz, by, key, request_digest, asked_s: see ``CityChanged``.
        admin: the caller may change everybody's devices.
    """

    admitted: tuple[CityDevice, ...] = ()
    withdrawn: tuple[str, ...] = ()
    capacity_hz: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    by: str = ""
    admin: bool = False
    key: str | None = None
    request_digest: str | None = None
    asked_s: float = 0.0

    @classmethod
    def of(cls, event: CityChanged) -> Change:
        """What an event of the journal was asked for; it was allowed then."""
        e = event
        return cls(
            e.admitted, e.withdrawn, e.capacity_hz, e.by, True, e.key, e.request_digest, e.asked_s,
        )  # fmt: skip


class FollowedCity:
    """A live city whose devices have names.

    Attributes:
        names, slots: slot to name, name to slot.
        position_m: (slots, 2) m, where devices are; not a number where that is not known.
        crowd: another text whenever somebody has come or left.

    Args:
        scenario: that it began with.
        live: the city now; planned and proven from the scenario by default.
        coin_reach_m, mec_reach_m: nodes within these of a device are its candidates where it names none.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        live: LiveCity | None = None,
        coin_reach_m: float = City.coin_reach_m,
        mec_reach_m: float = City.mec_reach_m,
    ) -> None:
        self.scenario, self.network = scenario, Network.of(scenario)
        self.live = LiveCity(scenario) if live is None else live
        self.names: dict[int, str] = {i: f"{PREFIX}{i}" for i in range(scenario.n_devices)}
        self.slots = {name: slot for slot, name in self.names.items()}
        self.position_m = np.full((self.live.present.size, 2), np.nan)
        if scenario.sites.device_m is not None:
            self.position_m[: scenario.n_devices] = scenario.sites.device_m
        self._born, self._came_or_left = secrets.token_hex(4), 0
        self.owners: dict[str, str] = {}
        self.keys: Mapping[str, Remembered] = {}
        kinds = np.array([kind == "mec" for kind in scenario.node_kinds])
        self._reach_m = np.where(kinds, mec_reach_m, coin_reach_m)

    @property
    def crowd(self) -> str:
        return f"{self._born}-{self._came_or_left}"

    def check(self, change: Change) -> list[tuple[str, Device]]:
        """Refuse what cannot be done; the admitted devices as the live city takes them.

        Raises:
            UnknownDeviceError, ForeignDeviceError, CapacityError: see there.
            InvalidScenarioError: a device or capacity breaks a rule, or names a place that does not exist.
        """
        for name in change.withdrawn:
            if name not in self.slots:
                raise UnknownDeviceError(f"there is no device {name!r}")
        ids = [new.device.id for new in change.admitted]
        for name in (*ids, *change.withdrawn):
            if not change.admin and self.owners.get(name, change.by) != change.by:
                raise ForeignDeviceError(f"device {name!r} was asked for by somebody else")
        if len({*ids, *change.withdrawn}) < len(ids) + len(change.withdrawn):
            raise InvalidScenarioError("devices.id", "appears twice in the request")
        if sum(name not in self.slots for name in ids) > self.live.room:
            raise CapacityError(f"there would be more than {self.live.present.size} devices")
        for node, capacity in change.capacity_hz.items():
            if node not in self.network.index.node:
                raise InvalidScenarioError(
                    "nodes", f"does not exist{nearest(node, self.network.nodes)}", value=node
                )
            if len(capacity) != self.scenario.n_slices:
                raise InvalidScenarioError("nodes.capacity_hz", "must have a number per slice", value=node)
        devices = [(new.device.id, self._candidates(row, new)) for row, new in enumerate(change.admitted)]
        for _, device in devices:
            self.live.check(device)
        return devices

    # Over 60 lines: every part of a change is done and told in turn.
    def apply(self, change: Change, *, decide: bool = True) -> CityChanged:
        """Do what is asked for, and say what that has changed; after an error nothing has.

        Args:
            change: what is asked for.
            decide: find places; else nobody gets one, as where a record has them (:meth:`follow`).

        Raises:
            SlicewrightError: as :meth:`check` does.
        """
        began = time.perf_counter()
        devices = self.check(change)
        touched: set[int] = set()
        for name in change.withdrawn:
            slot = self.slots.pop(name)
            del self.names[slot]
            self._came_or_left += 1
            self.owners.pop(name, None)
            self.live.leave(slot, decide=decide)
            touched.discard(slot)
            touched.update(self.live.moved_others)
        asked: set[int] = set()
        for (name, device), new in zip(devices, change.admitted, strict=True):
            known = self.slots.get(name)
            if known is None:
                self._came_or_left += 1
                slot = self.live.join(device, decide=decide)
                self.slots[name], self.names[slot] = slot, name
                if change.by not in ("", NOBODY):
                    self.owners[name] = change.by
            else:
                slot = known
                self.live.change(slot, device, decide=decide)
            self.position_m[slot] = new.device.position_m or np.nan
            asked.add(slot)
            touched.update((slot, *self.live.moved_others))
        for node, capacity in change.capacity_hz.items():
            self.live.set_capacity(self.network.index.node[node], np.array(capacity), decide=decide)
            touched.update(self.live.moved_others)
        if change.key is not None:
            ids = tuple(name for name, _ in devices)
            remembered = Remembered(change.request_digest or "", ids, change.asked_s)
            self.keys = with_key(self.keys, change.key, remembered)
        return CityChanged(
            places=self.places(sorted(touched)),
            cost_s=self.live.cost_s,
            lower_bound_s=self.live.bound_s,
            duration_s=time.perf_counter() - began,
            admitted=change.admitted,
            withdrawn=change.withdrawn,
            capacity_hz=change.capacity_hz,
            moved=tuple(self.names[slot] for slot in sorted(touched - asked)),
            by=change.by,
            key=change.key,
            request_digest=change.request_digest,
            asked_s=change.asked_s,
        )

    def follow(self, event: CityChanged) -> None:
        """Do what a record tells without deciding anything: its places are what was decided.

        Raises:
            SlicewrightError: as :meth:`check` and :meth:`place` do.
        """
        self.apply(Change.of(event), decide=False)
        self.place(event.places)

    def place(self, places: Mapping[str, Place | None]) -> None:
        """Put devices at places that were decided before.

        Raises:
            UnknownDeviceError: no such device.
            InvalidPlanError: a place does not exist or is none for that device.
        """
        index, rows = self.network.index, list[tuple[int, ...]]()
        for name, place in places.items():
            if name not in self.slots:
                raise UnknownDeviceError(f"there is no device {name!r}")
            row: tuple[int, ...] = (LOCAL,) * 3
            if place is not None:
                try:
                    row = (
                        index.access_point[place.access_point], index.node[place.node], index.slice[place.slice]
                    )  # fmt: skip
                except KeyError as error:
                    raise InvalidPlanError("places", f"names {error}, which does not exist") from None
            rows.append((self.slots[name], *row))
        slots, access_point, node, slice_ = np.array(sorted(rows), dtype=np.int64).reshape(-1, 4).T.copy()
        self.live.place(slots, Decisions.trusted(access_point, node, slice_))

    def places(self, slots: Sequence[int]) -> dict[str, Place | None]:
        """Where some devices are, by their names."""
        d, network = self.live.places(np.array(slots, dtype=np.int64)), self.network
        rows = zip(slots, d.access_point.tolist(), d.node.tolist(), d.slice.tolist(), strict=True)
        return {
            self.names[slot]: None
            if a == LOCAL
            else Place(network.access_points[a], network.nodes[j], network.slice_names[n])
            for slot, a, j, n in rows
        }

    def document(self, name: str) -> dict[str, Any]:
        """One device: where it is served, with what shares, and how long that takes.

        Raises:
            UnknownDeviceError: no such device.
        """
        slot = self.slots.get(name)
        if slot is None:
            raise UnknownDeviceError(f"there is no device {name!r}")
        place = self.places([slot])[name]
        omega, radio, compute, transmission_s, execution_s = self.live.shares_at(slot)
        return {
            "id": name,
            "local": place is None,
            "access_point": None if place is None else place.access_point,
            "node": None if place is None else place.node,
            "slice": None if place is None else place.slice,
            "bandwidth_share": None if place is None else omega,
            "radio_share": None if place is None else radio,
            "compute_share": None if place is None else compute,
            "transmit_s": transmission_s,
            "execute_s": execution_s,
            "completion_s": transmission_s + execution_s,
        }

    def _candidates(self, row: int, new: CityDevice) -> Device:
        """A request by the numbers of its candidates."""
        d, names = new.device, self.network.slice_names
        for name in d.slice_cycles:
            if name not in names:
                rule = f"names a slice that does not exist{nearest(name, names)}"
                raise InvalidScenarioError("devices.slice_cycles", rule, index=(row,), value=name)
        if len(d.slice_cycles) < len(names):
            raise InvalidScenarioError("devices.slice_cycles", "must name every slice", index=(row,))
        points, rates = self._links(row, new)
        return Device(
            task_bits=d.task_bits,
            local_cycles=d.local_cycles,
            local_capacity_hz=d.local_capacity_hz,
            arrival_rate_hz=d.arrival_rate_hz,
            slice_cycles=np.array([d.slice_cycles[name] for name in names]),
            access_points=points,
            rate_bps=rates,
            nodes=self._nodes(row, new),
        )

    def _links(self, row: int, new: CityDevice) -> tuple[IntArray, FloatArray]:
        """Access points in reach, rising, with their rates."""
        d, n = new.device, self.network
        if d.rate_bps is not None:
            known = n.index.access_point
            for name in d.rate_bps:
                if name not in known:
                    rule = f"names an access point that does not exist{nearest(name, n.access_points)}"
                    raise InvalidScenarioError("devices.rate_bps", rule, index=(row,), value=name)
            found = sorted((known[name], rate) for name, rate in d.rate_bps.items() if rate > 0)
            return np.array([a for a, _ in found], dtype=np.int64), np.array([rate for _, rate in found])
        if n.radio is None or n.access_point_m is None or d.position_m is None or d.tx_power_w is None:
            rule = "is missing, and cannot be computed without position_m, tx_power_w and a radio model"
            raise InvalidScenarioError("devices.rate_bps", rule, index=(row,))
        position, power = np.array([d.position_m]), np.array([d.tx_power_w])
        computed = n.radio.rates(position, n.access_point_m, power, n.bandwidth_hz)
        if isinstance(computed, np.ndarray):
            reached = np.flatnonzero(computed[0] > 0)
            return reached, computed[0, reached]
        return computed.indices.astype(np.int64), computed.data

    def _nodes(self, row: int, new: CityDevice) -> IntArray:
        """Nodes that a device may use, rising."""
        if new.nodes is not None:
            for name in new.nodes:
                if name not in self.network.index.node:
                    rule = f"names a node that does not exist{nearest(name, self.network.nodes)}"
                    raise InvalidScenarioError("devices.nodes", rule, index=(row,), value=name)
            return np.array(sorted({self.network.index.node[name] for name in new.nodes}), dtype=np.int64)
        if self.network.node_m is None or new.device.position_m is None:
            rule = "are missing, and not known without positions of the device and of nodes"
            raise InvalidScenarioError("devices.nodes", rule, index=(row,))
        away = self.network.node_m - np.array(new.device.position_m)
        return np.flatnonzero(np.hypot(away[:, 0], away[:, 1]) <= self._reach_m)


def digest_of(scenario: Scenario) -> str:
    """SHA-256 over everything that a city's first plan and its names depend on."""
    s, told = scenario, hashlib.sha256()
    lists = () if s.node_lists is None else (s.node_lists.start, s.node_lists.node)
    for array in (
        s.task_bits, s.local_cycles, s.local_capacity_hz, s.arrival_rate_hz, s.slice_cycles, s.links.start,
        s.links.access_point, s.links.rate_bps, *lists,
    ):  # fmt: skip
        told.update(np.ascontiguousarray(array).tobytes())
    told.update(Network.of(s).digest.encode())
    return told.hexdigest()
