"""What serve refuses to start with."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.control.support.processes import PATIENCE_S, Served


def test_what_does_not_go_together_is_refused_in_one_sentence(tmp_path: Path) -> None:
    for arguments, words in (
        (("--host", "0.0.0.0"), "--tokens"),
        (("--role", "sro"), "--nats"),
        (("--role", "boss"), "must be one of"),
        (("--role", "slice-manager", "--nats", "nats://127.0.0.1:1"), "--slice"),
        (("no-such-file.yaml",), "no file"),
        (("--method", "autoo"), "did you mean"),
        (("--shares", "deepset-s"), "did you mean"),
        (("--store-segment", "1MB"), "add --store FILE"),
        (("--store", str(tmp_path / "j.db"), "--store-segment", "large"), "such as 256MB"),
        (
            ("--role", "sro", "--nats", "nats://127.0.0.1:1", "--shares", "deepsets-s"),
            "is for slice managers",
        ),
    ):
        one = Served(arguments, tmp_path / "log", flags=())
        one.start()
        assert one.process is not None
        try:
            assert one.process.wait(PATIENCE_S) == 2, arguments
        except subprocess.TimeoutExpired:
            one.kill()
            raise
        finally:
            text = (tmp_path / "log").read_text()
        assert words in text, (arguments, text)
        os.truncate(tmp_path / "log", 0)
