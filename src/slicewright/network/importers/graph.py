"""Network graphs as scenarios: NetworkX node-link JSON (edges under ``edges`` or ``links``) and GraphML.

What a graph gives: positions and which vertex is an access point, a COIN node or a MEC server. Its edges decide roles
and layout where the file does not say; the slicing model itself has no cost for transport behind the access point.
Devices and everything about them are made up: fields of :class:`GraphParameters`, recorded in ``origin``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.files.documents import read_document
from slicewright.network.importers.layout import place_vertices
from slicewright.network.importers.roles import ROLE_RULES, assign_roles
from slicewright.network.scenario import Scenario
from slicewright.network.workload import Workload, populate, with_workload
from slicewright.types import Document, FloatArray

if TYPE_CHECKING:
    import networkx as nx

_GRAPHML_ENDINGS = (".graphml", ".xml")


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
    """

    devices: int = 60
    device_spread_m: float = 60.0
    roles: str = "auto"
    coins: int = 0
    mecs: int = 1
    area_m: float = 0.0


def import_graph(path: str | Path, *, seed: int = 0, **parameters: object) -> Scenario:
    """A scenario on the vertices of a graph file.

    Args:
        path: node-link JSON, or GraphML (.graphml, .xml).
        seed: of everything that is drawn, the spring layout included.
        **parameters: any field of :class:`GraphParameters`.

    Raises:
        InvalidScenarioError: the file is no such graph, a vertex or a parameter breaks a rule.
        FileNotFoundError: no such file.
    """
    file = Path(path)
    graph = (
        _read_graphml(file)
        if file.suffix.lower() in _GRAPHML_ENDINGS
        else graph_from_document(read_document(file, InvalidScenarioError), file.name)
    )
    return scenario_from_graph(
        graph, source={"importer": "graph", "file": file.name}, seed=seed, **parameters
    )


def scenario_from_graph(
    graph: nx.Graph, *, source: Mapping[str, object], seed: int = 0, **parameters: object
) -> Scenario:
    """A scenario on the vertices of a graph.

    Args:
        graph: vertices may have ``kind``, ``name`` or ``label``, and positions (``x`` and ``y`` in m, ``pos``, or
            ``latitude`` and ``longitude`` in degrees).
        source: where it comes from, for ``origin``.
        seed: of everything that is drawn.
        **parameters: any field of :class:`GraphParameters`.

    Raises:
        InvalidScenarioError: a vertex or a parameter breaks a rule.
    """
    zero = ("coins", "mecs", "area_m")
    chosen = with_workload(GraphParameters(), parameters, owner="the graph importer", may_be_zero=zero)
    known = ("auto", "kind", *ROLE_RULES)
    if chosen.roles not in known:
        raise InvalidScenarioError("roles", f"must be one of {', '.join(known)}", value=chosen.roles)
    if graph.number_of_nodes() == 0:
        raise InvalidScenarioError("nodes", "the graph has no vertex")
    names = _names(graph)
    roles = assign_roles(graph, names, rule=chosen.roles, coins=chosen.coins, mecs=chosen.mecs)
    places = place_vertices(graph, names, area_m=chosen.area_m, seed=seed)
    rng = np.random.default_rng(seed)
    access_point_m = places.xy_m[list(roles.access_points)]
    hosts = [*roles.coins, *roles.mecs]
    return populate(
        chosen,
        rng,
        device_m=_scatter(chosen, access_point_m, rng),
        access_point_m=access_point_m,
        node_m=places.xy_m[hosts],
        node_kinds=("coin",) * len(roles.coins) + ("mec",) * len(roles.mecs),
        access_points=[names[v] for v in roles.access_points],
        nodes=[names[v] for v in hosts],
        origin={
            **source,
            "roles": roles.rule,
            "positions": places.rule,
            "not_real": asdict(chosen),
            "seed": seed,
        },
    )


def graph_from_document(document: Document, where: str) -> nx.Graph:
    """A graph from a parsed node-link document, whichever key its edges are under.

    Raises:
        InvalidScenarioError: no list of nodes or edges, a vertex without an id or with one that another has, or an
            edge to a vertex that is not there.
    """
    import networkx as nx

    key = next((name for name in ("edges", "links") if isinstance(document.get(name), list)), None)
    if key is None or not isinstance(document.get("nodes"), list):
        raise InvalidScenarioError(
            where, "must be node-link JSON: a list 'nodes', and a list 'edges' or 'links'"
        )
    graph = nx.Graph()
    for k, vertex in enumerate(document["nodes"]):
        if not isinstance(vertex, Mapping) or "id" not in vertex:
            raise InvalidScenarioError("nodes", "must be a mapping with an 'id'", index=(k,), value=vertex)
        name = _vertex_id(vertex["id"])
        if name in graph:
            raise InvalidScenarioError(
                "nodes", "has the id of an earlier node", index=(k,), value=vertex["id"]
            )
        graph.add_node(name, **{str(a): value for a, value in vertex.items() if a != "id"})
    for k, edge in enumerate(document[key]):
        ends = [edge.get(end) for end in ("source", "target")] if isinstance(edge, Mapping) else [None, None]
        for end in ends:
            if _vertex_id(end) not in graph:
                raise InvalidScenarioError(
                    key, "must join two ids of 'nodes' by its 'source' and 'target'", index=(k,), value=edge
                )
        graph.add_edge(*map(_vertex_id, ends))
    return graph


def _vertex_id(value: object) -> str:
    """Ids as text: files mix 3 and "3"; NetworkX writes tuples as lists."""
    return value if isinstance(value, str) else json.dumps(value)


def _read_graphml(file: Path) -> nx.Graph:
    from xml.etree.ElementTree import ParseError

    import networkx as nx

    with file.open("rb") as stream:
        try:
            graph = nx.read_graphml(stream)
        except (ParseError, nx.NetworkXError, KeyError, ValueError) as broken:
            raise InvalidScenarioError(file.name, f"is not valid GraphML: {broken}") from None
    return nx.Graph(graph)


def _names(graph: nx.Graph) -> list[str]:
    """Names or labels of the vertices if all have one and no two the same, else their ids."""
    for attribute in ("name", "label"):
        names = [str(data.get(attribute) or "").strip() for _, data in graph.nodes(data=True)]
        if all(names) and len(set(names)) == len(names):
            return names
    return [str(vertex) for vertex in graph.nodes]


def _scatter(chosen: GraphParameters, access_point_m: FloatArray, rng: np.random.Generator) -> FloatArray:
    home = access_point_m[rng.integers(len(access_point_m), size=chosen.devices)]
    return np.round(home + rng.normal(0, chosen.device_spread_m, home.shape), 2)
