"""Where commands run: interrupted, no space, streams that nobody reads, dumb terminals; one sentence, nothing half."""

from __future__ import annotations

import os
import pty
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import slicewright as sw
from slicewright.enforcement.export import export_plan, registry, write_export
from slicewright.files.documents import write_atomically
from tests.waiting import PATIENCE_S


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("küche [1]") / "a folder"
    where.mkdir()
    sw.save_scenario(sw.preset("paper-slicing", devices=4, seed=1), where / "s.yaml")
    return where


def slicewright(
    *words: object, cwd: Path, most_bytes: int | None = None, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        if most_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    return subprocess.run(
        [sys.executable, "-m", "slicewright", *map(str, words)], cwd=cwd, capture_output=True, text=True, timeout=300,
        check=False, preexec_fn=limit, env={**os.environ, **(environment or {})},
    )  # fmt: skip


def test_ctrl_c_while_kernels_are_compiled_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "slicewright", "plan", "s.yaml", "--json", "p.json"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "SLICEWRIGHT_CACHE": str(tmp_path), "NUMBA_CPU_NAME": "generic"},  # no ready ones
    )  # fmt: skip
    assert running.stderr is not None
    said = running.stderr.readline()  # that kernels are compiled, or will be
    running.send_signal(signal.SIGINT)
    told = running.communicate(timeout=PATIENCE_S)[1]
    assert running.returncode == 130, said + told
    assert told.strip().endswith("interrupted; files that were finished are whole")
    assert "Traceback" not in told
    assert not (folder / "p.json").exists()
    assert not list(tmp_path.rglob("announced")), "the next command has to say it again"


def test_without_space_nothing_is_left_and_the_file_is_named(folder: Path) -> None:
    for words, name in (
        (("plan", "s.yaml", "--method", "local", "--json", "d/p.json"), "d/p.json"),
        (("scenario", "new", "--size", 40, "-o", "d/s.yaml"), "d/s.yaml"),
        (("export", "s.yaml", "--method", "greedy", "--to", "rrm", "-o", "d"), "d/"),
    ):
        done = slicewright(*words, cwd=folder, most_bytes=900)
        assert done.returncode == 2, done.stderr
        assert re.search(
            rf"{name}.* cannot be written: files may not become so large here; nothing was written over",
            done.stderr,
        ), done.stderr
        assert "Traceback" not in done.stderr
        assert list((folder / "d").iterdir()) == []


def test_an_export_that_does_not_fit_is_taken_away_but_not_an_older_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = export_plan(sw.plan(sw.load_scenario(folder / "s.yaml"), method="greedy"), "rrm")
    written, whole = 0, write_atomically

    def full(path: Path, text: str) -> Path:
        nonlocal written
        written += 1
        if written > 2:
            raise OSError(28, "No space left on device", str(path))
        return whole(path, text)

    old = folder / "export"
    old.mkdir()
    kept = old / next(iter(made.files))
    kept.write_text("older")
    monkeypatch.setattr(registry, "write_atomically", full)
    with pytest.raises(OSError, match="No space left"):
        write_export(made, old)
    assert list(old.iterdir()) == [kept]


@pytest.mark.parametrize(
    "line", ["scenario show s.yaml | head -1", "scenario show s.yaml >&-", "scenario import --list | true"]
)
def test_streams_that_nobody_reads_are_no_error(folder: Path, line: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -m slicewright {line}"], cwd=folder, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.stderr == ""


@pytest.mark.parametrize("words", [["scenario", "show", "s.yaml"], ["--version"]])
def test_a_pipe_that_was_closed_is_no_verdict(folder: Path, words: Sequence[str]) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run(
        [sys.executable, "-m", "slicewright", *words], cwd=folder, stdout=writes, stderr=subprocess.PIPE, timeout=300,
        check=False,
    )  # fmt: skip
    os.close(writes)
    assert (done.returncode, done.stderr) == (141, b"")


def test_without_a_home_every_command_that_needs_none_works(folder: Path) -> None:
    environment = {"HOME": "/dev/null", "XDG_CACHE_HOME": "", "SLICEWRIGHT_CACHE": "", "MPLCONFIGDIR": ""}
    done = slicewright("scenario", "show", "s.yaml", cwd=folder, environment=environment)
    assert (done.returncode, done.stderr) == (0, "")


def on_terminal(words: Sequence[str], folder: Path, **environment: str) -> bytes:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "slicewright", *words], cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs,
        env={**os.environ, **environment},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.wait(PATIENCE_S) == 0, shown.decode()
    return shown


def test_terminals_get_what_they_can_show(folder: Path) -> None:
    plain = on_terminal(["scenario", "show", "s.yaml"], folder, TERM="dumb")
    assert b"\x1b" not in plain
    colourless = on_terminal(["check", "s.yaml"], folder, TERM="xterm", NO_COLOR="1")
    assert not re.search(rb"\x1b\[[0-9;]*3[0-7]m", colourless)
    narrow = on_terminal(
        ["compare", "s.yaml", "--methods", "local,greedy"], folder, TERM="xterm", COLUMNS="40"
    )
    lines = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", narrow).decode().replace("\r", "\n").split("\n")
    assert max(map(len, lines)) <= 40
