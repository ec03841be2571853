"""Equations as MathML, which browsers draw themselves: no script, no font, nothing fetched."""

from __future__ import annotations

import html
import re

from latex2mathml.converter import convert

_FOUND = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\(?P<open>[(\[])(?P<tex>.*?)\\[)\]]</(?P=tag)>', re.DOTALL
)


def with_equations(page: str) -> str:
    """A page of HTML with its LaTeX drawn.

    Raises:
        ValueError: an equation has a command that is not known, and would be shown as it is written.
    """
    return _FOUND.sub(_drawn, page)


def _drawn(match: re.Match[str]) -> str:
    tex = html.unescape(match["tex"]).strip()
    display = "inline" if match["open"] == "(" else "block"
    tag, drawn = match["tag"], convert(tex, display=display)
    if "\\" in drawn:
        raise ValueError(f"latex2mathml does not know a command of this equation: {tex}")
    return f'<{tag} class="equation" data-tex="{html.escape(tex)}">{drawn}</{tag}>'
