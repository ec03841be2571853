"""What a live city is made of: arrays with room for devices to come, in which devices are put and taken out.

Nothing is decided here: a device that is put in is local, and one that is taken out leaves the others where they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.network.scenario import Scenario
from slicewright.slicing._kernels.problem import LOCAL
from slicewright.slicing.city._kernels.bound import Multipliers
from slicewright.slicing.city._kernels.ledger import COST, Ledger, enter_device, price_device, withdraw_device
from slicewright.slicing.city._kernels.listings import Listings
from slicewright.slicing.city._kernels.live import enter_lists, leave_lists, make_local
from slicewright.slicing.city._kernels.problem import OWN, WORK, Problem, State
from slicewright.slicing.city.device import Device
from slicewright.types import FloatArray

_PARTS: Mapping[str, Any] = {
    "_problem": Problem, "_state": State, "_numbers": Multipliers, "_ledger": Ledger,
    "_by_access_point": Listings, "_by_node": Listings,
}  # fmt: skip
"""What a live city is made of, by the names of its fields."""


class LiveSlots:
    """Devices by slot, the plan for them, the terms of the bound, and who lists which resource."""

    _scenario: Scenario
    _task: FloatArray
    _free: list[int]
    _problem: Problem
    _state: State
    _numbers: Multipliers
    _ledger: Ledger
    _by_access_point: Listings
    _by_node: Listings
    _events: int
    _links_width: int
    _nodes_width: int
    moved: int
    moved_others: list[int]
    moving_price_s: float

    def node_use(self) -> FloatArray:
        """(J, N) part of each slice's capacity on a node that stable queues take (13c); 0 without capacity."""
        p, sums = self._problem, self._state.sums
        load = sums[:, WORK] * self._state.arrivals[:, None] if p.shared_queue else sums[:, OWN]
        return np.asarray(np.divide(load, p.capacity, out=np.zeros_like(load), where=p.capacity > 0))

    def band_use(self) -> FloatArray:
        """(A, N) part of an access point's band that each slice gets, omega; zeros where nobody sends."""
        p, slices = self._problem, self._problem.capacity.shape[1]
        off = np.flatnonzero(self._state.link != LOCAL)
        link = self._state.link[off]
        cell = p.access_point[link] * slices + self._state.slice[off]
        root = np.bincount(cell, p.link_root[link], p.n_access_points * slices).reshape(-1, slices)
        whole = root.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(root, whole, out=np.zeros_like(root), where=whole > 0))

    def state(self) -> dict[str, np.ndarray]:
        """Everything that :meth:`restored` needs, as arrays."""
        own = {
            "task": self._task, "free": np.array(self._free, dtype=np.int64),
            "counts": np.array([self.moved, self._events, self._links_width, self._nodes_width]),
            "moving_price_s": np.array(self.moving_price_s),
        }  # fmt: skip
        for name in _PARTS:
            for field, value in getattr(self, name)._asdict().items():
                own[f"{name}.{field}"] = np.array(value)
        return own

    @classmethod
    def restored(cls, scenario: Scenario, state: Mapping[str, np.ndarray]) -> Self:
        """A city as it was when its state was taken; it goes on bit for bit. ``scenario`` is the one it began with."""
        made = cls.__new__(cls)
        made._scenario, made._task, made.moved_others = scenario, np.array(state["task"]), []
        made._free = [int(slot) for slot in state["free"]]
        made.moved, made._events, made._links_width, made._nodes_width = map(int, state["counts"])
        made.moving_price_s = float(state["moving_price_s"])
        for name, kind in _PARTS.items():
            values = (np.array(state[f"{name}.{field}"]) for field in kind._fields)
            setattr(made, name, kind(*(value if value.ndim else value.item() for value in values)))
        return made

    def _write(self, slot: int, device: Device) -> None:
        """Put a device into a slot, and its terms into the bound."""
        p = self._problem
        self._task[:, slot] = device.task_bits, device.local_cycles, device.local_capacity_hz
        p.local_time[slot] = device.local_cycles / device.local_capacity_hz
        p.arrival[slot] = device.arrival_rate_hz
        p.work[slot], p.work_root[slot] = device.slice_cycles, np.sqrt(device.slice_cycles)
        first, last = p.link_start[slot], p.link_start[slot] + len(device.access_points)
        p.access_point[first:last] = device.access_points
        p.link_root[first:last] = np.sqrt(device.task_bits / device.rate_bps)
        p.link_end[slot] = last
        first, last = p.node_start[slot], p.node_start[slot] + len(device.nodes)
        p.node[first:last] = device.nodes
        p.node_end[slot] = last
        enter_lists(p, self._by_access_point, self._by_node, slot)
        price_device(p, self._numbers, self._ledger, slot)
        enter_device(p, self._numbers, self._ledger, slot)
        self._ledger.totals[COST] += p.local_time[slot]

    def _take_out(self, slot: int) -> tuple[int, int]:
        """Remove a device from plan, bound and lists: the access point and node that it leaves, or -1."""
        p, state = self._problem, self._state
        if not 0 <= slot < p.local_time.size or p.local_time[slot] == 0.0:
            raise InvalidScenarioError("devices", "there is no such device", index=(slot,))
        left = (
            (int(p.access_point[state.link[slot]]), int(state.node[slot]))
            if state.link[slot] != LOCAL
            else (LOCAL,) * 2
        )
        make_local(p, state, self._ledger, slot)
        self._ledger.totals[COST] -= p.local_time[slot]
        withdraw_device(p, self._numbers, self._ledger, slot)
        leave_lists(p, self._by_access_point, self._by_node, slot)
        return left
