"""GraphML, as NetworkX, igraph, the Topology Zoo and yEd write it: values as text, nothing merged, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.formats.building import DRAWN, GraphBuilder
from slicewright.network.importers.formats.xml import local_name
from slicewright.network.importers.report import ImportReport

if TYPE_CHECKING:
    import networkx as nx

Element = ElementTree.Element


class _Key(NamedTuple):
    """What an attribute is called, and its value where a vertex has none."""

    name: str
    default: str | None


def graph_of_graphml(root: Element, name: str, report: ImportReport) -> nx.Graph:
    """A graph from the root of a GraphML document.

    Vertices within a group (yEd) are vertices; the group is one only if an edge ends there.

    Raises:
        InvalidScenarioError: not one graph; a vertex, a key or a value comes twice; an edge joins what is not there.
    """
    graphs = [element for element in root if local_name(element) == "graph"]
    if len(graphs) != 1:
        raise InvalidScenarioError(name, f"must hold one graph, not {len(graphs)}", fix="keep one of them")
    keys = _keys(root, name)
    builder = GraphBuilder("node")
    edges = [element for element in graphs[0].iter() if local_name(element) == "edge"]
    ends = {edge.get(end) for edge in edges for end in ("source", "target")}
    drawn, groups = False, 0
    for k, node in enumerate(element for element in graphs[0].iter() if local_name(element) == "node"):
        vertex = node.get("id")
        if vertex is None:
            raise InvalidScenarioError("node", "has no id", index=(k,))
        if vertex not in ends and any(local_name(part) == "graph" for part in node):
            groups += 1
            continue
        values, is_drawn = _values(node, keys, name)
        drawn |= is_drawn
        builder.vertex(vertex, k, values)
    for k, edge in enumerate(edges):
        builder.edge(edge.get("source"), edge.get("target"), "edge", k)
    if drawn:
        report.note("odd", DRAWN)
    hyper = sum(local_name(element) == "hyperedge" for element in graphs[0].iter())
    for count, what in ((groups, "groups of vertices"), (hyper, "edges of more than two ends")):
        if count:
            report.note("dropped", f"{count} {what}")
    return builder.finish(report)


def _keys(root: Element, name: str) -> dict[str, _Key]:
    """Attributes of vertices by the id of their key."""
    keys: dict[str, _Key] = {}
    for element in root:
        if local_name(element) != "key" or element.get("for", "all") not in ("node", "all"):
            continue
        identity = element.get("id", "")
        if identity in keys:
            raise InvalidScenarioError(name, f"has the key {identity!r} twice", fix="keep one of them")
        default = next((part.text for part in element if local_name(part) == "default"), None)
        keys[identity] = _Key(element.get("attr.name", ""), default)
    return keys


def _values(node: Element, keys: dict[str, _Key], name: str) -> tuple[dict[str, str], bool]:
    """Attributes of a vertex as text, and whether its place is one of a drawing."""
    values = {key.name: key.default for key in keys.values() if key.name and key.default is not None}
    given: dict[str, str] = {}
    graphics: dict[str, str] = {}
    for data in (part for part in node if local_name(part) == "data"):
        identity = data.get("key", "")
        if identity not in keys:
            raise InvalidScenarioError(
                name, f"is not valid GraphML: it refers to the key {identity!r}, which is not there"
            )
        called, text = keys[identity].name, (data.text or "").strip()
        if called:
            if given.setdefault(called, text) != text:
                twice = f"{given[called]!r} and {text!r}"
                raise InvalidScenarioError(
                    name,
                    f"has two values of {called!r} for the vertex {node.get('id')!r}, {twice}",
                    fix="keep one",
                )
            continue
        for key, value in _graphics(data):
            graphics.setdefault(key, value)
    drawn = bool({"x", "y"} & graphics.keys() - given.keys())
    return {**graphics, **values, **given}, drawn


def _graphics(data: Element) -> Iterator[tuple[str, str]]:
    """Place and label of a vertex as yEd draws it."""
    for part in data.iter():
        called = local_name(part)
        if called == "Geometry":
            for axis in ("x", "y"):
                value = part.get(axis)
                if value is not None:
                    yield axis, value
        elif called in ("NodeLabel", "Label.Text") and (part.text or "").strip():
            yield "label", (part.text or "").strip()
