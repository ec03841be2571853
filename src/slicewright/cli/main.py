"""``slicewright``: finds the sub-command, and turns errors into one sentence and an exit code.

Exit codes: 0 done, 1 judged and failed, 2 bad input, 130 interrupted, 141 nobody reads what is printed.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import warnings
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple, NoReturn, TextIO, cast

import typer
from typer.core import TyperCommand, TyperGroup

from slicewright.cli.examples import examples_of
from slicewright.cli.old_names import taking_old_names
from slicewright.errors import SlicewrightError, UnknownNameError
from slicewright.version import __version__


class Command(NamedTuple):
    """A sub-command as the overview lists it.

    Attributes:
        room: of ``commands`` in which its module is: a function of the command's name, or for a group a Typer
            application ``app``.
        line: what it is for.
    """

    room: str
    line: str

    def module(self, name: str) -> ModuleType:
        """The module of the command of this name; imported when first asked for."""
        return import_module(f"slicewright.cli.commands.{self.room}.{name}")


COMMANDS: dict[str, Command] = {
    "demo": Command("planning", "The whole story on a shipped scenario, in seconds."),
    "plan": Command("planning", "Plan a scenario: decisions, shares, cost and a proven bound."),
    "compare": Command("planning", "Methods side by side: cost, gap, time, residuals."),
    "check": Command("planning", "Judge a scenario, or a plan against its scenario."),
    "scenario": Command("planning", "Make, import and show scenarios."),
    "place": Command("planning", "Place divisible tasks on in-network nodes."),
    "labels": Command("learning", "Build, validate and describe stores of solved instances."),
    "export": Command("operating", "A plan as configuration of radios and clusters."),
    "testbed": Command("operating", "Carry a plan out on this machine and measure its tasks."),
    "enforce": Command("operating", "Keep this machine's radio and CPU limits as a plan wants them."),
    "sdn": Command("operating", "Placement as an OpenFlow controller application."),
    "train": Command("learning", "Train models."),
    "reproduce": Command("learning", "Tables and figures of the publications, and what holds."),
    "serve": Command("operating", "The control plane: HTTP API, decision log, dashboard."),
    "simulate": Command("planning", "A network over time: tasks queue, devices move, plans follow."),
    "queues": Command("planning", "Measured queues against the formulas of the model."),
    "journal": Command("operating", "Back up and restore the journal of the control plane."),
    "doctor": Command("operating", "What works on this machine, and how to mend the rest."),
    "replay": Command("operating", "Recompute the decisions of a log and find any difference."),
}
"""In the order in which they are listed."""

_RUNS = "slicewright.runs"
UNREAD = 141
"""What shells say of a process that a closed pipe ended."""


class LazyGroup(TyperGroup):
    """Imports a sub-command's module when it is called, so that ``--help`` stays fast."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order in which they are listed."""
        return list(COMMANDS)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Called only to run a sub-command, never for the overview.

        Raises:
            UnknownNameError: there is no such command; names the nearest.
        """
        if args and not ctx.resilient_parsing and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise UnknownNameError("command", args[0], list(COMMANDS))
        ctx.meta[_RUNS] = True
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The named command: a stand-in with its one line for the overview, the real one when it runs."""
        if cmd_name not in COMMANDS:
            return None
        if not ctx.meta.get(_RUNS):
            line = COMMANDS[cmd_name].line
            return TyperCommand(cmd_name, help=line, short_help=line)
        module = COMMANDS[cmd_name].module(cmd_name)
        group = getattr(module, "app", None)
        if group is None:
            group = typer.Typer(add_completion=False, rich_markup_mode="markdown")
            group.command(name=cmd_name, context_settings=taking_old_names(cmd_name))(
                getattr(module, cmd_name)
            )
        command = typer.main.get_command(group)
        command.name = cmd_name
        _show_examples(command, cmd_name)
        return command


def command(name: str) -> Any:
    """The named command as it runs: with its options, its old names and its examples.

    Raises:
        KeyError: there is none.
    """
    group = cast(Any, typer.main.get_command(app))
    context = group.make_context("slicewright", [name])
    return group.resolve_command(context, [name])[1]


def _show_examples(command: Any, path: str) -> None:
    """Below the help of a command and of each of its own."""
    command.epilog = examples_of(path)
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            _show_examples(inner, f"{path} {name}")


app = typer.Typer(cls=LazyGroup, no_args_is_help=True, rich_markup_mode="markdown")


