"""GML (Graph Modelling Language), as igraph, yEd, NetworkX and the Topology Zoo write it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.formats.building import DRAWN, PLACE_KEYS, GraphBuilder, vertex_id
from slicewright.network.importers.report import ImportReport

if TYPE_CHECKING:
    import networkx as nx

_TOKEN = re.compile(
    r'(?P<blank>\s+|\#[^\n]*)|(?P<text>"[^"]*")|(?P<bracket>[\[\]])'
    r"|(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?=[\s\]\[]|$)|[-+]?(?:INF|NAN|inf|nan)(?=[\s\]]))"
    r"|(?P<key>[A-Za-z_][\w.\-]*)"
)
MOST_NESTED = 100
MOST_WORDS = 5_000_000
"""Keys, values and brackets of a file: more would take gigabytes of memory, and minutes to be read."""


_DRAWING = ("graphics", "labelgraphics")
_NAMES = ("label", "name")
"""Keys whose values are text, quoted or not: 0123 is not 123."""


class _Pair(NamedTuple):
    """A key, its value, and the line it stands in."""

    key: str
    value: Any
    line: int


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def read_gml(text: str, name: str, report: ImportReport) -> nx.Graph:
    """A graph from GML. A group of yEd is a vertex only if an edge ends there.

    Raises:
        InvalidScenarioError: not GML; names the line.
    """
    top = _Parser(text, name).mapping()
    graphs = [pair.value for pair in top if pair.key.lower() == "graph"]
    if len(graphs) != 1 or not isinstance(graphs[0], list):
        raise InvalidScenarioError(name, f"must hold one graph, not {len(graphs)}")
    builder = GraphBuilder()
    drawn = False
    edges = [_flat(pair.value, name) for pair in graphs[0] if pair.key.lower() == "edge"]
    ends = {vertex_id(edge.get(end)) for edge in edges for end in ("source", "target")}
    groups = 0
    for k, vertex in enumerate(pair.value for pair in graphs[0] if pair.key.lower() == "node"):
        graphics, own = _drawn(vertex), _flat(vertex, name)
        drawn |= bool(graphics)
        attributes = {**graphics, **own}
        if "id" not in attributes:
            raise InvalidScenarioError("node", "has no id", index=(k,))
        if attributes.pop("isGroup", 0) and vertex_id(attributes["id"]) not in ends:
            groups += 1
            continue
        builder.vertex(attributes.pop("id"), k, attributes)
    for k, edge in enumerate(edges):
        builder.edge(edge.get("source"), edge.get("target"), "edge", k)
    if groups:
        report.note("dropped", f"{groups} groups of vertices")
    if drawn:
        report.note("odd", DRAWN)
    return builder.finish(report)


def _flat(pairs: Any, name: str) -> dict[str, Any]:
    """Attributes of a vertex or edge; of those in brackets, all but how it is drawn.

    NetworkX writes a list as its key again and again: a place may be one.

    Raises:
        InvalidScenarioError: an attribute has two values; names both lines.
    """
    if not isinstance(pairs, list):
        return {}
    flat: dict[str, Any] = {}
    lines: dict[str, int] = {}
    places: dict[str, list[Any]] = {}
    for pair in pairs:
        is_place = pair.key.lower() in PLACE_KEYS
        if isinstance(pair.value, list) and not is_place:
            if pair.key.lower() not in _DRAWING:
                flat.setdefault(pair.key, {part.key: part.value for part in pair.value})  # told of as dropped
            continue
        if is_place:
            value = _flat(pair.value, name) if isinstance(pair.value, list) else pair.value
            places.setdefault(pair.key, []).append(value)
            continue
        if pair.key in flat and flat[pair.key] != pair.value:
            rule = f"has {pair.key!r} twice in one vertex or edge, in lines {lines[pair.key]} and {pair.line}"
            raise InvalidScenarioError(name, rule, fix="keep one")
        flat[pair.key] = pair.value
        lines.setdefault(pair.key, pair.line)
    return {**flat, **{key: found if len(found) > 1 else found[0] for key, found in places.items()}}


def _drawn(vertex: Any) -> dict[str, Any]:
    """Where a vertex is drawn: x and y of ``graphics [ x 1 y 2 ]`` or ``graphics [ center [ x 1 y 2 ] ]``."""
    if not isinstance(vertex, list):
        return {}
    graphics = [
        part
        for pair in vertex
        if pair.key == "graphics" and isinstance(pair.value, list)
        for part in pair.value
    ]
    inner = [
        part
        for pair in graphics
        if pair.key == "center" and isinstance(pair.value, list)
        for part in pair.value
    ]
    found: dict[str, Any] = {}
    for part in (*graphics, *inner):
        if part.key in ("x", "y") and not isinstance(part.value, list):
            found.setdefault(part.key, part.value)
    return found


class _Parser:
    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.tokens = self._tokens(text)

    def _tokens(self, text: str) -> Iterator[_Token]:
        position, line, words = 0, 1, 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise self._wrong(
                    line, f"{text[position : position + 20].splitlines()[0]!r} is neither key nor value"
                )
            kind = str(match.lastgroup)
            if kind != "blank":
                words += 1
                if words > MOST_WORDS:
                    raise InvalidScenarioError(
                        f"{self.name} line {line}",
                        f"comes after {MOST_WORDS:,} words of GML, the most that are read",
                        fix="take a part of the network",
                    )
                yield _Token(kind, match.group(), line)
            line += match.group().count("\n")
            position = match.end()

    def mapping(self, depth: int = 0) -> list[_Pair]:
        """Pairs up to the closing bracket, or to the end at the top; keys may come again."""
        pairs: list[_Pair] = []
        last = 1
        for token in self.tokens:
            last = token.line
            if token.text == "]" and token.kind == "bracket":
                if depth == 0:
                    raise self._wrong(token.line, "closes a bracket that is not open")
                return pairs
            if token.kind != "key":
                raise self._wrong(token.line, f"{token.text[:20]!r} stands where a key must be")
            pairs.append(_Pair(token.text, self._value(token, depth), token.line))
        if depth:
            raise self._wrong(last, "ends within a bracket")
        return pairs

    def _value(self, key: _Token, depth: int) -> Any:
        token = next(self.tokens, None)
        if token is None:
            raise self._wrong(key.line, f"{key.text!r} has no value")
        if token.kind == "text":
            return html.unescape(token.text[1:-1])
        if token.kind == "number" and key.text.lower() in _NAMES:
            return token.text
        if token.kind == "number":
            return float(token.text) if re.search(r"[.eEnN]", token.text) else int(token.text[:400])
        if token.text == "[" and depth < MOST_NESTED:
            return self.mapping(depth + 1)
        raise self._wrong(token.line, f"{key.text!r} has no value, or one that is not quoted")

    def _wrong(self, line: int, rule: str) -> InvalidScenarioError:
        return InvalidScenarioError(f"{self.name} line {line}", f"is not valid GML: {rule}")
