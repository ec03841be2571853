"""Docstrings as the site reads them: roles become links, and what several parameters share is said for each of them."""

from __future__ import annotations

import re
from typing import Any

import griffe

from documentation.reference import homes

_ROLE = re.compile(r":(?:func|meth|class|mod|attr|data|exc):`~?(?P<name>[\w.]+)`")
_SEVERAL = re.compile(r"(?P<indent> +)(?P<names>\*{0,2}\w+(?:, \*{0,2}\w+)+): ")


class Readable(griffe.Extension):
    """Rewrites docstrings when an object has been read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """One object with its docstring."""
        if obj.docstring:
            text = _ROLE.sub(lambda match: _link(match["name"], obj), obj.docstring.value)
            obj.docstring.value = said_for_each(text)


def said_for_each(text: str) -> str:
    """``a, b: the same`` in a section becomes ``a: the same`` and ``b: the same``."""
    lines = text.split("\n")
    told: list[str] = []
    while lines:
        line = lines.pop(0)
        several = _SEVERAL.match(line)
        if several is None:
            told.append(line)
            continue
        further = []
        while lines and lines[0].startswith(several["indent"] + " "):
            further.append(lines.pop(0))
        for name in several["names"].split(", "):
            told += [f"{several['indent']}{name}: {line[several.end() :]}", *further]
    return "\n".join(told)


def _link(name: str, obj: griffe.Object) -> str:
    """A link where the name is documented under the name that is said, else code."""
    said = homes()
    last = name.rpartition(".")[2]
    paths = [path for path in said if path == name or path.rpartition(".")[2] == last]
    if paths:
        return f"[`{last}`][{said[paths[0]]}]"
    owner = obj if obj.is_class else obj.parent
    if owner is not None and owner.is_class and name in owner.members:
        known = [path for path in said if path.rpartition(".")[2] == owner.name]
        if known:
            return f"[`{name}`][{said[known[0]]}.{name}]"
    return f"`{name}`"
