"""A graph in the making: vertices by text, edges that must join them, oddities noted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.report import ImportReport

if TYPE_CHECKING:
    import networkx as nx

PLACE_KEYS = ("pos", "position", "coordinates", "coords", "location")
"""Attributes that may hold a whole place: ``[x, y]``, ``"x,y"`` or a mapping of named coordinates."""
DRAWN = "positions are those of a drawing, in points of a screen: area_m sets how many metres the map has"


_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def _empty_graph() -> nx.Graph:
    """A graph to fill; the library for graphs is loaded with the first one, since it takes longer than most files."""
    import networkx as nx

    return nx.Graph()


@dataclass
class GraphBuilder:
    """Vertices and edges as they are read.

    Attributes:
        what: how a vertex list is called in the file, for messages.
        graph: without self-loops and parallel edges, which are counted.
    """

    what: str = "nodes"
    graph: nx.Graph = field(default_factory=_empty_graph)
    loops: int = 0
    parallel: int = 0
    odd_ids: list[str] = field(default_factory=list)

    def vertex(self, value: object, k: int, attributes: Mapping[str, Any]) -> None:
        """Add a vertex.

        Raises:
            InvalidScenarioError: another one has its id.
        """
        name = vertex_id(value)
        if name in self.graph:
            raise InvalidScenarioError(self.what, "has the id of an earlier node", index=(k,), value=value)
        if not isinstance(value, str) and (isinstance(value, bool) or not isinstance(value, int)):
            self.odd_ids.append(name)
        self.graph.add_node(name)
        self.graph.nodes[name].update(_unfolded(attributes))

    def edge(self, start: object, end: object, where: str, k: int, shown: object = None) -> None:
        """Add an edge.

        Raises:
            InvalidScenarioError: an end is no vertex.
        """
        ends = vertex_id(start), vertex_id(end)
        for name in ends:
            if name not in self.graph:
                rule = "must join two ids of 'nodes' by its 'source' and 'target'"
                value = {"source": start, "target": end} if shown is None else shown
                raise InvalidScenarioError(where, rule, index=(k,), value=value)
        if ends[0] == ends[1]:
            self.loops += 1
        elif self.graph.has_edge(*ends):
            self.parallel += 1
        else:
            self.graph.add_edge(*ends)

    def finish(self, report: ImportReport) -> nx.Graph:
        """The graph; what was left out is noted."""
        for count, what in ((self.loops, "edges from a vertex to itself"), (self.parallel, "parallel edges")):
            if count:
                report.note("dropped", f"{count} {what}")
        if self.odd_ids:
            report.note(
                "odd",
                f"ids that are no text or whole number are named as written: {', '.join(self.odd_ids[:6])}",
            )
        return self.graph


def _unfolded(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes by text, with whole places under the names that places are looked for by.

    Raises:
        InvalidScenarioError: ``pos`` is no place.
    """
    made: dict[str, Any] = {}
    for key, value in attributes.items():
        if str(key).lower() not in PLACE_KEYS or value is None or value == "":
            made[str(key)] = value
        elif isinstance(value, Mapping):
            made.update({str(part): item for part, item in value.items() if str(part) not in attributes})
        elif (place := place_of(value)) is not None and (
            str(key).lower() == "pos" or "pos" not in attributes
        ):
            made["pos"] = place
        elif str(key).lower() == "pos":
            raise InvalidScenarioError("nodes.pos", "must be a place: [x, y]", value=value)
        else:
            made[str(key)] = value
    return made


def place_of(value: object) -> list[Any] | None:
    """Two coordinates of a list or of text such as ``10,20``, ``(10.0, 20.0)`` or Graphviz's ``10,20!``.

    A height behind them is left out; None for what is no place.
    """
    parts: Sequence[Any] = ()
    if isinstance(value, str):
        parts = re.split(r"\s*[,;\s]\s*", value.strip().removesuffix("!").strip("[]() \t"))
        if not all(_NUMBER.fullmatch(part) for part in parts):
            return None
    elif isinstance(value, (list, tuple)):
        parts = value
    return list(parts[:2]) if len(parts) in (2, 3) else None


def vertex_id(value: object) -> str:
    """Ids as text: files mix 3 and "3"; NetworkX writes tuples as lists."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value)
    except (TypeError, ValueError):
        return str(value)
