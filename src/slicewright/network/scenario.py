"""The problem value of slicing: a network, its devices and their tasks, as frozen arrays (model page 1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from slicewright.errors import InvalidScenarioError
from slicewright.files.fields import FieldReader
from slicewright.network.radio import Radio
from slicewright.types import BoolArray, FloatArray, IntArray, Queueing

_read = FieldReader(InvalidScenarioError)

NODE_KINDS = ("coin", "mec")


class RadioLinks(NamedTuple):
    """Candidate access points of every device, compressed by rows: the only form in which search sees radio.

    Attributes:
        start: (I + 1,) the links of device i are ``start[i]:start[i + 1]``.
        access_point: (links,) index of the access point.
        rate_bps: (links,) bit/s, positive.
    """

    start: IntArray
    access_point: IntArray
    rate_bps: FloatArray


class NodeLists(NamedTuple):
    """The nodes that every device may use (by reach, latency class or tenant), compressed by rows.

    Attributes:
        start: (I + 1,) the nodes of device i are ``node[start[i]:start[i + 1]]``.
        node: (pairs,) indices of nodes, rising within each device.
    """

    start: IntArray
    node: IntArray


@dataclass(frozen=True)
class SliceId:
    """Name of a slice and its 3GPP identity (S-NSSAI).

    Attributes:
        name: in files, tables and pictures.
        sst: slice/service type, 0 to 255.
        sd: slice differentiator, six hexadecimal digits; None where the type says all.
    """

    name: str
    sst: int = 1
    sd: str | None = None


@dataclass(frozen=True)
class Sites:
    """Where things are and what they radiate; kept for radio models, files and maps, never needed to plan.

    Attributes:
        access_point_m: (A, 2) m.
        device_m: (I, 2) m.
        tx_power_w: (I,) W.
        node_m: (J, 2) m.
    """

    access_point_m: FloatArray | None = None
    device_m: FloatArray | None = None
    tx_power_w: FloatArray | None = None
    node_m: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class Scenario:
    """One slicing problem. Immutable: arrays are read-only; use :meth:`with_` for a changed copy.

    Attributes:
        task_bits: (I,) bit, S_i.
        local_cycles: (I,) cycle, L_i.
        local_capacity_hz: (I,) cycle/s, F_i^l.
        arrival_rate_hz: (I,) 1/s, alpha_i.
        slice_cycles: (I, N) cycle, L_in.
        rate_bps: (I, A) bit/s, R_ia; dense or SciPy CSR; 0 (or absent) means out of reach.
        node_capacity_hz: (J, N) cycle/s, F_j^n; 0 means the node does not serve the slice.
        bandwidth_hz: (A,) Hz, B_a.
        queueing: ``node`` or ``device`` (model page 1.2).
        node_lists: the nodes that each device may use; without, all of them.
        slices: (N,) names of the slices with their 3GPP identities.
        access_points, nodes: names, by index.
        node_kinds: (J,) ``coin`` or ``mec``.
        sites: positions and powers, if known.
        radio: how the rates follow from the sites, if they do; kept for files and for devices that move.
        origin: where the scenario came from (preset and seed, importer and its parameters); free text values.

    Raises:
        InvalidScenarioError: a shape, sign or number breaks its rule, or a device could not be served in a
            stable queue by any node even alone.
    """

    task_bits: FloatArray
    local_cycles: FloatArray
    local_capacity_hz: FloatArray
    arrival_rate_hz: FloatArray
    slice_cycles: FloatArray
    rate_bps: FloatArray | sparse.csr_array
    node_capacity_hz: FloatArray
    bandwidth_hz: FloatArray
    queueing: Queueing = "node"
    node_lists: NodeLists | None = None
    slices: tuple[SliceId, ...] = ()
    access_points: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    node_kinds: tuple[str, ...] = ()
    sites: Sites = field(default_factory=Sites)
    radio: Radio | None = None
    origin: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._check_sizes()
        self._check_devices()
        if self.node_lists is not None:
            self._put("node_lists", _check_node_lists(self.node_lists, self.n_devices, self.n_nodes))
        self._check_names()
        self._check_sites()
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def _put(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)  # the class is frozen

    def _check_sizes(self) -> None:
        """The arrays that say how many devices, access points, nodes and slices there are."""
        bits = _read.numbers(self.task_bits, "devices.task_bits", (None,), positive=True, axes=["devices"])
        bandwidth = _read.numbers(
            self.bandwidth_hz, "access_points.bandwidth_hz", (None,), positive=True, axes=["access points"]
        )
        capacity = _read.numbers(
            self.node_capacity_hz, "nodes.capacity_hz", (None, None), axes=["nodes", "slices"]
        )
        for section, count, thing in (
            ("devices", bits.size, "device"),
            ("access_points", bandwidth.size, "access point"),
            ("nodes", capacity.shape[0], "node"),
            ("slices", capacity.shape[1], "slice"),
        ):
            if count == 0:
                raise InvalidScenarioError(section, f"there must be at least one {thing}")
        self._put("task_bits", bits)
        self._put("bandwidth_hz", bandwidth)
        self._put("node_capacity_hz", capacity)

    def _check_devices(self) -> None:
        devices, slices = self.n_devices, self.n_slices
        for name in ("local_cycles", "local_capacity_hz", "arrival_rate_hz"):
            value = getattr(self, name)
            shape = (devices,)
            self._put(name, _read.numbers(value, f"devices.{name}", shape, positive=True, axes=["devices"]))
        work = _read.numbers(
            self.slice_cycles, "devices.slice_cycles", (devices, slices), positive=True, axes=["devices", "slices"]
        )  # fmt: skip
        self._put("slice_cycles", work)
        self._put("rate_bps", _check_rates(self.rate_bps, devices, self.n_access_points))

    def _check_names(self) -> None:
        access_points, nodes, slices = self.n_access_points, self.n_nodes, self.n_slices
        self._put("queueing", _read.choice(self.queueing, "queueing", ("node", "device")))
        for name, count, default in (("access_points", access_points, "ap"), ("nodes", nodes, "node")):
            names = _read.names(getattr(self, name) or None, f"{name}.names", count=count, default=default)
            self._put(name, names)
        kinds = _read.choices(self.node_kinds, "nodes.kinds", NODE_KINDS, count=nodes, default="coin")
        self._put("node_kinds", kinds)
        self._put("slices", self.slices or tuple(SliceId(f"s{n}", sst=1 + n % 255) for n in range(slices)))
        if len(self.slices) != slices:
            rule = f"must have {slices} entries, one per column of nodes.capacity_hz"
            raise InvalidScenarioError("slices", rule, value=len(self.slices))
        _read.names([s.name for s in self.slices], "slices")

    def _check_sites(self) -> None:
        sites = self.sites
        shapes = {
            "access_point_m": ("access_points.position_m", (self.n_access_points, 2)),
            "device_m": ("devices.position_m", (self.n_devices, 2)),
            "node_m": ("nodes.position_m", (self.n_nodes, 2)),
        }
        checked: dict[str, FloatArray] = {}
        for name, (label, shape) in shapes.items():
            value = getattr(sites, name)
            if value is not None:
                checked[name] = _read.numbers(value, label, shape, signed=True)
        if sites.tx_power_w is not None:
            checked["tx_power_w"] = _read.numbers(
                sites.tx_power_w, "devices.tx_power_w", (self.n_devices,), positive=True, axes=["devices"]
            )
        self._put("sites", Sites(**checked))

    @property
    def n_devices(self) -> int:
        """I."""
        return int(self.task_bits.size)

    @property
    def n_access_points(self) -> int:
        """A."""
        return int(self.bandwidth_hz.size)

    @property
    def n_nodes(self) -> int:
        """J, COIN nodes and MEC servers."""
        return int(self.node_capacity_hz.shape[0])

    @property
    def n_slices(self) -> int:
        """N."""
        return int(self.node_capacity_hz.shape[1])

    @cached_property
    def local_time_s(self) -> FloatArray:
        """(I,) s, tau_i = L_i / F_i^l (7)."""
        return self.local_cycles / self.local_capacity_hz

    @cached_property
    def links(self) -> RadioLinks:
        """Candidate access points of every device (those in reach)."""
        if isinstance(self.rate_bps, sparse.csr_array):
            m = self.rate_bps
            return RadioLinks(
                m.indptr.astype(np.int64), m.indices.astype(np.int64), m.data.astype(np.float64)
            )
        rows, aps = np.nonzero(self.rate_bps)
        start = np.zeros(self.n_devices + 1, dtype=np.int64)
        np.cumsum(np.bincount(rows, minlength=self.n_devices), out=start[1:])
        return RadioLinks(start, aps.astype(np.int64), np.ascontiguousarray(self.rate_bps[rows, aps]))

    def rate_of(self, devices: IntArray, access_points: IntArray) -> FloatArray:
        """(k,) bit/s. Rates of k device and access-point pairs, 0 where out of reach."""
        rates: Any = self.rate_bps[devices, access_points]
        if sparse.issparse(rates):  # what SciPy returns for no pairs at all
            rates = rates.toarray()
        return np.asarray(rates, dtype=np.float64).ravel()

    def may_use(self, devices: IntArray, nodes: IntArray) -> BoolArray:
        """(k,) Whether each of k devices may use the node beside it, capacity aside."""
        if self.node_lists is None:
            return np.ones(devices.shape, dtype=np.bool_)
        start, node = self.node_lists
        low, high = start[devices], start[devices + 1]
        end = high.copy()
        while (low < high).any():  # the first entry that is not below the node, by halving all rows at once
            middle = (low + high) // 2
            below = (low < high) & (node[np.minimum(middle, node.size - 1)] < nodes)
            low, high = np.where(below, middle + 1, low), np.where(below, high, np.minimum(middle, high))
        return (
            (low < end) & (node[np.minimum(low, max(node.size - 1, 0))] == nodes) if node.size else low < end
        )

    def with_(self, **changes: Any) -> Scenario:
        """A copy with some fields replaced, checked like any other scenario."""
        return replace(self, **changes)

    def __repr__(self) -> str:
        return (
            f"Scenario({self.n_devices} devices, {self.n_access_points} access points, {self.n_nodes} nodes, "
            f"{self.n_slices} slices, queueing={self.queueing!r})"
        )


def _check_rates(
    rates: FloatArray | sparse.csr_array, devices: int, access_points: int
) -> FloatArray | sparse.csr_array:
    if not sparse.issparse(rates):
        axes = ["devices", "access points"]
        return np.ascontiguousarray(_read.numbers(rates, "rate_bps", (devices, access_points), axes=axes))
    matrix = sparse.csr_array(rates, dtype=np.float64)
    if matrix.shape != (devices, access_points):
        raise InvalidScenarioError(
            "rate_bps", f"must have shape {devices} x {access_points}, not {matrix.shape}"
        )
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    _read.numbers(matrix.data, "rate_bps", (None,), positive=True)
    return matrix


def _check_node_lists(lists: NodeLists, devices: int, nodes: int) -> NodeLists:
    node = _read.indices(lists.node, "devices.nodes.node", (None,), below=nodes)
    start = _read.indices(lists.start, "devices.nodes.start", (devices + 1,), below=node.size + 1)
    if start[0] != 0 or start[-1] != node.size or (np.diff(start) < 0).any():
        rule = f"must rise from 0 to {node.size}, the number of entries"
        raise InvalidScenarioError("devices.nodes.start", rule)
    falls = np.ones(node.size, dtype=np.bool_)
    falls[1:] = node[1:] <= node[:-1]
    falls[start[:-1][start[:-1] < node.size]] = False
    if falls.any():
        at = int(falls.argmax())
        rule = "must rise within each device's list"
        raise InvalidScenarioError("devices.nodes.node", rule, index=(at,), value=int(node[at]))
    start.flags.writeable = node.flags.writeable = False
    return NodeLists(start, node)
