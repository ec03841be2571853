"""The HTTP API as a page, from the schema that the application gives of itself."""

from __future__ import annotations

import json
import math
from typing import Any

_METHODS = ("get", "put", "post", "patch", "delete")


def schema() -> dict[str, Any]:
    """What ``/openapi.json`` says."""
    from slicewright.control.http import create_app
    from slicewright.control.journal.memory import MemoryJournal
    from slicewright.control.plane.control_plane import ControlPlane
    from slicewright.control.state.clock import SystemClock
    from slicewright.control.transport.memory import MemoryTransport

    clock = SystemClock()
    plane = ControlPlane(
        MemoryJournal(), MemoryTransport(clock, lease_s=math.inf), clock=clock, instance="documentation"
    )
    return dict(create_app(plane).openapi())


def page(found: dict[str, Any] | None = None) -> str:
    """Every operation and every document."""
    found = found or schema()
    lines = ["# HTTP API", "", found["info"]["description"], ""]
    lines += ["Written from the schema that every control plane serves at `/openapi.json`.", ""]
    tags: dict[str, list[str]] = {}
    for path, methods in found["paths"].items():
        for method in _METHODS:
            if method in methods:
                operation = methods[method]
                tags.setdefault((operation.get("tags") or ["other"])[0], []).extend(
                    _operation(method, path, operation)
                )
    for tag, told in tags.items():
        lines += [f"## {tag.capitalize()}", "", *told]
    lines += ["## Documents", ""]
    for name, document in sorted(found["components"]["schemas"].items()):
        lines += _document(name, document)
    return "\n".join(lines)


def _operation(method: str, path: str, operation: dict[str, Any]) -> list[str]:
    lines = [f"### `{method.upper()} {path}` {{ #{operation['operationId']} }}", ""]
    lines += [operation.get("description") or operation.get("summary", ""), ""]
    parameters = operation.get("parameters", [])
    if parameters:
        lines += ["| parameter | in | type | |", "|---|---|---|---|"]
        for parameter in parameters:
            told = _cell(parameter.get("description", ""))
            name = f"`{parameter['name']}`" + (" (needed)" if parameter.get("required") else "")
            lines.append(f"| {name} | {parameter['in']} | {_type(parameter['schema'])} | {told} |")
        lines.append("")
    body = operation.get("requestBody")
    if body:
        for media, content in body["content"].items():
            lines += [f"Body, `{media}`: {_type(content.get('schema', {}))}", ""]
    lines += ["| answer | document | |", "|---|---|---|"]
    for status, answer in sorted(operation["responses"].items()):
        kinds = ", ".join(
            dict.fromkeys(_type(content.get("schema", {})) for content in answer.get("content", {}).values())
        )
        lines.append(f"| {status} | {kinds} | {_cell(answer.get('description', ''))} |")
    return [*lines, ""]


def _document(name: str, document: dict[str, Any]) -> list[str]:
    lines = [f"### {name} {{ #document-{name} }}", "", document.get("description", ""), ""]
    properties = document.get("properties", {})
    if properties:
        needed = set(document.get("required", ()))
        lines += ["| field | type | |", "|---|---|---|"]
        for field, about in properties.items():
            mark = " (needed)" if field in needed else ""
            lines.append(f"| `{field}`{mark} | {_type(about)} | {_cell(about.get('description', ''))} |")
        lines.append("")
    elif "enum" in document:
        lines += ["One of " + ", ".join(f"`{word}`" for word in document["enum"]), ""]
    return lines


def _type(about: dict[str, Any]) -> str:
    """The type of a value in a few words, with links to documents."""
    if "$ref" in about:
        name = about["$ref"].rpartition("/")[2]
        return f"[{name}](#document-{name})"
    for key in ("anyOf", "oneOf", "allOf"):
        if key in about:
            return " or ".join(dict.fromkeys(_type(kind) for kind in about[key]))
    if "const" in about:
        return f"`{json.dumps(about['const'])}`"
    if "enum" in about:
        return ", ".join(f"`{word}`" for word in about["enum"])
    kind = str(about.get("type", "any"))
    if kind == "array":
        return f"list of {_type(about.get('items', {}))}"
    values = about.get("additionalProperties")
    if kind == "object" and isinstance(values, dict) and values:
        return f"object of {_type(values)}"
    return kind + _limits(about)


def _limits(about: dict[str, Any]) -> str:
    said = [
        f"{sign} {about[key]:g}"
        for key, sign in (
            ("minimum", "≥"),
            ("exclusiveMinimum", ">"),
            ("maximum", "≤"),
            ("exclusiveMaximum", "<"),
        )
        if key in about
    ]
    if "maxLength" in about:
        said.append(f"at most {about['maxLength']} characters")
    return f" ({', '.join(said)})" if said else ""


def _cell(text: str) -> str:
    """Text as a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")
