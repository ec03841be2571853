"""Colours and sizes of all maps. Colours are Okabe and Ito's, told apart by colour-blind people too."""

from __future__ import annotations

SLICE_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442")
SLICE_MARKERS = ("o", "D", "P")
SLICE_HATCHES = ("", "//////", "......")
"""A plan with more slices than colours goes through the colours again with the next shape and hatch."""
INK = "#222222"
SOFT = "#5F5F5F"
FAINT = "#C9C9C9"
PAPER = "#FFFFFF"
BOUND_COLOUR = "#D55E00"
COST_COLOURS = {"radio": "#4A4A4A", "nodes": "#8F8F8F", "devices": "#CFCFCF"}


def slice_colour(n: int) -> str:
    """Colour of slice n."""
    return SLICE_COLOURS[n % len(SLICE_COLOURS)]


def slice_marker(n: int) -> str:
    """Marker of slice n's devices."""
    return SLICE_MARKERS[n // len(SLICE_COLOURS) % len(SLICE_MARKERS)]


def slice_hatch(n: int) -> str:
    """Hatch of slice n's bars."""
    return SLICE_HATCHES[n // len(SLICE_COLOURS) % len(SLICE_HATCHES)]


def shortened(name: str, most: int) -> str:
    """A name of at most so many letters."""
    return name if len(name) <= most else name[: most - 1] + "…"
