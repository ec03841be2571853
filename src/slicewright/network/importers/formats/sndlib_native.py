"""SNDlib's native format: sections of lines with brackets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.formats.building import DRAWN, GraphBuilder
from slicewright.network.importers.report import ImportReport

if TYPE_CHECKING:
    import networkx as nx

_SECTION = re.compile(r"^\s*(META|NODES|LINKS|DEMANDS|ADMISSIBLE_PATHS)\s*\(\s*$")
_NODE = re.compile(r"^\s*([^\s(]+)\s*(?:\(\s*(?:(\S+)\s+(\S+)\s*)?\)\s*)?$")
_LINK = re.compile(r"^\s*(\S+)\s*\(\s*(\S+)\s+(\S+)\s*\)")


def is_sndlib_native(text: str) -> bool:
    """Whether a text is in this format, with its first line or without."""
    return text.startswith("?SNDlib") or all(
        re.search(rf"^\s*{section}\s*\(\s*$", text, re.MULTILINE) for section in ("NODES", "LINKS")
    )


def read_sndlib_native(text: str, name: str, report: ImportReport) -> nx.Graph:
    """A graph from SNDlib's native format.

    Raises:
        InvalidScenarioError: a line of a section does not have its form, with the line; or the file ends too early.
    """
    builder, section, demands, nested = GraphBuilder("NODES"), "", 0, 0
    drawn = _is_drawing(text)
    axes = ("x", "y") if drawn else ("longitude", "latitude")
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.partition("#")[0]
        if not bare.strip():
            continue
        opened = _SECTION.match(bare)
        if opened:
            section, nested = opened.group(1), 0
        elif bare.strip() == ")" and nested == 0:
            section = ""
        elif section == "NODES":
            match = _matched(_NODE, bare, name, number, "name ( longitude latitude ), or a name alone")
            attributes = {"name": match.group(1)}
            if match.group(2):
                attributes |= dict(zip(axes, match.groups()[1:], strict=True))
            builder.vertex(match.group(1), number, attributes)
        elif section == "LINKS":
            match = _matched(_LINK, bare, name, number, "name ( source target ) ...")
            builder.edge(match.group(2), match.group(3), f"{name} line {number}, LINKS", 0)
        elif section:
            demands += section == "DEMANDS"
            nested += bare.count("(") - bare.count(")")
    if section:
        raise InvalidScenarioError(name, f"ends within its section {section}, which no bracket closes")
    if not len(builder.graph):
        raise InvalidScenarioError(name, "is SNDlib's native format without any node")
    if drawn:
        report.note("odd", DRAWN)
    if demands:
        report.note("dropped", f"{demands} demands: the model has devices instead")
    return builder.finish(report)


def _is_drawing(text: str) -> bool:
    """Whether most nodes are off the globe: some of SNDlib's networks have points of a screen instead of degrees."""
    off = on = 0
    section = ""
    for line in text.splitlines():
        opened, node = _SECTION.match(line), _NODE.match(line.partition("#")[0])
        section = opened.group(1) if opened else section
        if section == "NODES" and node is not None and node.group(2):
            try:
                there = abs(float(node.group(2))) <= 180.0 and abs(float(node.group(3))) <= 90.0
            except ValueError:
                continue
            on, off = on + there, off + (not there)
    return off > on


def _matched(pattern: re.Pattern[str], line: str, name: str, number: int, form: str) -> re.Match[str]:
    match = pattern.match(line)
    if match is None:
        raise InvalidScenarioError(f"{name} line {number}", f"must have the form {form}", value=line.strip())
    return match
