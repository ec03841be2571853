"""Networks in the JSON of other tools: Cytoscape, EdgeSimPy, YAFS, mobile-env."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from slicewright.errors import InvalidScenarioError
from slicewright.files.fields import FieldReader
from slicewright.network.importers.formats.building import GraphBuilder, vertex_id
from slicewright.network.importers.report import ImportReport
from slicewright.types import Document

if TYPE_CHECKING:
    import networkx as nx

_read = FieldReader(InvalidScenarioError)
STATIONS = ("stations", "base_stations", "bs_positions")
"""What mobile-env's configurations, which leave it to a class, call where stations are."""
SETTINGS = "settings"
"""Attribute of a graph: parameters of its importer that its file tells, such as how many devices there are."""
MOST_DEVICES = 10_000_000
_EDGESIMPY = {"BaseStation": "access_point", "EdgeServer": "mec", "User": "user", "NetworkSwitch": "switch"}
_YAFS_MODELS = {
    "cloud": "mec",
    "fog": "coin",
    "proxy": "coin",
    "edge": "coin",
    "cluster": "coin",
    "server": "mec",
    "gateway": "coin",
    "gw": "coin",
    "sensor": "user",
    "actuator": "user",
    "mobile": "user",
}


def read_cytoscape(document: Document, name: str, report: ImportReport) -> nx.Graph:
    """Cytoscape and Cytoscape.js: ``elements`` with nodes and edges, or one list of both.

    A compound, which others name as their ``parent``, is a vertex only if an edge ends there.

    Raises:
        InvalidScenarioError: an element has no id, or an edge joins what is not there.
    """
    elements = document["elements"]
    if isinstance(elements, list):
        rows = [_read.mapping(item, f"elements[{k}]") for k, item in enumerate(elements)]
        is_edge = [row.get("group") == "edges" or "source" in _data(row, "elements") for row in rows]
        vertices = [row for row, edge in zip(rows, is_edge, strict=True) if not edge]
        edges = [row for row, edge in zip(rows, is_edge, strict=True) if edge]
    else:
        parts = _read.mapping(elements, "elements")
        vertices, edges = (_rows(parts, key, f"elements.{key}") for key in ("nodes", "edges"))
    builder = GraphBuilder("elements.nodes")
    inside = {vertex_id(_data(vertex, "elements.nodes").get("parent")) for vertex in vertices}
    joined = {
        vertex_id(_data(edge, "elements.edges").get(end)) for edge in edges for end in ("source", "target")
    }
    compounds, groups = inside - joined, 0
    for k, vertex in enumerate(vertices):
        data = _data(vertex, f"elements.nodes[{k}]")
        place = vertex.get("position")
        place = (
            {axis: place[axis] for axis in ("x", "y") if axis in place} if isinstance(place, Mapping) else {}
        )
        id_ = _read.require(data, "id", f"elements.nodes[{k}].data")
        if vertex_id(id_) in compounds:
            groups += 1
            continue
        builder.vertex(id_, k, {**place, **{a: v for a, v in data.items() if a != "id"}})
    for k, edge in enumerate(edges):
        data = _data(edge, f"elements.edges[{k}]")
        builder.edge(data.get("source"), data.get("target"), "elements.edges", k)
    if groups:
        report.note("dropped", f"{groups} groups of vertices")
    return builder.finish(report)


def read_edgesimpy(document: Document, name: str, report: ImportReport) -> nx.Graph:
    """EdgeSimPy data sets: base stations, edge servers, users and switches on a map of cells, and their links.

    Raises:
        InvalidScenarioError: an object without id, or a relationship to one that is not there.
    """
    builder = GraphBuilder("objects")
    ids: dict[tuple[str, str], str] = {}
    for kind, role in _EDGESIMPY.items():
        for k, item in enumerate(_rows(document, kind, kind)):
            attributes = _read.mapping(item.get("attributes") or {}, f"{kind}[{k}].attributes")
            number = _read.require(attributes, "id", f"{kind}[{k}].attributes")
            called = f"{role.replace('_', '-')}-{number}"
            ids[kind, str(number)] = called
            place = attributes.get("coordinates") or _first(attributes.get("coordinates_trace"))
            values = {
                a: v for a, v in attributes.items() if a not in ("id", "coordinates", "coordinates_trace")
            }
            builder.vertex(called, k, {**values, "kind": role, **({} if place is None else {"pos": place})})
    for k, item in enumerate(_rows(document, "NetworkLink", "NetworkLink")):
        ends = _read.mapping(item.get("relationships") or {}, "relationships").get("nodes")
        if not isinstance(ends, list) or len(ends) != 2:
            raise InvalidScenarioError(
                f"NetworkLink[{k}].relationships.nodes", "must be two objects", value=ends
            )
        builder.edge(_object(ends[0], ids), _object(ends[1], ids), "NetworkLink", k)
    for kind, related in (("BaseStation", "network_switch"), ("EdgeServer", "base_station")):
        for k, item in enumerate(_rows(document, kind, kind)):
            other = _read.mapping(item.get("relationships") or {}, "relationships").get(related)
            if other is not None:
                mine = ids[kind, str(_read.mapping(item["attributes"], "attributes")["id"])]
                builder.edge(mine, _object(other, ids), f"{kind}.relationships.{related}", k)
    moves = sum(
        isinstance(item["attributes"].get("coordinates_trace"), list)
        and len(item["attributes"]["coordinates_trace"]) > 1
        for item in _rows(document, "User", "User")
    )
    if moves:
        report.note("dropped", f"movements of {moves} users: each is where it begins")
    rest = sorted(str(key) for key in document if key not in (*_EDGESIMPY, "NetworkLink"))
    if rest:
        report.note("dropped", f"objects of {', '.join(rest)}")
    return builder.finish(report)


