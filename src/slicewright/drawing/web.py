"""Web pages in one file that need no network: parts of this folder, the palette, and data that stays data."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from slicewright.drawing import palette
from slicewright.drawing.cells import BUSIEST, MOST_DOTS, MOST_PLACES
from slicewright.types import Document, FloatArray

MOST_LABELS = 40
"""Up to so many access points and nodes in view all get their names, above that MEC servers and the busiest."""
FEW = 12
"""Up to so many things have a bar each, of more the busiest and the mean of the others."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
_IMPORT = re.compile(r"^import .*;\n", re.MULTILINE)
_IMPORTED = re.compile(r'^import .* from "\./([\w-]+\.js)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_LIGHT = {
    "paper": palette.PAPER,
    "ink": palette.INK,
    "soft": palette.SOFT,
    "faint": "#DFE4EA",
    "page": "#F4F6F8",
    "grid": "#E9EDF1",
    "accent": "#0B62C4",
}
_DARK = {
    "paper": palette.DARK_PAPER,
    "ink": palette.DARK_INK,
    "soft": palette.DARK_SOFT,
    "faint": palette.DARK_FAINT,
    "page": "#0F1419",
    "grid": "#242D37",
    "accent": "#63A9F5",
}


def page(*, title: str, body: str, styles: Sequence[str], module: str, data: Document) -> str:
    """A whole page.

    Args:
        title: of the document; the page may say it anew.
        body: name of a part with markup.
        styles: names of parts, after the colours.
        module: name of the part with the page's script, which comes after all that it imports.
        data: what the scripts read from the element ``data``; numbers must be finite.
    """
    code = "".join((settings_script(), *map(part, modules_of(module))))
    code = _EXPORT.sub("", _IMPORT.sub("", code)).replace("</", "<\\/")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{colours_style()}{''.join(map(part, styles))}</style></head>\n"
        f'<body>\n{part(body)}<script type="application/json" id="data">{embedded(data)}</script>\n'
        f'<script type="module">\n{code}</script></body></html>\n'
    )


@cache
def modules_of(module: str) -> tuple[str, ...]:
    """A script and all that it imports, each after those that it imports itself; they share one name space."""
    order: dict[str, None] = {}
    for name in _IMPORTED.findall(part(module)):
        if name in part_names():  # others are made, by :func:`settings_script`
            order |= dict.fromkeys(modules_of(name))
    return (*order, module)


def embedded(data: Document) -> str:
    """JSON that may stand inside a script element, whatever names it holds."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def column(values: ArrayLike, kind: str = "f4") -> Document:
    """Numbers as a page reads them: ``f4``, ``i4``, ``i2``, ``i1`` or ``u2``; ``index``: as few bytes as it takes."""
    array = np.asarray(values)
    if kind == "index":
        kind = next(k for k in ("i1", "i2", "i4") if array.max(initial=0) <= np.iinfo(k).max)
    return {"type": kind, "data": base64.b64encode(array.astype(f"<{kind}").tobytes()).decode()}


def steps(values: FloatArray) -> Document:
    """Places along one axis, in two bytes each: 65535 steps from the least to the largest."""
    low, high = float(values.min(initial=np.inf)), float(values.max(initial=-np.inf))
    if not values.size or high <= low:
        return column(values)
    whole = np.round((values - low) * (65535 / (high - low)))
    return {**column(whole, "u2"), "low": low, "span": high - low}


@cache
def part_names() -> frozenset[str]:
    """Names of all parts."""
    return frozenset(_parts())


@cache
def part(name: str) -> str:
    """The text of a part."""
    return _parts()[name].read_text(encoding="utf-8")


@cache
def _parts() -> dict[str, Traversable]:
    """Files by name, whatever room of the folder they are in."""
    top = list(files("slicewright.drawing").joinpath("parts").iterdir())
    inside = [file for room in top if room.is_dir() for file in room.iterdir()]
    return {file.name: file for file in (*top, *inside) if file.is_file()}


def settings_script() -> str:
    """Colours and limits as a module of JavaScript."""
    values: Mapping[str, Any] = {
        "MOST_DOTS": MOST_DOTS,
        "MOST_PLACES": MOST_PLACES,
        "BUSIEST": BUSIEST,
        "MOST_LABELS": MOST_LABELS,
        "FEW": FEW,
    }
    limits = "".join(f"export const {name} = {value};\n" for name, value in values.items())
    return palette.palette_script() + limits


def colours_style() -> str:
    """Colours of light and dark pages as properties of CSS."""

    def block(colours: Mapping[str, str]) -> str:
        return "".join(
            f"--{name}:{value};" for name, value in {**colours, "local": palette.LOCAL_COLOUR}.items()
        )

    return (
        f":root{{color-scheme:light dark;{block(_LIGHT)}}}\n"
        f"@media (prefers-color-scheme: dark){{:root{{{block(_DARK)}}}}}\n"
    )
