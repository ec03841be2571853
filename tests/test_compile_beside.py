"""A second process beside the first run of a machine: its work arrives, its failures do no harm."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from slicewright import compile_beside
from slicewright.compile_beside import compiled_beside


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compile_beside, "_processors", lambda: 2)


def test_it_has_ended_when_the_block_has(tmp_path: Path) -> None:
    done = tmp_path / "done"
    with compiled_beside(f"from pathlib import Path; Path({str(done)!r}).touch()"):
        pass
    assert done.exists()


def test_it_finds_the_same_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "only_here.py").write_text(
        "from pathlib import Path\nPath(__file__).with_name('done').touch()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with compiled_beside("import only_here"):
        pass
    assert (tmp_path / "done").exists()


def test_an_interruption_ends_it() -> None:
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), compiled_beside("import time; time.sleep(600)"):
        raise KeyboardInterrupt
    assert time.monotonic() - began < 300


def test_it_may_fail(capfd: pytest.CaptureFixture[str]) -> None:
    with compiled_beside("raise SystemExit('no')"):
        pass
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("executable", ["", os.devnull])
def test_it_may_be_impossible(executable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    with compiled_beside("pass"):
        pass


def test_nothing_is_started_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = tmp_path / "done"
    program = f"from pathlib import Path; Path({str(done)!r}).touch()"
    with compiled_beside(program, wanted=False):
        pass
    monkeypatch.setattr(compile_beside, "_processors", lambda: 1)
    with compiled_beside(program):
        pass
    assert not done.exists()


def test_the_programs_run() -> None:
    """They are strings, which no type checker reads."""
    from slicewright.policies.slicing import planner

    for program in [*planner._BESIDE.values(), planner._BESIDE_FEW, planner._BESIDE_OTHERS]:
        exec(program, {})
