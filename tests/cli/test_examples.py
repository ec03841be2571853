"""Examples in ``--help`` are command lines that exist, one option has one name, and shells complete commands."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import Any

import pytest
import typer

from slicewright.cli.examples import EXAMPLES
from slicewright.cli.main import COMMANDS, app
from slicewright.errors import UnknownNameError
from tests.shared import ROOT


def test_every_command_has_examples() -> None:
    assert set(EXAMPLES) == set(COMMANDS)


@pytest.mark.parametrize("line", [line for lines in EXAMPLES.values() for line in lines])
def test_examples_can_be_parsed(line: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mine.yaml", "plan.json", "campus.graphml", "tasks.yaml", "journal.db"):
        (tmp_path / name).touch()
    (tmp_path / "night").mkdir()
    name, *rest = shlex.split(line)[1:]
    root: Any = typer.main.get_command(app)
    context = root.make_context("slicewright", [name, *rest])
    found, command, left = root.resolve_command(context, [name, *rest])
    assert found == name
    while hasattr(command, "commands"):
        inner = command.make_context(found, left)
        found, command, left = command.resolve_command(inner, left)
    command.make_context(found, left)


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_written_goes_to_output(name: str) -> None:
    """``--out`` is the old name of ``--output``, still taken."""
    root: Any = typer.main.get_command(app)
    context = root.make_context("slicewright", [name])
    _, command, _ = root.resolve_command(context, [name])
    waiting = [command]
    while waiting:
        found = waiting.pop()
        waiting += getattr(found, "commands", {}).values()
        for option in found.params:
            assert option.opts[0] != "--out"
            if "--out" in option.opts:
                assert option.opts[0] == "--output"


def test_shells_complete_commands_and_options() -> None:
    def completed(words: str, number: int) -> list[str]:
        asked = {"_SLICEWRIGHT_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(number)}
        code = "import sys; sys.argv[0] = 'slicewright'; from slicewright.cli.main import run; run()"
        environment = {**os.environ, **asked, "PYTHONPATH": str(ROOT / "src")}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
        )
        return done.stdout.split()

    assert completed("slicewright pl", 1) == ["plan", "place"]
    assert "--budget" in completed("slicewright plan --b", 2)


def test_a_command_that_is_not_there_names_the_nearest() -> None:
    root: Any = typer.main.get_command(app)
    with pytest.raises(UnknownNameError, match="did you mean 'plan'"):
        root.main(["paln"], standalone_mode=False)
