"""Examples in ``--help`` are command lines that exist, and shells complete commands."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import typer

from slicewright.cli.examples import EXAMPLES
from slicewright.cli.main import COMMANDS, app, command
from slicewright.errors import UnknownNameError


def test_every_command_that_does_something_has_examples() -> None:
    waiting = [(name, command(name)) for name in COMMANDS]
    done = {"scenario import"}
    while waiting:
        path, found = waiting.pop()
        inner = getattr(found, "commands", None)
        if inner is None:
            done.add(path)
            assert all(f"`{line}`" in found.epilog for line in EXAMPLES[path]), path
        else:
            assert "slicewright" in found.epilog
            waiting += [(f"{path} {name}", one) for name, one in inner.items() if not one.hidden]
    assert done == set(EXAMPLES)


@pytest.mark.parametrize("line", [line for lines in EXAMPLES.values() for line in lines])
def test_examples_can_be_parsed(line: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mine.yaml", "plan.json", "campus.graphml", "tasks.yaml", "journal.db"):
        (tmp_path / name).touch()
    (tmp_path / "night").mkdir()
    name, *rest = shlex.split(line)[1:]
    root: Any = typer.main.get_command(app)
    context = root.make_context("slicewright", [name, *rest])
    found, asked, left = root.resolve_command(context, [name, *rest])
    assert found == name
    if left == ["import", "--list"]:
        return  # prints and ends while it is read
    while hasattr(asked, "commands"):
        inner = asked.make_context(found, left)
        found, asked, left = asked.resolve_command(inner, left)
    asked.make_context(found, left)


ASKED = {
    "bash": lambda words: {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)},
    "zsh": lambda words: {"_TYPER_COMPLETE_ARGS": words},
    "fish": lambda words: {"_TYPER_COMPLETE_ARGS": words, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
}
"""How shells ask, by the scripts that ``--show-completion`` prints for them."""


@pytest.mark.parametrize("shell", ASKED)
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("slicewright pl", ["plan", "place"]),
        ("slicewright scenario import to", ["topohub"]),
        ("slicewright plan --bu", ["--budget"]),
        ("slicewright labels build --dev", []),
    ],
)
def test_shells_complete_commands_and_options(
    shell: str,
    words: str,
    found: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Old names of options are taken, and not offered."""
    for name, value in {"_SLICEWRIGHT_COMPLETE": f"complete_{shell}", **ASKED[shell](words)}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        app(prog_name="slicewright")
    told = capsys.readouterr().out
    offered = re.findall(r'"([^":]+)":"', told) if shell == "zsh" else re.findall(r"^([^\t\n]+)", told, re.M)
    assert offered == found


def test_a_command_that_is_not_there_names_the_nearest() -> None:
    root: Any = typer.main.get_command(app)
    with pytest.raises(UnknownNameError, match="did you mean 'plan'"):
        root.main(["paln"], standalone_mode=False)
