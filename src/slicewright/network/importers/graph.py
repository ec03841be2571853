"""Network graphs as scenarios, in the formats of :mod:`slicewright.network.importers.formats`.

What a graph gives: positions and which vertex is an access point, a COIN node or a MEC server. Its edges decide roles
and layout where the file does not say; the slicing model itself has no cost for transport behind the access point.
Devices and everything about them are made up: fields of :class:`GraphParameters`, recorded in ``origin``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.network.city import nodes_in_reach
from slicewright.network.importers.columns.computing import Conversion, told_capacity_hz
from slicewright.network.importers.formats import read_graph
from slicewright.network.importers.formats.other_json import SETTINGS
from slicewright.network.importers.placing.geography import FAR_M
from slicewright.network.importers.placing.layout import Places, place_key, place_vertices, places_by
from slicewright.network.importers.placing.nodes import place_nodes
from slicewright.network.importers.placing.roles import ROLE_RULES, Roles, assign_roles
from slicewright.network.importers.report import ImportReport, listed
from slicewright.network.scenario import Scenario
from slicewright.network.workload import Workload, populate, with_workload
from slicewright.types import FloatArray

if TYPE_CHECKING:
    import networkx as nx

CELLS_SIDE_M = 1000.0
_ON_CELLS = ("edgesimpy", "mobile-env", "cytoscape")
"""Formats whose positions are cells of a map or points of a screen."""
_USED = frozenset(
    (
        "kind",
        "type",
        "role",
        "name",
        "label",
        "x",
        "y",
        "pos",
        "lat",
        "latitude",
        "lon",
        "lng",
        "long",
        "longitude",
    )
)


@dataclass(frozen=True)
class GraphParameters(Workload):
    """What a graph does not tell, none of it real: the workload, the devices, and roles it does not name.

    Attributes:
        devices: how many.
        device_spread_m: each sits near a random access point, this standard deviation away in each direction.
        roles: ``kind`` (the vertices' attribute of that name: access_point or ap, coin, mec; others are left out),
            a rule for graphs without it (``degree``, ``betweenness``: the most central vertices are MEC servers, the
            next COIN nodes, the rest access points), or ``auto``: ``kind`` if any vertex has one, else ``degree``.
        coins: for a rule: COIN nodes; 0 makes it a third of the vertices.
        mecs: for a rule: MEC servers.
        area_m: the longer side of the map is scaled to this; 0 keeps positions in metres or degrees as they are, and
            gives a graph without positions a spring layout of 1,000 m.
        node_reach_m: nodes farther than this are not on a device's list, in m; 0 sets no limit.
        core_hz: cycle/s that one core of a node stands for, where the file counts cores.
        ipt_s: s of YAFS's time unit, for its instructions per time unit (IPT).
        cpu_unit: unit of attributes such as ``cpu`` that do not name theirs; ``auto``: cores, see
            :mod:`slicewright.network.importers.columns.computing`.
        capacity_of: whose a speed in Hz is: that of each ``slice`` of a node, or of the whole ``node``, which divides
            it evenly between its slices as it does cores.
    """

    devices: int = 60
    device_spread_m: float = 60.0
    roles: str = "auto"
    coins: int = 0
    mecs: int = 1
    area_m: float = 0.0
    node_reach_m: float = 0.0
    core_hz: float = 1e9
    ipt_s: float = 1e-3
    cpu_unit: str = "auto"
    capacity_of: str = "slice"


def import_graph(path: str | Path, *, seed: int = 0, **parameters: object) -> Scenario:
    """A scenario on the vertices of a graph file.

    Args:
        path: a file in one of :data:`~slicewright.network.importers.formats.FORMATS`, told apart by what is in it.
        seed: of everything that is drawn, the spring layout included.
        **parameters: any field of :class:`GraphParameters`.

    Raises:
        InvalidScenarioError: the file is no such graph, a vertex or a parameter breaks a rule.
        FileNotFoundError: no such file.
    """
    file = Path(path)
    try:
        return _imported(file, seed, parameters)
    except InvalidScenarioError as refused:
        if (
            file.name in refused.field
            or refused.field.partition("[")[0] in GraphParameters.__dataclass_fields__
        ):
            raise
        raise InvalidScenarioError(
            f"{file.name}, {refused.field}",
            refused.rule,
            index=refused.index,
            value=refused.value,
            fix=refused.fix,
        ) from None


def _imported(file: Path, seed: int, parameters: Mapping[str, object]) -> Scenario:
    report = ImportReport()
    read = read_graph(file, report)
    report.note(
        "read",
        f"{read.graph.number_of_nodes()} vertices and {read.graph.number_of_edges()} edges "
        f"from {file.name} ({read.format})",
    )
    source = {"importer": "graph", "file": file.name, "format": read.format}
    told_by = places_by(read.graph)
    if read.format in _ON_CELLS and told_by != "latitude, longitude":
        parameters = {"area_m": CELLS_SIDE_M, **parameters}
        if parameters["area_m"] == CELLS_SIDE_M and told_by:
            report.note(
                "odd", f"its map has no unit: it is scaled to {CELLS_SIDE_M:g} m; area_m sets another size"
            )
    parameters = {**read.graph.graph.get(SETTINGS, {}), **parameters}
    return scenario_from_graph(
        read.graph, source=source, seed=seed, foreign=read.foreign, report=report, **parameters
    )


# Over 60 lines by what is told about its arguments and by the figures that it hands on, one a line.
def scenario_from_graph(
    graph: nx.Graph,
    *,
    source: Mapping[str, object],
    seed: int = 0,
    foreign: bool = False,
    report: ImportReport | None = None,
    **parameters: object,
) -> Scenario:
    """A scenario on the vertices of a graph.

    Args:
        graph: vertices may have ``kind``, ``name`` or ``label``, and positions (``x`` and ``y`` in m, ``pos``, or
            ``latitude`` and ``longitude`` in degrees).
        source: where it comes from, for ``origin``.
        seed: of everything that is drawn.
        foreign: take other tools' words for what a vertex is, see
            :func:`~slicewright.network.importers.placing.roles.assign_roles`.
        report: what was noted so far; ends up in ``origin``.
        **parameters: any field of :class:`GraphParameters`.

    Raises:
        InvalidScenarioError: a vertex or a parameter breaks a rule.
    """
    zero = ("coins", "mecs", "area_m", "node_reach_m")
    chosen = with_workload(GraphParameters(), parameters, owner="the graph importer", may_be_zero=zero)
    known = ("auto", "kind", *ROLE_RULES)
    if chosen.roles not in known:
        raise InvalidScenarioError("roles", f"must be one of {', '.join(known)}", value=chosen.roles)
    if graph.number_of_nodes() == 0:
        raise InvalidScenarioError("nodes", "the graph has no vertex")
    report = report or ImportReport()
    names = vertex_names(graph, report)
    roles = assign_roles(
        graph, names, rule=chosen.roles, coins=chosen.coins, mecs=chosen.mecs, foreign=foreign, report=report
    )
    places = place_vertices(graph, names, area_m=chosen.area_m, seed=seed, report=report)
    rng = np.random.default_rng(seed)
    access_point_m = places.xy_m[list(roles.access_points)]
    device_m = _device_positions(chosen, roles, places, rng, given="devices" in parameters, report=report)
    told_hz, told_by = told_capacity_hz(
        [data for _, data in graph.nodes(data=True)],
        names,
        slices=len(chosen.slice_ids),
        conversion=Conversion(
            chosen.core_hz, chosen.ipt_s, chosen.cpu_unit, capacity_of=chosen.capacity_of
        ).checked(),
        report=report,
    )
    slow = sum(bool(np.isfinite(told_hz[v]).any()) for v in roles.users)
    if slow:
        report.note("dropped", f"speeds of {slow} users: local_capacity_hz sets those of devices")
    if roles.users and not chosen.area_m:
        _tell_far_users([names[v] for v in roles.users], device_m, access_point_m, report)
    hosts, kinds = _hosts(chosen, roles, access_point_m, device_m, told_hz, rng, report)
    _tell_what_is_lost(graph, report, told_by)
    made_up = populate(
        chosen,
        rng,
        device_m=device_m,
        access_point_m=access_point_m,
        node_m=places.xy_m[hosts],
        node_kinds=kinds,
        access_points=[names[v] for v in roles.access_points],
        nodes=distinct_names([names[v] for v in hosts]),
        origin={},
    )
    capacity_hz = np.where(np.isnan(told_hz[hosts]), made_up.node_capacity_hz, told_hz[hosts])
    _tell_what_is_made_up(told_hz[hosts], [names[v] for v in hosts], report)
    _tell_slow_nodes(told_hz[hosts], float(made_up.local_capacity_hz.min()), report)
    origin = {
        **source,
        "roles": roles.rule,
        "positions": places.rule,
        "not_real": asdict(chosen),
        "seed": seed,
        "report": report.to_dict(),
    }
    lists = None
    if chosen.node_reach_m:
        reach_m = np.full(len(hosts), chosen.node_reach_m)
        lists = nodes_in_reach(device_m, places.xy_m[hosts], reach_m)
    return made_up.with_(node_capacity_hz=capacity_hz, node_lists=lists, origin=origin)


def vertex_names(graph: nx.Graph, report: ImportReport) -> list[str]:
    """Names or labels of the vertices where they have one; with their id behind it where two are the same."""
    ids = [str(vertex) for vertex in graph.nodes]
    for attribute in ("name", "label"):
        found = [_label(data, attribute) for _, data in graph.nodes(data=True)]
        if any(found):
            counts = Counter(found)
            names = [
                vertex if not name else name if counts[name] == 1 else f"{name} {vertex}"
                for name, vertex in zip(found, ids, strict=True)
            ]
            twice = sorted(name for name, count in counts.items() if name and count > 1)
            if twice:
                report.note(
                    "odd", f"names that stand twice have the id of the vertex behind them: {listed(twice)}"
                )
            return distinct_names(names)
    return ids


def distinct_names(names: Sequence[str]) -> list[str]:
    """The names, those that come again with a number behind them."""
    made, taken = [], set(names)
    used: set[str] = set()
    for name in names:
        new, number = name, 2
        while new in used:
            new = f"{name} {number}" if f"{name} {number}" not in taken else name
            number += 1
        used.add(new)
        made.append(new)
    return made


def _label(data: Mapping[str, object], attribute: str) -> str:
    """A name in one line; ``None`` is what NetworkX and the Topology Zoo write for no name."""
    value = next((item for key, item in data.items() if str(key).lower() == attribute), None)
    text = " ".join(str("" if value is None or isinstance(value, bool) else value).split())
    return "" if text == "None" else text


def _device_positions(
    chosen: GraphParameters,
    roles: Roles,
    places: Places,
    rng: np.random.Generator,
    *,
    given: bool,
    report: ImportReport,
) -> FloatArray:
    """(I, 2) m. Users of the file where it has some, else devices around access points."""
    access_point_m = places.xy_m[list(roles.access_points)]
    if not roles.users:
        report.note("made_up", f"{chosen.devices} devices around access points")
        return _scatter(chosen, access_point_m, rng)
    if given and chosen.devices > len(roles.users):
        rule = f"must be at most {len(roles.users)}, the users in the file"
        raise InvalidScenarioError("devices", rule, value=chosen.devices)
    count = chosen.devices if given else len(roles.users)
    report.note("read", f"{count} users" if places.rule == "spring layout" else f"positions of {count} users")
    if count < len(roles.users):
        report.note("dropped", f"{len(roles.users) - count} users after the first {count}")
    return places.xy_m[list(roles.users[:count])]


def _tell_far_users(
    users: Sequence[str], device_m: FloatArray, access_point_m: FloatArray, report: ImportReport
) -> None:
    """Users a continent away: perhaps their latitude and longitude are exchanged."""
    from scipy.spatial import KDTree

    away_m = np.asarray(KDTree(access_point_m).query(device_m)[0], dtype=np.float64)
    far = int((away_m > FAR_M).sum())
    if far:
        worst = int(np.argmax(away_m))
        report.note(
            "odd",
            f"{far} of {away_m.size} users are more than {FAR_M / 1000:g} km from every access point; the nearest one "
            f"of {users[worst]!r} is {away_m[worst] / 1000:,.0f} km away",
        )


def _hosts(
    chosen: GraphParameters,
    roles: Roles,
    access_point_m: FloatArray,
    device_m: FloatArray,
    told_hz: FloatArray,
    rng: np.random.Generator,
    report: ImportReport,
) -> tuple[list[int], tuple[str, ...]]:
    """Vertices that compute, and their kinds; at access points where the file has none that do."""
    coins, mecs_found = list(roles.coins), list(roles.mecs)
    if roles.rule not in ROLE_RULES:
        taken = {*coins, *mecs_found}
        both = [v for v in roles.access_points if v not in taken and (told_hz[v] > 0).any()]
        coins += both
        if both:
            report.note("read", f"{len(both)} access points that compute: they are COIN nodes, too")
    hosts = [*coins, *mecs_found]
    if hosts:
        return hosts, ("coin",) * len(coins) + ("mec",) * len(mecs_found)
    count = min(chosen.coins or max(1, len(access_point_m) // 3), len(access_point_m))
    mecs = min(chosen.mecs, len(access_point_m))
    made = place_nodes(access_point_m, device_m, coins=count, mecs=mecs, coin_placement="spread", rng=rng)
    report.note(
        "made_up",
        f"{count} COIN nodes and {mecs} MEC servers at access points: the file has none",
        remember=True,
    )
    return [roles.access_points[site] for site in made.sites], made.kinds


def _tell_what_is_lost(graph: nx.Graph, report: ImportReport, told_by: frozenset[str]) -> None:
    """Attributes of vertices that no scenario has a place for."""
    used = _USED | {key.lower() for key in told_by}
    seen = Counter(str(key).lower() for _, data in graph.nodes(data=True) for key in data)
    lost = sorted(key for key in seen if key not in used and place_key(key) not in used)
    if lost:
        report.note("dropped", f"attributes of vertices: {listed(lost)}", remember=True)
    general = "lengths and speeds of edges: the model has no cost behind the access point"
    report.note("dropped", general, remember=False)  # true of every graph


def _tell_what_is_made_up(told_hz: FloatArray, hosts: Sequence[str], report: ImportReport) -> None:
    """What the file leaves open; (hosts, slices) cycle/s that it tells, NaN where it does not."""
    open_ = np.isnan(told_hz).any(axis=1)
    idle = [
        name
        for name, speeds in zip(hosts, told_hz, strict=True)
        if not np.isnan(speeds).any() and not speeds.any()
    ]
    if idle:
        report.note("odd", f"nodes that the file gives no computing at all: {listed(idle)}")
    if open_.any() and not open_.all():
        left = [hosts[int(j)] for j in np.flatnonzero(open_)]
        report.note("made_up", f"speeds of nodes that the file does not tell: {listed(left)}", remember=True)
    speeds = ", speeds of nodes" if open_.all() else ""
    report.note(
        "made_up",
        f"tasks, powers, bandwidths, speeds of devices{speeds} and slices: origin.not_real has all figures",
    )


def _tell_slow_nodes(told_hz: FloatArray, slowest_device_hz: float, report: ImportReport) -> None:
    """Nodes that the file makes slower than the devices: perhaps the unit is another one."""
    fastest = told_hz[~np.isnan(told_hz).any(axis=1)].max(axis=1, initial=0.0)
    slow = int(((fastest > 0) & (fastest < slowest_device_hz)).sum())
    if slow:
        report.note(
            "odd",
            f"{slow} nodes are slower than any device ({slowest_device_hz:g} cycle/s): if the unit is another one, set "
            "cpu_unit, core_hz or ipt_s",
        )


def _scatter(chosen: GraphParameters, access_point_m: FloatArray, rng: np.random.Generator) -> FloatArray:
    home = access_point_m[rng.integers(len(access_point_m), size=chosen.devices)]
    return np.round(home + rng.normal(0, chosen.device_spread_m, home.shape), 2)
