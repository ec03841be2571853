"""The colours of every picture and page. A slice has one colour, on white paper and on a dark screen alike.

Slice colours lie in the narrow band of lightness that stands out by at least 3 : 1 (WCAG 2.2, 1.4.11) from both
:data:`PAPER` and :data:`DARK_PAPER`; within it they were chosen greedily for the largest difference in OKLab as seen
with normal vision, without long, middle or short wave cones (Machado et al. 2009), beginning with Okabe and Ito's blue.
"""

from __future__ import annotations

import json

SLICE_COLOURS = ("#0072B2", "#C07F00", "#14A096", "#995533", "#9980FF", "#802AFF", "#FF4C80", "#B23380")
SLICE_MARKERS = ("o", "D", "P")
SLICE_HATCHES = ("", "//////", "......")
"""A plan with more slices than colours goes through the colours again with the next shape and hatch."""
SERIES_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442")
"""Okabe and Ito's, for lines on white that are not slices: methods, models, kinds of queue."""
LOCAL_COLOUR = "#7B8794"
"""Devices that compute for themselves."""
INK, DARK_INK = "#222222", "#E6EBF0"
SOFT, DARK_SOFT = "#5F5F5F", "#9DABBA"
FAINT, DARK_FAINT = "#C9C9C9", "#2E3945"
PAPER, DARK_PAPER = "#FFFFFF", "#161C24"
BOUND_COLOUR = "#D55E00"
COST_COLOURS = {"radio": "#5F6B78", "nodes": "#98A3AF", "devices": "#CDD3D9"}


def slice_colour(n: int) -> str:
    """Colour of slice n."""
    return SLICE_COLOURS[n % len(SLICE_COLOURS)]


def slice_marker(n: int) -> str:
    """Marker of slice n's devices."""
    return SLICE_MARKERS[n // len(SLICE_COLOURS) % len(SLICE_MARKERS)]


def slice_hatch(n: int) -> str:
    """Hatch of slice n's bars."""
    return SLICE_HATCHES[n // len(SLICE_COLOURS) % len(SLICE_HATCHES)]


def palette_script() -> str:
    """The colours as a module of JavaScript, for pages."""
    return (
        f"export const SLICE_COLOURS = {json.dumps(SLICE_COLOURS)};\n"
        f"export const LOCAL_COLOUR = {json.dumps(LOCAL_COLOUR)};\n"
        f"export const BOUND_COLOUR = {json.dumps(BOUND_COLOUR)};\n"
    )


def contrast(one: str, other: str) -> float:
    """Contrast of two colours given as ``#rrggbb``, 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance of a colour given as ``#rrggbb``, 0 to 1 (WCAG 2.2)."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
