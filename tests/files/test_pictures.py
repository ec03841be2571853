"""What is written on a picture can be read: names as they are, numbers of logarithmic axes as numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slicewright.files.pictures import write_picture


def _numbers(axes: Axes) -> list[str]:
    labels = [*axes.get_xticklabels(), *axes.get_xticklabels(minor=True), *axes.get_yticklabels()]
    return [label.get_text() for label in labels]


@pytest.mark.parametrize("ends", [(1e-3, 100.0), (0.3, 0.8), (2.0, 30.0)])
def test_numbers_of_logarithmic_axes_are_numbers(tmp_path: Path, ends: tuple[float, float]) -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.plot(ends, ends)
    axes.set(xscale="log", yscale="log", xlim=ends)
    write_picture(figure, tmp_path / "log.svg")
    told = [text for text in _numbers(axes) if text]
    assert sum(ends[0] <= float(text) <= ends[1] for text in told) >= 2


def test_names_with_signs_of_formulas_stay_as_they_are(tmp_path: Path) -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.set_title("$a_1$ and $b")
    axes.set_xscale("log")
    axes.set_xticks([1.0, 10.0], ["$x$", "y_2"])
    write_picture(figure, tmp_path / "names.svg")
    assert not axes.title.get_parse_math()
    assert [text.get_text() for text in axes.get_xticklabels()] == ["$x$", "y_2"]
