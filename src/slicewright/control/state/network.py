"""The network that an orchestrator holds: a scenario without its devices, ``slicewright/network/v1``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

import numpy as np
from scipy import sparse

from slicewright.control.state.device import Device
from slicewright.errors import InvalidScenarioError
from slicewright.network.radio import Radio
from slicewright.network.scenario import Scenario, Sites, SliceId
from slicewright.network.scenario_file import scenario_from_dict
from slicewright.types import Document, FloatArray, Queueing

SCHEMA = "slicewright/network/v1"
_UNSERVED = 16.0
"""Work of a device in a slice that it may not use: this many times what 13b admits on the fastest node."""


def positions(names: Iterable[str]) -> dict[str, int]:
    """Where each of some names stands among them."""
    return {name: k for k, name in enumerate(names)}


@dataclass(frozen=True)
class PlaceIndex:
    """Names of access points, nodes and slices to their indices."""

    access_point: Mapping[str, int]
    node: Mapping[str, int]
    slice: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class Network:
    """Slices, access points and nodes; fields as in :class:`~slicewright.network.scenario.Scenario`."""

    slices: tuple[SliceId, ...]
    access_points: tuple[str, ...]
    nodes: tuple[str, ...]
    node_kinds: tuple[str, ...]
    bandwidth_hz: FloatArray
    node_capacity_hz: FloatArray
    queueing: Queueing
    access_point_m: FloatArray | None = None
    node_m: FloatArray | None = None
    radio: Radio | None = None

    @classmethod
    def of(cls, scenario: Scenario) -> Network:
        """The network of a scenario."""
        s = scenario
        return cls(
            s.slices, s.access_points, s.nodes, s.node_kinds, s.bandwidth_hz, s.node_capacity_hz, s.queueing,
            s.sites.access_point_m, s.sites.node_m, s.radio,
        )  # fmt: skip

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> Network:
        """Read a network document, checked by the same rules as a scenario file.

        Raises:
            InvalidScenarioError: what is wrong, where, and the rule.
        """
        doc = dict(document)
        schema = doc.pop("schema", SCHEMA)
        if schema != SCHEMA:
            raise InvalidScenarioError("schema", f"must be {SCHEMA}", value=schema)
        for name in ("devices", "rate_bps"):
            if name in doc:
                raise InvalidScenarioError(
                    name, "is not part of a network", fix="send devices to /v1/requests"
                )
        return cls.of(scenario_from_dict({**doc, **_probe(doc)}))

    @cached_property
    def document(self) -> Document:
        """The network as a ``slicewright/network/v1`` document."""
        points: Document = {"names": list(self.access_points), "bandwidth_hz": self.bandwidth_hz.tolist()}
        nodes: Document = {
            "names": list(self.nodes),
            "kinds": list(self.node_kinds),
            "capacity_hz": self.node_capacity_hz.tolist(),
        }
        if self.access_point_m is not None:
            points["position_m"] = self.access_point_m.tolist()
        if self.node_m is not None:
            nodes["position_m"] = self.node_m.tolist()
        slices = [
            {"name": s.name, "sst": s.sst, **({} if s.sd is None else {"sd": s.sd})} for s in self.slices
        ]
        radio = {} if self.radio is None else {"radio": {"model": self.radio.model, **self.radio.parameters}}
        return {
            "schema": SCHEMA,
            "queueing": self.queueing,
            "slices": slices,
            "access_points": points,
            "nodes": nodes,
            **radio,
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the document."""
        return hashlib.sha256(json.dumps(self.document, sort_keys=True).encode()).hexdigest()

    @cached_property
    def slice_names(self) -> tuple[str, ...]:
        """Names of the slices, by index."""
        return tuple(s.name for s in self.slices)

    @cached_property
    def index(self) -> PlaceIndex:
        """Where each name is."""
        return PlaceIndex(*map(positions, (self.access_points, self.nodes, self.slice_names)))

    def arrays(self, devices: Sequence[Device]) -> tuple[FloatArray, FloatArray | sparse.csr_array]:
        """Work and rates of devices in this network: (I, N) cycle and (I, A) bit/s."""
        return self.work(devices), self._rates(devices)

    def work(self, devices: Sequence[Device]) -> FloatArray:
        """Work of devices in the slices of this network: (I, N) cycle."""
        names = self.slice_names
        try:  # nearly always each may use them all
            rows: list[Any] = list(map(itemgetter(*names), [d.slice_cycles for d in devices]))
        except KeyError:
            rows = [[d.slice_cycles.get(name, 0.0) for name in names] for d in devices]
        work = np.array(rows, dtype=np.float64).reshape(len(devices), len(names))
        unserved = work == 0.0  # cycles are positive
        if unserved.any():
            fastest = max(float(self.node_capacity_hz.max()), 1.0)
            most = np.array([_UNSERVED * d.local_time_s * fastest for d in devices])
            work = np.where(unserved, most[:, None], work)
        return work

    def _rates(self, devices: Sequence[Device]) -> FloatArray | sparse.csr_array:
        by_radio = [
            d.rate_bps is None and d.position_m is not None and d.tx_power_w is not None for d in devices
        ]
        rates = np.zeros((len(devices), len(self.access_points)))
        if self.radio is not None and self.access_point_m is not None and any(by_radio):
            where = np.flatnonzero(by_radio).tolist()
            position = np.array([devices[i].position_m for i in where], dtype=np.float64)
            power = np.array([devices[i].tx_power_w for i in where], dtype=np.float64)
            computed = self.radio.rates(position, self.access_point_m, power, self.bandwidth_hz)
            if len(where) == len(devices):
                return computed
            rates[where] = computed.toarray() if isinstance(computed, sparse.csr_array) else computed
        for i, device in enumerate(devices):
            if device.rate_bps is not None:
                rates[i] = [device.rate_bps.get(name, 0.0) for name in self.access_points]
        return rates

    def scenario(
        self,
        devices: Sequence[Device],
        *,
        capacity_hz: FloatArray | None = None,
        work: FloatArray | None = None,
    ) -> Scenario:
        """The planning problem of some devices, in their order.

        Args:
            devices: at least one; each must be servable in a stable queue by some node alone.
            capacity_hz: (J, N) instead of the network's own.
            work: of the devices, where it is known already.
        """
        rates = self._rates(devices)
        placed = all(d.position_m is not None for d in devices)
        powered = all(d.tx_power_w is not None for d in devices)
        return Scenario(
            task_bits=np.array([d.task_bits for d in devices]),
            local_cycles=np.array([d.local_cycles for d in devices]),
            local_capacity_hz=np.array([d.local_capacity_hz for d in devices]),
            arrival_rate_hz=np.array([d.arrival_rate_hz for d in devices]),
            slice_cycles=self.work(devices) if work is None else work,
            rate_bps=rates,
            node_capacity_hz=self.node_capacity_hz if capacity_hz is None else capacity_hz,
            bandwidth_hz=self.bandwidth_hz,
            queueing=self.queueing,
            slices=self.slices,
            access_points=self.access_points,
            nodes=self.nodes,
            node_kinds=self.node_kinds,
            sites=Sites(
                self.access_point_m,
                np.array([d.position_m for d in devices]) if placed else None,
                np.array([d.tx_power_w for d in devices]) if powered else None,
                self.node_m,
            ),
        )


def _probe(doc: Mapping[str, object]) -> Document:
    """One device that any network serves, so that the scenario reader checks everything else."""
    points, nodes = doc.get("access_points"), doc.get("nodes")
    slices = doc.get("slices")
    capacity = nodes.get("capacity_hz") if isinstance(nodes, Mapping) else None
    row = capacity[0] if isinstance(capacity, Sequence) and capacity else None
    count = len(slices) if isinstance(slices, Sequence) else len(row) if isinstance(row, Sequence) else 1
    device: Document = {
        "task_bits": [1.0],
        "local_cycles": [1.0],
        "local_capacity_hz": [1.0],
        "arrival_rate_hz": [1e-12],
        "slice_cycles": [[1.0] * max(count, 1)],
    }
    if isinstance(points, Mapping) and points.get("position_m") is not None:
        return {"devices": {**device, "position_m": [[0.0, 0.0]], "tx_power_w": [1.0]}}
    bandwidth = points.get("bandwidth_hz") if isinstance(points, Mapping) else None
    width = len(bandwidth) if isinstance(bandwidth, Sequence) else 1
    return {"devices": device, "rate_bps": [[1.0] * width]}
