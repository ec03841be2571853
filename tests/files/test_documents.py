"""Files are written whole or not at all; what is no file is written to, never replaced."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

import pytest

from slicewright.files.documents import write_atomically
from tests.waiting import PATIENCE_S


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_atomically(pipe, "words")
    reader.join(timeout=PATIENCE_S)
    assert read == [b"words"]
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no such device")
def test_a_full_device_is_said_and_survives() -> None:
    with pytest.raises(OSError, match="No space left"):
        write_atomically("/dev/full", "words")
    assert Path("/dev/full").is_char_device()


def test_a_folder_in_which_nobody_may_write_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> tuple[int, str]:
        raise PermissionError(13, "Permission denied", str(tmp_path / ".plan.json.x1"))

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    with pytest.raises(PermissionError) as refused:
        write_atomically(tmp_path / "plan.json", "words")
    assert refused.value.filename == str(tmp_path / "plan.json")