@app.callback(invoke_without_command=True)
def main(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
    verbose: bool = typer.Option(False, "--verbose", "-v", help="Log what happens, and show tracebacks."),
) -> None:
    """Decides, for every device of an edge network, where its task runs and what share of radio and compute it gets.

    Every plan comes with its cost, the residual of every constraint and a proven bound on its distance from the
    optimum. Start with `slicewright demo`, or `slicewright plan paper-slicing`.
    """
    if version:
        typer.echo(f"slicewright {__version__}")
        raise typer.Exit
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(message)s", stream=sys.stderr
    )
    if not verbose:  # where it keeps its fonts is its own business
        logging.getLogger("matplotlib").setLevel(logging.ERROR)


def run() -> None:
    """Entry point: errors that the library raises on purpose become one sentence on stderr."""
    from slicewright.cli.interruption import Interruption
    from slicewright.cli.options import in_words_of
    from slicewright.cli.plain_text import speak_plainly_where_needed
    from slicewright.cli.usage import UsageError, in_one_sentence
    from slicewright.errors import InvalidOptionError

    _open_missing_streams()
    speak_plainly_where_needed()
    verbose = any(flag in sys.argv[1:2] for flag in ("-v", "--verbose"))
    if not (sys.warnoptions or verbose):
        warnings.simplefilter("ignore")  # those of libraries are about our code, not about what the user gave
    interruption = Interruption()
    try:
        with interruption:
            code = app(prog_name="slicewright", standalone_mode=False)  # a command's exit code, or None
            sys.stdout.flush()  # now, while it can still be told that nobody reads or that the disk is full
            sys.exit(code)
    except UsageError as error:
        _complain_of_usage(error, in_one_sentence(error, sys.argv[1:]))
    except InvalidOptionError as error:
        _complain(error, verbose, str(in_words_of(sys.argv[1:], error)))
    except SlicewrightError as error:
        _complain(error, verbose)
    except FileNotFoundError as error:
        what = "folder" if error.strerror == "no such folder" else "file"
        _complain(error, verbose, f"there is no {what} {error.filename}" if error.filename else None)
    except BrokenPipeError:  # who reads has read enough
        _end_unread()
    except (
        SystemExit
    ) as end:  # of click and rich then, with the code that stands for "judged and failed" here
        if isinstance(end.__context__, BrokenPipeError):
            _end_unread()
        raise
    except OSError as error:  # no right to it, a folder, a name too long, a full disk
        _complain(error, verbose, _about_file(error))
    except UnicodeEncodeError as error:
        told = f"{error.object[error.start : error.end]!r} cannot be written in {error.encoding}"
        _complain(error, verbose, f"{told}; set PYTHONUTF8=1")
    except MemoryError as error:
        _complain(error, verbose, "there is not enough memory for this; make it smaller")
    except KeyboardInterrupt:
        interruption.end()


_NO_SPACE = {
    errno.ENOSPC: "there is no space left on the disk",
    errno.EDQUOT: "your share of the disk is used up",
    errno.EFBIG: "files may not become so large here",
}
_WRONG_KIND = {
    errno.EISDIR: "is a folder, not a file; name a file in it",
    errno.ENOTDIR: "cannot be there: part of its path is a file, not a folder; name another place",
    errno.EEXIST: "is there already, and is no folder; name another one",
}


def _open_missing_streams() -> None:
    """Streams that were closed by who started us swallow what is written to them."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123  # until the process ends


def _about_file(error: OSError) -> str | None:
    if error.errno in _NO_SPACE:
        what = f"{error.filename} cannot be written: " if error.filename else ""
        return f"{what}{_NO_SPACE[error.errno]}; nothing was written over"
    if error.errno in _WRONG_KIND and error.filename:
        return f"{error.filename} {_WRONG_KIND[error.errno]}"
    return f"{error.filename}: {error.strerror}" if error.filename and error.strerror else None


def _end_unread() -> NoReturn:
    _silence(sys.stdout)
    sys.exit(UNREAD)


def _silence(stream: TextIO) -> None:
    """Let nothing be written again to a stream that nobody reads any more: it would fail when the process ends."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        return


def _complain_of_usage(error: Any, told: SlicewrightError | None) -> None:
    if told is not None:  # never with a traceback, which would be the parser's
        _complain(error, False, str(told))
    error.show()
    sys.exit(2)


def _complain(error: Exception, verbose: bool, message: str | None = None) -> None:
    if verbose:
        raise error
    sys.stderr.write(
        f"slicewright: {message or error}\n"
    )  # not by click, which drops bytes of names it cannot read
    sys.exit(2)
