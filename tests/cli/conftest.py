"""The command line in this process: all that a user's does, without the second that starting one takes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pytest

from slicewright.cli.main import run


class Ran(NamedTuple):
    """What a command ended with and said, by the names of :class:`subprocess.CompletedProcess`."""

    returncode: int
    stdout: str
    stderr: str


Slicewright: TypeAlias = Callable[..., Ran]


@pytest.fixture
def slicewright(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Slicewright:
    """``slicewright(*words, cwd=folder)`` runs a command."""

    def call(*words: object, cwd: Path) -> Ran:
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["slicewright", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            run()
        return Ran(int(ended.value.code or 0), *capsys.readouterr())

    return call
