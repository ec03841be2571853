"""Node-link JSON of NetworkX, D3 and others: edges under ``edges`` or ``links``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.formats.building import GraphBuilder
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
    by_index = bool(vertices) and all(
        isinstance(v, Mapping) and "id" not in v and "name" in v for v in vertices
    )
    for k, vertex in enumerate(vertices):
        if not isinstance(vertex, Mapping) or not ("id" in vertex or by_index):
            raise InvalidScenarioError("nodes", "must be a mapping with an 'id'", index=(k,), value=vertex)
        builder.vertex(
            k if by_index else vertex["id"], k, {str(a): v for a, v in vertex.items() if a != "id"}
        )
    for k, edge in enumerate(document[key]):
        ends = [edge.get(end) for end in ("source", "target")] if isinstance(edge, Mapping) else [None, None]
        builder.edge(ends[0], ends[1], key, k, shown=edge)
    return builder.finish(report)


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
