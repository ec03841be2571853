"""What several sub-commands parse and print in the same way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeVar

import typer

from slicewright.errors import InvalidOptionError, MissingExtraError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_UNITS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}
PIPE_WIDTH = 100
Word = TypeVar("Word", bound=str)
_DURATION = re.compile(r"\s*([0-9]*\.?[0-9]+(?:e-?[0-9]+)?)\s*([a-zµ]*)\s*", re.IGNORECASE)


def duration_s(text: str, option: str = "--budget", *, positive: bool = False) -> float:
    """Seconds from ``5ms``, ``0.1s``, ``200us`` or a plain number of seconds.

    Args:
        text: what was given.
        option: for the message.
        positive: refuse no time at all.

    Raises:
        InvalidOptionError: not a duration, or none where there has to be one.
    """
    match = _DURATION.fullmatch(text)
    if match is None or match.group(2) not in _UNITS:
        raise InvalidOptionError(option, "must be a duration such as 5ms, 0.1s or 200us", value=text)
    seconds = float(match.group(1)) * _UNITS[match.group(2)]
    if positive and not seconds > 0.0:
        raise InvalidOptionError(option, "must be longer than no time at all", value=text)
    return seconds


def choice(text: str, known: Sequence[Word], option: str) -> Word:
    """One of the words that an option knows.

    Raises:
        InvalidOptionError: another one.
    """
    for word in known:
        if word == text:
            return word
    raise InvalidOptionError(option, f"must be one of {', '.join(known)}", value=text)


def in_words_of(words: Sequence[str], error: InvalidOptionError) -> InvalidOptionError:
    """An error of the library in the words of the command line: ``core_hz`` is ``--core-hz`` where that was typed.

    Args:
        words: of the command line.
        error: names a parameter of a function, or an option already.
    """
    typed = {word.partition("=")[0] for word in words if word.startswith("--")}
    name = error.field.replace("_", "-")
    without_unit = name.rpartition("-")[0] or name  # budget_s is what --budget says in seconds
    for option in (f"--{name}", f"--{without_unit}"):
        if option in typed and not error.index:
            return InvalidOptionError(option, error.rule, value=error.value, fix=error.fix)
    return error


def listed(text: str | None, option: str = "") -> list[str]:
    """Words separated by commas; none without a text.

    Args:
        text: what was given to the option; None where it was not.
        option: its name.

    Raises:
        InvalidOptionError: a text without any word.
    """
    words = [word.strip() for word in (text or "").split(",") if word.strip()]
    if text is not None and not words:
        raise InvalidOptionError(
            option, "must be names separated by commas", value=text, fix="or leave it out"
        )
    return words


def require_extra(purpose: str, extra: str, *modules: str) -> None:
    """Raise unless the modules of an extra are installed; nothing is imported.

    Raises:
        MissingExtraError: one is not.
    """
    if any(find_spec(module) is None for module in modules):
        raise MissingExtraError(purpose, extra)


def command_group(line: str) -> typer.Typer:
    """A command that has sub-commands."""
    return typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown", help=line)


def show_duration(seconds: float) -> str:
    """A duration as people read it."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def show_percent(ratio: float) -> str:
    """A ratio as a percentage with at least two decimals' worth of digits."""
    percent = 100 * ratio
    if abs(percent) >= 1000:
        return "> 1000 %"
    return f"{percent:.3g} %" if abs(percent) < 0.1 and percent else f"{percent:.2f} %"


def shown_name(name: str, most: int = 20) -> str:
    """A name as a table can show it: no markup, no control characters, and cut where it would push others out."""
    from rich.markup import escape

    visible = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)
    return escape(visible if len(visible) <= most else visible[: most - 1] + "…")


def output() -> Console:
    """Results go to stdout; files and pipes get a fixed width, terminals their own."""
    import sys

    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def progress_output() -> Console:
    """Progress and remarks go to stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def new_table(*columns: str, title: str | None = None, left: int = 1) -> Table:
    """A light table that fits 80 columns; all but the first ``left`` columns are aligned to the right."""
    from rich import box
    from rich.table import Table

    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
        collapse_padding=True,
    )
    for k, name in enumerate(columns):
        table.add_column(name, justify="left" if k < left else "right", no_wrap=True)
    return table
