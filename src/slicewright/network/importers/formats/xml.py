"""XML, read without what can unfold; and SNDlib's networks in it."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from slicewright.errors import InvalidScenarioError
from slicewright.files.text import decode
from slicewright.network.importers.formats.building import DRAWN, GraphBuilder
from slicewright.network.importers.report import ImportReport

if TYPE_CHECKING:
    import networkx as nx

Element = ElementTree.Element
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_DECLARED = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.\-]*)["']""", re.ASCII)

_SINGLE_BYTES = re.compile(r"iso-?8859|latin|windows-125|cp-?125|us-ascii|ascii", re.IGNORECASE)


def xml_text(data: bytes, name: str, report: ImportReport) -> str | None:
    """An XML document as text, by its byte order mark or by the encoding that it declares; None for anything else.

    One that declares Latin-1 and is in UTF-8 is read as what it is, which is noted.

    Raises:
        InvalidScenarioError: it is in another encoding, or in one that is not known.
    """
    start = data.lstrip(b" \t\r\n")
    if not start.startswith(b"<") or start[1:2] == b"\0":
        if data.startswith(_MARKS) or start[:2] in (b"<\0", b"\0<"):
            text = decode(data, name, InvalidScenarioError).content.lstrip()
            return text if text.startswith("<") else None
        return None
    declared = _DECLARED.match(start)
    called = declared.group(1).decode("ascii") if declared else "UTF-8"
    if called.upper().replace("_", "-") == "UTF-8":
        return decode(start, name, InvalidScenarioError).content
    if _SINGLE_BYTES.match(called) and _is_utf8_all_the_same(start):
        report.note("odd", f"{name} declares the encoding {called!r} and is in UTF-8, in which it was read")
        return start.decode("utf-8")
    rule = "and is not in it"
    try:
        text = start.decode(called)
        if text.startswith("<"):
            return text
    except LookupError:
        rule = "which is not known"
    except UnicodeError:
        pass
    raise InvalidScenarioError(name, f"declares the encoding {called!r}, {rule}", fix="save it as UTF-8")


def _is_utf8_all_the_same(data: bytes) -> bool:
    """Whether bytes hold letters beyond ASCII in UTF-8, which by chance hardly any text does."""
    try:
        return not data.isascii() and bool(data.decode("utf-8"))
    except UnicodeError:
        return False


def root_of(text: str, name: str, *, called: str = "XML") -> Element:
    """The root of an XML document, whatever encoding its declaration names.

    Raises:
        InvalidScenarioError: not XML, with the line; or it declares entities, which can unfold into gigabytes.
    """
    if "<!ENTITY" in text:
        raise InvalidScenarioError(
            name, "declares XML entities, which are not read", fix="write out what they stand for"
        )
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as broken:
        line = broken.position[0]
        raise InvalidScenarioError(
            name, f"is not valid {called} at line {line}: {broken.msg.partition(':')[0]}"
        ) from None
    except (ValueError, RecursionError) as broken:
        raise InvalidScenarioError(name, f"is not valid {called}: {broken}") from None


def local_name(element: Element) -> str:
    """Name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def read_sndlib(root: Element, name: str, report: ImportReport) -> nx.Graph:
    """A graph from the root of SNDlib's XML: nodes with coordinates, links; demands are about other problems.

    Raises:
        InvalidScenarioError: no nodes, or a link to one that is not there.
    """
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
