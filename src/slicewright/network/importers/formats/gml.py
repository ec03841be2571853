"""GML (Graph Modelling Language), as igraph, yEd, NetworkX and the Topology Zoo write it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.formats.building import DRAWN, GraphBuilder
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


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def read_gml(text: str, name: str, report: ImportReport) -> nx.Graph:
    """A graph from GML.

    Raises:
        InvalidScenarioError: not GML; names the line.
    """
    top = _Parser(text, name).mapping()
    graphs = [value for key, value in top if key == "graph"]
    if len(graphs) != 1 or not isinstance(graphs[0], list):
        raise InvalidScenarioError(name, f"must hold one graph, not {len(graphs)}")
    builder = GraphBuilder()
    vertices = [value for key, value in graphs[0] if key == "node"]
    for k, vertex in enumerate(vertices):
        attributes = _flat(vertex)
        if "id" not in attributes:
            raise InvalidScenarioError("node", "has no id", index=(k,))
        builder.vertex(attributes.pop("id"), k, attributes)
    for k, edge in enumerate(value for key, value in graphs[0] if key == "edge"):
        ends = _flat(edge)
        builder.edge(ends.get("source"), ends.get("target"), "edge", k)
    if any(key == "graphics" for vertex in vertices if isinstance(vertex, list) for key, _ in vertex):
        report.note("odd", DRAWN)
    return builder.finish(report)


def _flat(pairs: Any) -> dict[str, Any]:
    """Attributes of a vertex or edge; ``graphics [ x 1 y 2 ]`` gives x and y where the vertex has none itself."""
    if not isinstance(pairs, list):
        return {}
    flat: dict[str, Any] = {}
    for key, value in pairs:
        if isinstance(value, list):
            for inner, item in value:
                if key == "graphics" and inner in ("x", "y") and not isinstance(item, list):
                    flat.setdefault(inner, item)
        else:
            flat.setdefault(key, value)
    return flat


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
                    line, f"{text[position : position + 20].split(chr(10))[0]!r} is neither key nor value"
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

    def mapping(self, depth: int = 0) -> list[tuple[str, Any]]:
        """Pairs up to the closing bracket, or to the end at the top; keys may come again."""
        pairs: list[tuple[str, Any]] = []
        last = 1
        for token in self.tokens:
            last = token.line
            if token.text == "]" and token.kind == "bracket":
                if depth == 0:
                    raise self._wrong(token.line, "closes a bracket that is not open")
                return pairs
            if token.kind != "key":
                raise self._wrong(token.line, f"{token.text[:20]!r} stands where a key must be")
            pairs.append((token.text, self._value(token, depth)))
        if depth:
            raise self._wrong(last, "ends within a bracket")
        return pairs

    def _value(self, key: _Token, depth: int) -> Any:
        token = next(self.tokens, None)
        if token is None:
            raise self._wrong(key.line, f"{key.text!r} has no value")
        if token.kind == "text":
            return html.unescape(token.text[1:-1])
        if token.kind == "number":
            return float(token.text) if re.search(r"[.eEnN]", token.text) else int(token.text[:400])
        if token.text == "[" and depth < MOST_NESTED:
            return self.mapping(depth + 1)
        raise self._wrong(token.line, f"{key.text!r} has no value, or one that is not quoted")

    def _wrong(self, line: int, rule: str) -> InvalidScenarioError:
        return InvalidScenarioError(f"{self.name} line {line}", f"is not valid GML: {rule}")
