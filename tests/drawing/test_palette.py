"""One palette: it stands out on paper and screen, is told apart by everybody, and no picture has another."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import slicewright
from slicewright.drawing import palette

SOURCE = Path(slicewright.__file__).parent
# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear sRGB.
VISION = {
    "normal": np.eye(3),
    "without long-wave cones": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "without middle-wave cones": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "without short-wave cones": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


@pytest.mark.parametrize("paper", [palette.PAPER, palette.DARK_PAPER])
def test_slices_stand_out_on_paper_and_on_a_dark_screen(paper: str) -> None:
    for colour in (*palette.SLICE_COLOURS, palette.LOCAL_COLOUR):
        assert palette.contrast(colour, paper) >= 3.0, colour


def test_text_is_readable_on_paper_and_on_a_dark_screen() -> None:
    for ink in (palette.INK, palette.SOFT):
        assert palette.contrast(ink, palette.PAPER) >= 4.5
    for ink in (palette.DARK_INK, palette.DARK_SOFT):
        assert palette.contrast(ink, palette.DARK_PAPER) >= 4.5
    assert palette.contrast("#000000", "#FFFFFF") == pytest.approx(21.0)


@pytest.mark.parametrize("vision", VISION)
def test_slices_are_told_apart_with_any_vision(vision: str) -> None:
    seen = [oklab(colour, VISION[vision]) for colour in palette.SLICE_COLOURS]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen[:3], 2)) > 0.09
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 0.06


def oklab(colour: str, vision: Any) -> Any:
    """OKLab of a colour as seen; a difference of 0.02 is about the smallest that is noticed."""
    part = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    axes = np.array(
        [
            [0.2104542553, 0.793617785, -0.0040720468],
            [1.9779984951, -2.428592205, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.808675766],
        ]
    )
    return axes @ np.cbrt(cones @ np.clip(vision @ linear, 0, 1))


def test_no_other_file_has_colours_of_its_own_for_slices() -> None:
    known = {c.lower() for c in (*palette.SLICE_COLOURS, *palette.SERIES_COLOURS)}
    for file in sorted(SOURCE.rglob("*")):
        if file.suffix not in (".py", ".js", ".css", ".html") or file.name in ALLOWED:
            continue
        used = {c.lower() for c in re.findall(r"#[0-9A-Fa-f]{6}\b", file.read_text(encoding="utf-8"))}
        assert not used & known, (
            f"{file.relative_to(SOURCE)} writes colours of the palette out: {used & known}"
        )


ALLOWED = {"palette.py", "page.py"}
"""The palette itself, and the style sheet of the reproduction's report."""
