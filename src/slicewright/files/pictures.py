"""Pictures on disk: in a format that can be drawn, replaced in one step, the same bytes for the same picture."""

from __future__ import annotations

import io
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from slicewright.errors import InvalidOptionError
from slicewright.files.documents import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDINGS = (".png", ".pdf", ".svg")
_STAMPS = {".png": "Software", ".pdf": "CreationDate", ".svg": "Date"}
"""What matplotlib writes into each format that has nothing to do with the picture."""


def picture_file(path: str | Path, *, field: str = "picture", endings: Collection[str] = ENDINGS) -> Path:
    """The file of a picture, whose ending chooses the format. Called before the work that is to be drawn.

    Raises:
        InvalidOptionError: the ending is none of those; names ``field``.
    """
    file = Path(path)
    if file.suffix.lower() not in endings:
        raise InvalidOptionError(field, f"must end in one of {', '.join(endings)}", value=file.name)
    return file


def write_picture(figure: Figure, path: str | Path, *, dpi: float = 150) -> Path:
    """Write a figure; its own face colour is kept.

    Raises:
        InvalidOptionError: the ending is none of ``ENDINGS``.
    """
    import matplotlib
    from matplotlib.text import Text

    file = picture_file(path)
    kind = file.suffix.lower()
    stream = io.BytesIO()
    for axes in figure.axes:
        _write_powers_plainly(axes)
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # names may hold $
    with matplotlib.rc_context({"svg.hashsalt": "slicewright"}), warnings.catch_warnings():
        # Letters that the font lacks are drawn as boxes; the names are in the file of the scenario.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
        figure.savefig(
            stream, format=kind[1:], dpi=dpi, facecolor=figure.get_facecolor(), metadata={_STAMPS[kind]: None}
        )
    return write_atomically(file, stream.getvalue())


def _write_powers_plainly(axes: Axes) -> None:
    """Numbers of logarithmic axes as 0.01 and 100: matplotlib's own are formulas, and no text is read as one here."""
    from matplotlib.ticker import FuncFormatter, LogFormatterMathtext, NullFormatter

    for axis in (axes.xaxis, axes.yaxis):
        if not isinstance(axis.get_major_formatter(), LogFormatterMathtext):
            continue
        axis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:g}"))
        low, high = sorted(axis.get_view_interval())
        if high > 10 * low:  # powers of ten alone are enough then
            axis.set_minor_formatter(NullFormatter())
        else:
            axis.set_minor_formatter(FuncFormatter(lambda number, _: f"{number:g}"))
