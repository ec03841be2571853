"""Cities: networks whose devices see only what is near them, with figures that grow with the number of devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slicewright.network.parameters import Range
from slicewright.network.scenario import NodeLists
from slicewright.network.workload import Workload
from slicewright.types import BoolArray, FloatArray, IntArray

AREA_PER_ACCESS_POINT_M2 = 500.0**2 / 3
"""As in the published square of 500 m with three access points."""
DEVICES_PER_ACCESS_POINT = 100
NODES_PER_ACCESS_POINT = 5
NODES_PER_MEC = 9
"""One node in nine is a MEC server, as published."""
EVERYBODY = -1
"""Operator of what serves the customers of all."""
_JITTER = 0.5
"""Sites stand on a grid, each moved at random by up to half of this part of its cell."""
_NODES_AT_ONCE = 2_000


@dataclass(frozen=True)
class City(Workload):
    """Parameters of a family of cities. Counts of 0 follow from the number of devices, as the area does.

    Attributes:
        devices, access_points, coins, mecs: counts.
        hotspots_per_km2: part of the devices gathers around random centres, so many per square kilometre.
        hotspot_part: that part, 0 to 1.
        hotspot_spread_m: standard deviation around a centre, in m.
        coin_reach_m, mec_reach_m: nodes farther than this are not on a device's list, in m.
        operators: access points and nodes are dealt out to so many; a device is a customer of one of them and lists
            only what is that one's, or everybody's.
        open_part: part of the nodes that serve the customers of all operators, 0 to 1.
        hubs_per_km2: regional computing centres, a third tier above COIN nodes and MEC servers, open to everybody: so
            many per square kilometre. Files know them as MEC servers.
        hub_reach_m, hub_capacity_hz: their reach, in m, and speed per slice, in cycle/s.
    """

    slices: int | tuple[str, ...] = 4
    reach_m: float = 400.0
    devices: int = 1_000
    access_points: int = 0
    coins: int = 0
    mecs: int = 0
    hotspots_per_km2: float = 2.0
    hotspot_part: float = 0.3
    hotspot_spread_m: float = 120.0
    coin_reach_m: float = 300.0
    mec_reach_m: float = 600.0
    operators: int = 1
    open_part: float = 0.0
    hubs_per_km2: float = 0.0
    hub_reach_m: float = 2_000.0
    hub_capacity_hz: Range = (4e10, 4e10)

    @property
    def counts(self) -> tuple[int, int, int]:
        """Access points, COIN nodes and MEC servers."""
        access_points = self.access_points or max(1, round(self.devices / DEVICES_PER_ACCESS_POINT))
        nodes = NODES_PER_ACCESS_POINT * access_points
        mecs = self.mecs or max(1, round(nodes / NODES_PER_MEC))
        return access_points, self.coins or max(1, nodes - mecs), mecs

    @property
    def hubs(self) -> int:
        """Regional computing centres: at least one where there are any."""
        wanted = self.hubs_per_km2 * self.side_m**2 / 1e6
        return max(1, round(wanted)) if wanted > 0 else 0

    @property
    def side_m(self) -> float:
        """Side of the square that the city covers."""
        return float(np.sqrt(self.counts[0] * AREA_PER_ACCESS_POINT_M2))


@dataclass(frozen=True, eq=False)
class CitySites:
    """Where everything stands; nodes in the order of their places, so that neighbours have near indices.

    Attributes:
        access_point_m: (A, 2) m.
        node_m: (J, 2) m.
        device_m: (I, 2) m.
        mec: (J,) whether a node is a MEC server.
        hub: (J,) whether it is a regional one; those are the last.
    """

    access_point_m: FloatArray
    node_m: FloatArray
    device_m: FloatArray
    mec: BoolArray
    hub: BoolArray


@dataclass(frozen=True, eq=False)
class Operators:
    """Who runs what, and whose customer a device is.

    Attributes:
        access_point: (A,) operator.
        node: (J,) operator, or ``EVERYBODY``.
        device: (I,) operator.
    """

    access_point: IntArray
    node: IntArray
    device: IntArray


def draw_sites(city: City, rng: np.random.Generator) -> CitySites:
    """Access points and nodes on a jittered grid, devices spread evenly and around hotspots."""
    access_points, coins, mecs = city.counts
    side = city.side_m
    access_point_m = _grid(access_points, side, rng)
    node_m = _grid(coins + mecs, side, rng)
    mec = np.zeros(coins + mecs, dtype=np.bool_)
    mec[rng.permutation(coins + mecs)[:mecs]] = True
    device_m = rng.uniform(0, side, (city.devices, 2))
    gathered = rng.random(city.devices) < city.hotspot_part
    centres = rng.uniform(0, side, (max(1, round(city.hotspots_per_km2 * side**2 / 1e6)), 2))
    chosen = centres[rng.integers(len(centres), size=int(gathered.sum()))]
    device_m[gathered] = chosen + rng.normal(0, city.hotspot_spread_m, chosen.shape)
    hub = np.arange(coins + mecs + city.hubs) >= coins + mecs
    if city.hubs:
        node_m = np.concatenate([node_m, _grid(city.hubs, side, rng)])
    return CitySites(
        access_point_m,
        node_m,
        np.clip(device_m, 0, side),
        np.concatenate([mec, np.ones(city.hubs, bool)]),
        hub,
    )


def deal_out(city: City, sites: CitySites, rng: np.random.Generator) -> Operators:
    """Every operator gets its share of access points and nodes everywhere: neighbours belong to different ones."""
    access_points, nodes = len(sites.access_point_m), len(sites.node_m)
    node = _dealt(nodes, city.operators, rng)
    node[(rng.random(nodes) < city.open_part) | sites.hub] = EVERYBODY
    return Operators(
        _dealt(access_points, city.operators, rng),
        node,
        rng.integers(city.operators, size=len(sites.device_m)),
    )


def _dealt(count: int, operators: int, rng: np.random.Generator) -> IntArray:
    """(count,) In every run of as many sites as there are operators each has one, in an order of its own."""
    rounds = -(-count // operators)
    dealt = rng.permuted(np.tile(np.arange(operators), (rounds, 1)), axis=1)
    return np.asarray(dealt.reshape(-1)[:count])


def listed_by_customers(lists: NodeLists, operators: Operators) -> NodeLists:
    """Lists of nodes without those of other operators."""
    rows = np.repeat(np.arange(operators.device.size), np.diff(lists.start))
    owner = operators.node[lists.node]
    kept = (owner == EVERYBODY) | (owner == operators.device[rows])
    start = np.concatenate([[0], np.cumsum(np.bincount(rows[kept], minlength=operators.device.size))])
    return NodeLists(start.astype(np.int64), lists.node[kept])


def _grid(count: int, side_m: float, rng: np.random.Generator) -> FloatArray:
    """(count, 2) m. Rows of cells, each with its site near its middle.

    Rows hold the same number of sites or one more, so that no site serves much more land than the others.
    """
    rows = max(1, round(np.sqrt(count)))
    in_row = count // rows + (np.arange(rows) < count % rows)
    row = np.repeat(np.arange(rows), in_row)
    column = np.arange(count) - np.repeat(np.cumsum(in_row) - in_row, in_row)
    middle = np.stack([(column + 0.5) / in_row[row], (row + 0.5) / rows], axis=1)
    cell = np.stack([1 / in_row[row], np.full(count, 1 / rows)], axis=1)
    return np.asarray((middle + _JITTER * cell * rng.uniform(-0.5, 0.5, (count, 2))) * side_m)


def nodes_in_reach(device_m: FloatArray, node_m: FloatArray, reach_m: FloatArray) -> NodeLists:
    """The nodes within reach of every device; memory grows with the entries of the lists.

    Args:
        device_m: (I, 2) m.
        node_m: (J, 2) m.
        reach_m: (J,) m, how far each node serves.
    """
    from scipy import sparse
    from scipy.spatial import KDTree

    tree = KDTree(device_m)
    rows, counts = [np.empty(0, dtype=np.int64)], []
    for first in range(0, len(node_m), _NODES_AT_ONCE):
        block = slice(first, first + _NODES_AT_ONCE)
        near: Sequence[Sequence[int]] = tree.query_ball_point(node_m[block], reach_m[block])
        counts += [len(members) for members in near]
        rows += [np.asarray(members, dtype=np.int64) for members in near]
    columns = np.repeat(np.arange(len(node_m)), counts)
    marks = np.ones(columns.size, dtype=np.int8)
    shape = (len(device_m), len(node_m))
    lists = sparse.csr_array(sparse.coo_array((marks, (np.concatenate(rows), columns)), shape=shape))
    lists.sort_indices()
    return NodeLists(lists.indptr.astype(np.int64), lists.indices.astype(np.int64))
