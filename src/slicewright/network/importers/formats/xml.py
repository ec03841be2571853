"""XML, read without what can unfold; and SNDlib's networks in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.formats.building import DRAWN, GraphBuilder
from slicewright.network.importers.report import ImportReport

if TYPE_CHECKING:
    import networkx as nx

Element = ElementTree.Element


def root_of(data: bytes, name: str, *, called: str = "XML") -> Element:
    """The root of an XML document.

    Raises:
        InvalidScenarioError: not XML, with the line; or it declares entities, which can unfold into gigabytes.
    """
    if (
        b"<!ENTITY" in data
        or "<!ENTITY".encode("utf-16-le") in data
        or "<!ENTITY".encode("utf-16-be") in data
    ):
        raise InvalidScenarioError(
            name, "declares XML entities, which are not read", fix="write out what they stand for"
        )
    try:
        return ElementTree.fromstring(data)
    except ElementTree.ParseError as broken:
        line = broken.position[0]
        raise InvalidScenarioError(
            name, f"is not valid {called} at line {line}: {broken.msg.partition(':')[0]}"
        ) from None
    except (ValueError, LookupError, RecursionError) as broken:  # an encoding that Python does not know
        raise InvalidScenarioError(name, f"is not valid {called}: {broken}") from None


def local_name(element: Element) -> str:
    """Name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def read_sndlib(data: bytes, name: str, report: ImportReport) -> nx.Graph:
    """A graph from the XML of SNDlib: nodes with coordinates, links; demands are about other problems.

    Raises:
        InvalidScenarioError: no nodes, or a link to one that is not there.
    """
    root = root_of(data, name)
    parts: dict[str, list[Element]] = {}
    for element in root.iter():
        parts.setdefault(local_name(element), []).append(element)
    kind = next((e.get("coordinatesType", "geographical") for e in parts.get("nodes", ())), "geographical")
    builder = GraphBuilder("node")
    for k, node in enumerate(parts.get("node", ())):
        if node.get("id") is None:
            raise InvalidScenarioError("node", "has no id", index=(k,))
        x, y = (_text(node, axis) for axis in ("x", "y"))
        degrees = kind == "geographical"
        named = ("longitude", "latitude") if degrees else ("x", "y")
        places = {key: value for key, value in zip(named, (x, y), strict=True) if value is not None}
        builder.vertex(node.get("id"), k, {"name": node.get("id"), **places})
    for k, link in enumerate(parts.get("link", ())):
        builder.edge(_text(link, "source"), _text(link, "target"), "link", k)
    if not parts.get("node"):
        raise InvalidScenarioError(name, "is SNDlib XML without any node")
    if kind != "geographical":
        report.note("odd", DRAWN)
    if parts.get("demand"):
        report.note("dropped", f"{len(parts['demand'])} demands: the model has devices instead")
    return builder.finish(report)


def _text(element: Element, name: str) -> Any:
    found = next((child for child in element.iter() if local_name(child) == name), None)
    return None if found is None else (found.text or "").strip()
