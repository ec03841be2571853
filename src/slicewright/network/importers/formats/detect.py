"""Which format a file has, by what is in it; the name of the format where it is not one that can be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from slicewright.errors import InvalidScenarioError
from slicewright.files.binary import what_it_is, what_to_do
from slicewright.files.documents import parse_document
from slicewright.files.strict_json import without_trailing_commas
from slicewright.files.text import decode, read_bytes
from slicewright.network.importers.formats.gml import read_gml
from slicewright.network.importers.formats.graphml import graph_of_graphml
from slicewright.network.importers.formats.node_link import graph_from_document
from slicewright.network.importers.formats.other_json import (
    STATIONS,
    read_cytoscape,
    read_edgesimpy,
    read_mobile_env,
    read_yafs,
)
from slicewright.network.importers.formats.sndlib_native import is_sndlib_native, read_sndlib_native
from slicewright.network.importers.formats.xml import local_name, read_sndlib, root_of, xml_text
from slicewright.network.importers.report import ImportReport
from slicewright.types import Document

if TYPE_CHECKING:
    import networkx as nx

MOST_MB = 64
FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "node-link": "node-link JSON of NetworkX and D3: nodes, and edges or links",
        "graphml": "GraphML, yEd's dialect too",
        "gml": "GML of igraph, NetworkX, yEd and the Topology Zoo",
        "sndlib-xml": "SNDlib XML",
        "sndlib-native": "SNDlib's native format",
        "cytoscape": "Cytoscape JSON: elements",
        "edgesimpy": "EdgeSimPy data set: BaseStation, EdgeServer, User, NetworkSwitch, NetworkLink",
        "yafs": "YAFS topology: entity and link",
        "mobile-env": "mobile-env configuration with stations: [[x, y], ...]",
    }
)
"""What is read, and how it is recognised."""
KNOWN = (
    "known are node-link JSON, GraphML, GML, SNDlib XML and native, Cytoscape JSON, EdgeSimPy, YAFS, mobile-env, CSV "
    "tables and traces: slicewright scenario import --list"
)
_MOST_LETTERS = 40
_GML = re.compile(
    r"\s*(?:#[^\n]*\n\s*)*(?:(?:Creator|Version|comment|label|graph|directed)\b)", re.IGNORECASE
)


class ReadGraph(NamedTuple):
    """A graph, the name of its format, and whether that is a format of this project, which names every kind."""

    graph: nx.Graph
    format: str
    foreign: bool


def read_graph(file: Path, report: ImportReport) -> ReadGraph:
    """Read a graph in any of the formats.

    Raises:
        InvalidScenarioError: the file is none of them, with the name of what it is if that can be told; or it is
            broken.
        FileNotFoundError: no such file.
    """
    data = read_bytes(file, InvalidScenarioError, most_mb=MOST_MB, advice="take a part of the network")
    called = what_it_is(data)
    if called:
        raise InvalidScenarioError(
            file.name, f"is {called}, which is not read", fix=f"{what_to_do(called)}; {KNOWN}"
        )
    if not data.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n"):  # marks alone are nothing, too
        raise InvalidScenarioError(file.name, f"is empty; {KNOWN}")
    xml = xml_text(data, file.name, report)
    if xml is not None:
        return _read_xml(xml, file, report)
    if (
        b"\0" in data[:4096]
        and not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff"))
        and _not_text(data)
    ):
        raise InvalidScenarioError(file.name, _none_of_them("it is binary"))
    text = decode(data, file.name, InvalidScenarioError, guess=file.suffix.lower() in (".gml", ".txt"))
    if text.guessed:
        report.note("odd", f"{file.name} is not UTF-8: it was taken for {text.encoding}")
    start = text.content.lstrip()
    if is_sndlib_native(start):
        return ReadGraph(read_sndlib_native(start, file.name, report), "sndlib-native", True)
    if (
        not start.startswith(("{", "["))
        and _GML.match(start)
        and re.search(r"\bgraph\s*\[", start, re.IGNORECASE)
    ):
        return ReadGraph(read_gml(text.content, file.name, report), "gml", True)
    return _read_document(text.content, file, report)


def _read_xml(text: str, file: Path, report: ImportReport) -> ReadGraph:
    root = root_of(text, file.name, called="GraphML" if file.suffix.lower() == ".graphml" else "XML")
    called = local_name(root)
    if called == "graphml":
        return ReadGraph(graph_of_graphml(root, file.name, report), "graphml", True)
    if called == "network" and ("sndlib" in str(root.tag) or root.find(".//{*}nodes") is not None):
        return ReadGraph(read_sndlib(root, file.name, report), "sndlib-xml", True)
    known = {
        "gexf": "GEXF of Gephi",
        "osm": "OpenStreetMap",
        "kml": "KML",
        "svg": "SVG",
        "html": "HTML",
        "net": "SUMO",
    }
    told = known.get(called.lower(), f"XML with the root {called!r}")
    raise InvalidScenarioError(
        file.name, f"is {told}, which is not read", fix=f"save it as GraphML, or as node-link JSON; {KNOWN}"
    )


_Reader = Callable[[Document, str, ImportReport], "nx.Graph"]


def _read_document(text: str, file: Path, report: ImportReport) -> ReadGraph:
    start = text.lstrip()
    is_json = start.startswith(("{", "[")) and file.suffix.lower() not in (".yaml", ".yml")
    if not is_json and file.suffix.lower() in (".csv", ".tsv"):
        raise InvalidScenarioError(
            file.name, "is a table, not a graph", fix="use slicewright scenario import tables, eua or trace"
        )
    try:
        document = _parsed(text, file, report, is_json=is_json or file.suffix.lower() == ".json")
    except InvalidScenarioError:
        if is_json or file.suffix.lower() in (".json", ".yaml", ".yml"):
            raise
        document = None
    if isinstance(document, list) and document and all(isinstance(e, dict) and "data" in e for e in document):
        document = {"elements": document}  # as Cytoscape.js takes them
    if not isinstance(document, dict):
        raise InvalidScenarioError(file.name, _none_of_them(_first_words(text, document)))
    readers: list[tuple[str, bool, _Reader]] = [
        ("cytoscape", "elements" in document, read_cytoscape),
        ("edgesimpy", bool({"BaseStation", "EdgeServer", "NetworkSwitch"} & document.keys()), read_edgesimpy),
        ("yafs", "entity" in document, read_yafs),
        ("mobile-env", _is_mobile_env(document), read_mobile_env),
    ]
    for name, found, reader in readers:
        if found:
            return ReadGraph(reader(document, file.name, report), name, True)
    if {"nodes", "edges", "links"} & document.keys() and "schema" not in document:
        return ReadGraph(graph_from_document(document, file.name, report), "node-link", False)
    raise InvalidScenarioError(file.name, _told_by_keys(document, file))


def _is_mobile_env(document: Document) -> bool:
    """Settings of stations and users, or of one of them beside where stations are; those not set are its defaults."""
    sections = sum(isinstance(document.get(name), Mapping) for name in ("bs", "ue"))
    return sections == 2 or bool(sections and {*STATIONS, "EP_MAX_TIME"} & document.keys())


def _parsed(text: str, file: Path, report: ImportReport, *, is_json: bool) -> object:
    try:
        return parse_document(text, file.name, InvalidScenarioError, is_json=is_json)
    except InvalidScenarioError:
        again, lines = without_trailing_commas(text) if is_json else (text, [])
        if not lines:
            raise
    document = parse_document(again, file.name, InvalidScenarioError, is_json=True)
    report.note(
        "odd",
        f"{file.name} has {len(lines)} commas before a closing bracket, the first in line {lines[0]}: left out",
    )
    return document


def _told_by_keys(document: Document, file: Path) -> str:
    schema = document.get("schema")
    if isinstance(schema, str) and schema.startswith("slicewright/"):
        return f"is a {schema} file already: it needs no import"
    kind = document.get("type")
    if "adjacency" in document:
        return "is adjacency JSON of NetworkX, which is not read: write it with nx.node_link_data"
    if kind in ("FeatureCollection", "Topology"):
        name = "GeoJSON" if kind == "FeatureCollection" else "TopoJSON"
        return f"is {name}, which is not read: save its points as a table, and use slicewright scenario import tables"
    keys = ", ".join(repr(str(key)) for key in list(document)[:8]) or "none"
    return _none_of_them(f"its keys are {keys}")


def _first_words(text: str, document: object) -> str:
    """What a file without names and values holds instead."""
    called = {list: "a list", bool: "a truth value", int: "a number", float: "a number"}.get(type(document))
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    shown = first if len(first) <= _MOST_LETTERS else first[:_MOST_LETTERS] + "..."
    return f"it holds {called}" if called else f"it is text that begins with {shown!r}"


def _not_text(data: bytes) -> bool:
    """Whether zero bytes are not every second one, as in UTF-16 without a mark."""
    head = data[:64]
    return any(head[::2]) and any(head[1::2])


def _none_of_them(told: str) -> str:
    return f"is in no format that is known here ({told}); {KNOWN}"