def read_yafs(document: Document, name: str, report: ImportReport) -> nx.Graph:
    """YAFS topologies: ``entity`` and ``link``; what a model is called says what it is.

    Raises:
        InvalidScenarioError: an entity without id, or a link to one that is not there.
    """
    builder = GraphBuilder("entity")
    for k, entity in enumerate(_rows(document, "entity", "entity")):
        number = _read.require(entity, "id", f"entity[{k}]")
        model = str(entity.get("model", entity.get("type", ""))).lower()
        kind = next((role for word, role in _YAFS_MODELS.items() if word in model), None)
        values = {a: v for a, v in entity.items() if a not in ("id", "kind", "type")}
        called = entity.get("name") or f"{entity.get('model', 'entity')}-{number}"
        builder.vertex(number, k, {**values, "name": called, **({} if kind is None else {"kind": kind})})
    for k, link in enumerate(_rows(document, "link", "link")):
        builder.edge(link.get("s"), link.get("d"), "link", k)
    return builder.finish(report)


def read_mobile_env(document: Document, name: str, report: ImportReport) -> nx.Graph:
    """Configurations of mobile-env, with the stations that its classes have in code: ``stations: [[x, y], ...]``.

    ``users`` is how many there are, or where each is.

    Raises:
        InvalidScenarioError: no positions of stations, or a number of users that is none.
    """
    stations = next((document[key] for key in STATIONS if document.get(key)), None)
    if stations is None:
        raise InvalidScenarioError(
            name,
            "is a configuration of mobile-env, which does not say where the stations are",
            fix="add stations: [[x, y], ...], and users: how many, as the class of the environment has them",
        )
    names, stations = _named(stations, "bs")
    places = _read.numbers(stations, "stations", (None, 2), signed=True, axes=["stations", "x and y"])
    builder = GraphBuilder("stations")
    for k, (x, y) in enumerate(places.tolist()):
        builder.vertex(names[k], k, {"kind": "access_point", "x": x, "y": y})
    read = [*STATIONS]
    settings: dict[str, object] = {}
    parts = _station_settings(document.get("bs"), settings, report)
    if "users" in document:
        read.append("users")
    if isinstance(document.get("users"), (list, Mapping)):
        called, users = _named(document["users"], "ue")
        people = _read.numbers(users, "users", (None, 2), signed=True, axes=["users", "x and y"])
        for k, (x, y) in enumerate(people.tolist()):
            builder.vertex(called[k], k, {"kind": "user", "x": x, "y": y})
    elif "users" in document:
        settings["devices"] = _read.whole(document["users"], "users", least=1, most=MOST_DEVICES)
    builder.graph.graph[SETTINGS] = settings
    rest = [*sorted(str(key) for key in document if key not in read and (key != "bs" or not parts)), *parts]
    if rest:
        report.note("dropped", f"settings {', '.join(rest)}: set what you need, such as bandwidth_hz")
    return builder.finish(report)


def _named(places: Any, called: str) -> tuple[list[str], Any]:
    """Names, and places as ``[x, y]``: of a list of those or of ``{x: ..., y: ...}``, or of a mapping by name."""
    if isinstance(places, Mapping):
        names, places = [str(name) for name in places], list(places.values())
    else:
        names = [f"{called}{k}" for k in range(len(places) if isinstance(places, list) else 0)]
    if isinstance(places, list):
        places = [
            [place["x"], place["y"]] if isinstance(place, Mapping) and {"x", "y"} <= place.keys() else place
            for place in places
        ]
    return names, places


def _station_settings(stations: object, settings: dict[str, object], report: ImportReport) -> list[str]:
    """Take the bandwidth of mobile-env's stations; the names of the settings that are left."""
    if not isinstance(stations, Mapping) or "bw" not in stations:
        return []
    settings["bandwidth_hz"] = float(_read.number(stations["bw"], "bs.bw"))
    report.note("read", f"bandwidth of stations from bs.bw: {settings['bandwidth_hz']:g} Hz")
    return sorted(f"bs.{key}" for key in stations if key != "bw")


def _rows(document: Mapping[str, Any], key: str, field: str) -> list[Document]:
    rows = document.get(key) or []
    if not isinstance(rows, list):
        raise InvalidScenarioError(field, "must be a list", value=rows)
    return [_read.mapping(row, f"{field}[{k}]") for k, row in enumerate(rows)]


def _first(places: object) -> object:
    """Where a user of EdgeSimPy begins, whose ``coordinates`` are empty until it moves."""
    return places[0] if isinstance(places, list) and places else None


def _data(element: Document, field: str) -> Document:
    return _read.mapping(element.get("data") or {}, f"{field}.data")


def _object(value: object, ids: Mapping[tuple[str, str], str]) -> str:
    entry = _read.mapping(value, "relationships")
    key = str(entry.get("class")), str(entry.get("id"))
    if key not in ids:
        raise InvalidScenarioError("relationships", "must name an object of this file", value=value)
    return ids[key]
