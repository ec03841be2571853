"""The switched network under a placement topology: which switch is which node, and what hangs on which port.

Every node of the topology is a switch with an executor on one port; every access point is a host on a port of the
node it is linked to. Files are ``slicewright/fabric/v1``; without one, a fixed numbering is used.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import NamedTuple

from slicewright.enforcement.linux.names import is_mac
from slicewright.errors import InvalidTasksError
from slicewright.files.documents import read_document
from slicewright.files.fields import FieldReader
from slicewright.placement.problem.topology import Topology
from slicewright.types import Document

SCHEMA = "slicewright/fabric/v1"
_read = FieldReader(InvalidTasksError)


class Host(NamedTuple):
    """An executor or an access point.

    Attributes:
        switch: name of the node it hangs on.
        port: of that switch.
        ip, mac: its addresses.
    """

    switch: str
    port: int
    ip: str
    mac: str


class Hop(NamedTuple):
    """One switch on a way: traffic comes in through one port and leaves through another."""

    switch: str
    in_port: int
    out_port: int


@dataclass(frozen=True, eq=False)
class Fabric:
    """Switches, cables and hosts.

    Attributes:
        topology: nodes, access points, link lengths.
        switches: datapath identifier of every node.
        cables: port of the first switch that leads to the second, for both directions of every link.
        hosts: executors (by the name of their node) and access points, by name.
    """

    topology: Topology
    switches: Mapping[str, int]
    cables: Mapping[tuple[str, str], int]
    hosts: Mapping[str, Host]

    @cached_property
    def names(self) -> dict[int, str]:
        """Node of every datapath identifier."""
        return {dpid: name for name, dpid in self.switches.items()}

    @cached_property
    def addresses(self) -> dict[str, str]:
        """MAC address of every IP address: what the controller answers when hosts ask."""
        return {host.ip: host.mac for host in self.hosts.values()}

    @cached_property
    def _lengths(self) -> dict[str, dict[str, float]]:
        near: dict[str, dict[str, float]] = {name: {} for name in self.switches}
        for link in self.topology.links:
            for a, b in ((link.start, link.end), (link.end, link.start)):
                if a in near and b in near:
                    near[a][b] = min(link.length, near[a].get(b, link.length))
        return near

    def shortest(self, start: str, end: str, usable: Callable[[str], bool]) -> list[str] | None:
        """Switches of a shortest path between two nodes over usable ones; equal lengths go by name."""
        queue: list[tuple[float, list[str]]] = [(0.0, [start])] if usable(start) else []
        settled: set[str] = set()
        while queue:
            length, path = heapq.heappop(queue)
            last = path[-1]
            if last == end:
                return path
            if last in settled:
                continue
            settled.add(last)
            for name, step in self._lengths[last].items():
                if name not in settled and usable(name):
                    heapq.heappush(queue, (length + step, [*path, name]))
        return None

    def way(
        self, access_point: str, executors: tuple[str, ...], usable: Callable[[str], bool] = lambda name: True
    ) -> tuple[Hop, ...] | None:
        """Hops from an access point through the given executors' nodes, in this order, to the last one's executor."""
        source = self.hosts[access_point]
        path = [source.switch]
        for name in executors:
            leg = self.shortest(path[-1], name, usable)
            if leg is None:
                return None
            path += leg[1:]
        into = [source.port, *(self.cables[b, a] for a, b in itertools.pairwise(path))]
        out = [*(self.cables[a, b] for a, b in itertools.pairwise(path)), self.hosts[path[-1]].port]
        return tuple(map(Hop, path, into, out))

    def to_dict(self) -> Document:
        """The fabric as a ``slicewright/fabric/v1`` document, without its topology."""
        pairs = sorted((a, b) for a, b in self.cables if a < b)
        return {
            "schema": SCHEMA,
            "switches": dict(self.switches),
            "cables": [[a, self.cables[a, b], b, self.cables[b, a]] for a, b in pairs],
            "hosts": {name: host._asdict() for name, host in self.hosts.items()},
        }


def numbered_fabric(topology: Topology) -> Fabric:
    """The fabric of a fixed numbering: datapath i + 1 for node i, port 1 for executors, then links in their order.

    Raises:
        InvalidTasksError: the topology has no links (distances alone cannot be routed), or an access point is not
            linked to exactly one node.
    """
    if not topology.links:
        raise InvalidTasksError("links", "are needed to route; distances alone name no path")
    switches = {name: index + 1 for index, name in enumerate(topology.nodes)}
    hosts = {
        name: Host(name, 1, f"10.90.0.{index + 1}", _mac(0, index))
        for index, name in enumerate(topology.nodes)
    }
    next_port = dict.fromkeys(switches, 2)
    cables: dict[tuple[str, str], int] = {}
    for link in topology.links:
        pair = (link.start, link.end)
        if pair in cables:
            continue  # parallel links are one cable
        for here, there in (pair, pair[::-1]):
            if here not in switches:
                continue
            if there in switches:
                cables[here, there] = next_port[here]
            elif there in hosts:
                raise InvalidTasksError(
                    "links", f"must tie access point {there} to one node only", value=here
                )
            else:
                index = topology.access_points.index(there)
                hosts[there] = Host(here, next_port[here], f"10.90.1.{index + 1}", _mac(1, index))
            next_port[here] += 1
    return _checked(Fabric(topology, switches, cables, hosts))


def load_fabric(topology: Topology, source: str | Path | Mapping[str, object]) -> Fabric:
    """Read the numbering of a real network.

    Raises:
        InvalidTasksError: a field is missing or breaks its rule, or a node, link or access point is not in it.
    """
    document = source if isinstance(source, Mapping) else read_document(source, InvalidTasksError)
    doc = _read.mapping(document, "fabric")
    _read.schema(doc, SCHEMA, required=True)
    _read.only(doc, ("schema", "switches", "cables", "hosts"), "")
    switches = {
        name: _whole(value, f"switches.{name}", 2**64)
        for name, value in _read.mapping(_read.require(doc, "switches", ""), "switches").items()
    }
    cables: dict[tuple[str, str], int] = {}
    for row, cable in enumerate(_read.require(doc, "cables", "")):
        if not isinstance(cable, list) or len(cable) != 4:
            raise InvalidTasksError(f"cables[{row}]", "must be [switch, port, switch, port]", value=cable)
        a, port_a, b, port_b = cable
        cables[str(a), str(b)] = _whole(port_a, f"cables[{row}]", 2**31)
        cables[str(b), str(a)] = _whole(port_b, f"cables[{row}]", 2**31)
    hosts = {
        name: _host(_read.mapping(value, f"hosts.{name}"), f"hosts.{name}")
        for name, value in _read.mapping(_read.require(doc, "hosts", ""), "hosts").items()
    }
    return _checked(Fabric(topology, switches, cables, hosts))


def _host(entry: Document, field: str) -> Host:
    _read.only(entry, Host._fields, field)
    switch, port, ip, mac = (_read.require(entry, name, field) for name in Host._fields)
    try:
        address = str(IPv4Address(ip))
    except AddressValueError:
        raise InvalidTasksError(f"{field}.ip", "must be an IPv4 address", value=ip) from None
    if not is_mac(str(mac).lower()):
        raise InvalidTasksError(f"{field}.mac", "must be a MAC address such as 02:5a:00:00:00:01", value=mac)
    return Host(str(switch), _whole(port, f"{field}.port", 2**31), address, str(mac).lower())


def _whole(value: object, field: str, below: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < below:
        raise InvalidTasksError(field, f"must be a whole number from 1 to {below - 1}", value=value)
    return value


def _checked(fabric: Fabric) -> Fabric:
    topology = fabric.topology
    for name in topology.nodes:
        if name not in fabric.switches:
            raise InvalidTasksError("switches", f"must name the node {name}")
    for name in (*topology.nodes, *topology.access_points):
        if name not in fabric.hosts:
            raise InvalidTasksError("hosts", f"must name {name}")
        if fabric.hosts[name].switch not in fabric.switches:
            raise InvalidTasksError(
                f"hosts.{name}.switch", "must be a switch", value=fabric.hosts[name].switch
            )
    for link in topology.links:
        inner = link.start in fabric.switches and link.end in fabric.switches
        if inner and (link.start, link.end) not in fabric.cables:
            raise InvalidTasksError("cables", f"must join {link.start} and {link.end}")
    if len(set(fabric.switches.values())) < len(fabric.switches):
        raise InvalidTasksError("switches", "must have different datapath identifiers")
    if len(fabric.addresses) < len(fabric.hosts):
        raise InvalidTasksError("hosts", "must have different IP addresses")
    return fabric


def _mac(kind: int, index: int) -> str:
    return f"02:5a:00:{kind:02x}:{index // 256:02x}:{index % 256:02x}"
