"""What serve refuses to start with: one sentence, exit code 2. The sentences themselves: ``tests/cli``."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.control.support.processes import Served
from tests.waiting import PATIENCE_S


def test_what_does_not_go_together_is_refused_in_one_sentence(tmp_path: Path) -> None:
    for arguments, words in (
        (("--role", "sro"), "add --nats URL"),
        (("no-such-file.yaml",), "no file"),
        (("--method", "autoo"), "did you mean"),
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
