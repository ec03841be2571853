"""What tests start ends with them, also where they cannot clean up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.control.support.processes import ENDS_WITH_US, needs_nats
from tests.shared import ROOT
from tests.waiting import PATIENCE_S, wait_for

_PROGRAM = """
import sys
from pathlib import Path
from tests.control.support.processes import nats_server
with nats_server(Path(sys.argv[1])):
    print("stands", flush=True)
    sys.stdin.read()
"""


@needs_nats
@pytest.mark.skipif(not ENDS_WITH_US, reason="setpriv is not installed")
def test_a_nats_server_ends_with_a_test_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _PROGRAM, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as test:
        assert test.stdout is not None
        assert test.stdout.readline() == b"stands\n"
        (ports,) = tmp_path.glob("*.ports")
        server = int(ports.stem.rpartition("_")[2])
        os.kill(server, 0)
        test.send_signal(signal.SIGKILL)
        test.wait(PATIENCE_S)
    wait_for(lambda: not Path(f"/proc/{server}/cmdline").exists() or _is_gone(server), "the server's end")


def _is_gone(process: int) -> bool:
    """Ended, though nobody has asked how yet."""
    return ") Z " in Path(f"/proc/{process}/stat").read_text()
