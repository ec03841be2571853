"""A command line that cannot be read, as one sentence: which option or argument, what was typed, and what to type."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any, cast

import typer

from slicewright.cli.examples import EXAMPLES
from slicewright.errors import InvalidOptionError, SlicewrightError, UnknownNameError

UsageError = cast(type[Exception], typer.BadParameter.__mro__[1])
"""What the parser raises: Typer's own, or Click's with older versions of Typer, which had none of their own."""
_NO_COMMAND = re.compile(r"No such command '(.*?)'")
_TOO_MANY = re.compile(r"unexpected extra arguments?(?:\(s\))? \((.*)\)")


def in_one_sentence(error: Any, words: Sequence[str]) -> SlicewrightError | None:
    """What is wrong with a command line, as the library would say it.

    Args:
        error: a :data:`UsageError`.
        words: of the command line, without the programme's name.

    Returns:
        None where a group of commands was called without one: the answer to that is its help.
    """
    kind, context = type(error).__name__, error.ctx
    if kind == "NoArgsIsHelpError":
        return None
    if kind == "BadOptionUsage":
        needs = "needs a value" if "requires" in error.message else "takes no value: it is there or not"
        return SlicewrightError(f"{error.option_name} {needs}")
    if context is None:
        return SlicewrightError(error.format_message())
    path, command = context.command_path, context.command
    if kind == "NoSuchOption":
        return SlicewrightError(
            f"{path} has no option {error.option_name!r}; {_near(error.option_name, command, path)}"
        )
    if kind == "MissingParameter":
        example = EXAMPLES.get(path.partition(" ")[2], (f"{path} --help",))[0]
        return SlicewrightError(
            f"{_called(error.param)} is missing{_meaning(error.param)}; for example {example}"
        )
    if kind == "BadParameter" and error.param is not None:
        return _bad_value(error, words)
    if unknown := _NO_COMMAND.search(error.message):
        group = path.partition(" ")[2]
        known = [f"{group} {name}" for name, each in command.commands.items() if not each.hidden]
        return UnknownNameError("command", f"{group} {unknown[1]}", known)
    if surplus := _TOO_MANY.search(error.message):
        takes = [each.metavar or each.name for each in command.params if not _names(each)]
        shown = " ".join(takes) + " and options" if takes else "options only"
        return SlicewrightError(f"{path} takes {shown}, but not {surplus[1]!r}; see {path} --help")
    return SlicewrightError(f"{path}: {error.format_message()}")


def _names(parameter: Any) -> list[str]:
    """Of an option, as they are typed; an argument has none."""
    return [] if parameter.param_type_name == "argument" else [*parameter.opts, *parameter.secondary_opts]


def _called(parameter: Any) -> str:
    """The long name of an option; an argument by what it stands for."""
    names = sorted(_names(parameter), key=lambda name: not name.startswith("--"))
    return str(names[0] if names else parameter.metavar or parameter.name.upper())


def _meaning(parameter: Any) -> str:
    text = " ".join((getattr(parameter, "help", None) or "").replace("`", "").split()).rstrip(".")
    return f" ({text})" if text else ""


def _near(name: str, command: Any, path: str) -> str:
    shown = [each for each in command.params if not getattr(each, "hidden", False)]
    known = [word for each in shown for word in _names(each) if word.startswith("--")]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"see {path} --help"


def _bad_value(error: Any, words: Sequence[str]) -> SlicewrightError:
    parameter = error.param
    called, typed = _called(parameter), _typed(parameter, words)
    whole = _is_whole(parameter)
    if whole is None:
        return InvalidOptionError(called, error.message, value=typed)
    limited = getattr(parameter, "type", parameter)  # Click's types have the limits, Typer's own parameters
    least, most = (getattr(limited, name, None) for name in ("min", "max"))
    rule = "must be a whole number" if whole else "must be a number"
    if least is not None and most is not None:
        rule += f" from {least:g} to {most:g}"
    elif least is not None:
        rule += f" of at least {least:g}"
    return InvalidOptionError(called, rule, value=typed)


def _is_whole(parameter: Any) -> bool | None:
    """Whether an option takes whole numbers, or any; None where it takes no numbers."""
    annotation = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    name = getattr(getattr(parameter, "type", None), "name", "")
    if annotation is int or name.startswith("integer"):
        return True
    return False if annotation is float or name.startswith("float") else None


def _typed(parameter: Any, words: Sequence[str]) -> str | None:
    """What was given to an option; None where that cannot be told."""
    found = None
    for word, after in zip(words, [*words[1:], None], strict=True):
        name, equals, value = word.partition("=")
        if name in _names(parameter):
            found = value if equals else after
    return found
