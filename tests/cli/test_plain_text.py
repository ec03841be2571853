"""Every command speaks under the C locale: signs that ASCII lacks become plain letters, names stay readable."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import slicewright as sw

PLAIN = {
    "LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "PYTHONCOERCECLOCALE": "0",
}  # fmt: skip
EVERY_HELP = """
import sys
import click, typer
from slicewright.cli import main as cli
from slicewright.cli.plain_text import speak_plainly_where_needed

speak_plainly_where_needed()

def visit(command, words):
    asked.append(words)
    if hasattr(command, "list_commands"):
        context = click.Context(command)
        context.meta[cli._RUNS] = True
        for name in command.list_commands(context):
            visit(command.get_command(context, name), [*words, name])

asked = []
visit(typer.main.get_command(cli.app), [])
for words in asked:
    try:
        cli.app([*words, "--help"])
    except SystemExit as done:
        assert done.code == 0, words
print(len(asked), file=sys.stderr)
"""


def plainly(*command: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, *command], cwd=cwd, env={**os.environ, **PLAIN}, capture_output=True, timeout=300, check=False
    )  # fmt: skip


def test_every_help_is_plain(tmp_path: Path) -> None:
    done = plainly("-c", EVERY_HELP, cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    assert int(done.stderr) > 30
    assert done.stdout.isascii()


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "s.yaml", "--rounds", "5", "--map", "m.html"),
        ("scenario", "show", "s.yaml"),
        ("export", "s.yaml", "--to", "k8s", "--out", "e"),
    ],
)
def test_commands_are_plain_and_names_readable(tmp_path: Path, words: tuple[str, ...]) -> None:
    scenario = sw.preset("paper-slicing", devices=4, seed=1)
    names = tuple(f"Zürich ×{j} 東京" for j in range(scenario.n_nodes))
    access_points = tuple(f"Łódź…{a}" for a in range(scenario.n_access_points))
    sw.save_scenario(scenario.with_(nodes=names, access_points=access_points), tmp_path / "s.yaml")
    done = plainly("-m", "slicewright", *words, cwd=tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said.decode(errors="replace")
    assert said.isascii()
    assert b"?" not in said.replace(b"?]", b"")


def test_an_error_about_a_file_with_any_name_is_one_sentence(tmp_path: Path) -> None:
    name = "küche→.yaml"
    done = plainly("-m", "slicewright", "plan", name, cwd=tmp_path)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert os.fsencode(name) in done.stderr  # its bytes, as they were given
