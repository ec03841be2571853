"""Node-link JSON of NetworkX, D3 and others: edges under ``edges`` or ``links``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.formats.building import GraphBuilder, vertex_id
from slicewright.network.importers.report import ImportReport
from slicewright.types import Document

if TYPE_CHECKING:
    import networkx as nx


def graph_from_document(document: Document, where: str, report: ImportReport | None = None) -> nx.Graph:
    """A graph from a parsed node-link document, whichever key its edges are under.

    Raises:
        InvalidScenarioError: no list of nodes or edges, two different lists of edges, a vertex without an id or with
            one that another has, or an edge to a vertex that is not there.
    """
    report = report or ImportReport()
    key = _edge_key(document, where, report)
    builder = GraphBuilder()
    vertices = document["nodes"]
    without_ids = bool(vertices) and all(
        isinstance(v, Mapping) and "id" not in v and "name" in v for v in vertices
    )
    pairs = [_ends(edge) for edge in document[key]]
    by_name = without_ids and any(isinstance(end, str) for pair in pairs for end in pair)
    by_key = bool(vertices) and all(
        isinstance(v, Mapping) and "key" in v and not {"id", "name"} & v.keys() for v in vertices
    )
    for k, vertex in enumerate(vertices):
        if by_key:  # as graphology writes them
            builder.vertex(vertex["key"], k, _unnested(vertex))
            continue
        if not isinstance(vertex, Mapping) or not ("id" in vertex or without_ids):
            raise InvalidScenarioError("nodes", "must be a mapping with an 'id'", index=(k,), value=vertex)
        identity = vertex["name"] if by_name else k if without_ids else vertex["id"]
        builder.vertex(identity, k, {str(a): v for a, v in vertex.items() if a != "id"})
    ids = list(builder.graph)
    if _are_positions(pairs, ids):
        report.note("odd", f"ends of {key} are positions in 'nodes', counted from 0, and no ids")
        pairs = [(ids[start], ids[end]) for start, end in pairs]
    for k, (start, end) in enumerate(pairs):
        builder.edge(start, end, key, k, shown=document[key][k])
    return builder.finish(report)


def _unnested(vertex: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of a vertex that has them one floor down."""
    inner = vertex.get("attributes")
    own = {str(a): v for a, v in vertex.items() if a not in ("key", "attributes")}
    return {**(inner if isinstance(inner, Mapping) else {}), **own}


def _are_positions(pairs: Sequence[tuple[Any, Any]], ids: Sequence[str]) -> bool:
    """Whether edges tell places in the list of vertices, as NetworkX did before it told ids."""
    ends = [end for pair in pairs for end in pair]
    within = all(isinstance(end, int) and not isinstance(end, bool) and 0 <= end < len(ids) for end in ends)
    return bool(ends) and within and not {vertex_id(end) for end in ends} & set(ids)


def _ends(edge: object) -> tuple[Any, Any]:
    """Both ends of an edge, as NetworkX and D3 (``source``, ``target``) or vis.js (``from``, ``to``) call them."""
    if not isinstance(edge, Mapping):
        return None, None
    if "source" not in edge and "target" not in edge:
        return edge.get("from"), edge.get("to")
    return edge.get("source"), edge.get("target")


def _edge_key(document: Document, where: str, report: ImportReport) -> str:
    keys = [name for name in ("edges", "links") if isinstance(document.get(name), list)]
    if not keys or not isinstance(document.get("nodes"), list):
        raise InvalidScenarioError(
            where, "must be node-link JSON: a list 'nodes', and a list 'edges' or 'links'"
        )
    full = [name for name in keys if document[name]]
    if len(full) == 2 and document["edges"] != document["links"]:
        raise InvalidScenarioError(where, "has 'edges' and 'links' that differ", fix="keep one of them")
    if len(keys) == 2 and len(full) == 1:
        empty = next(name for name in keys if name not in full)
        report.note("odd", f"{empty!r} is empty, so {full[0]!r} was read")
    return (full or keys)[0]
