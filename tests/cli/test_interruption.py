"""Ctrl-C where nothing can be unwound: within what C code calls back."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import ctypes, signal, time
from slicewright.cli.interruption import Interruption

calls = 0

@ctypes.CFUNCTYPE(None)
def callback():
    global calls
    calls += 1
    if calls == 1:
        signal.raise_signal(signal.SIGINT)

with Interruption():
    try:
        callback()
        print("went on", flush=True)
        time.sleep(60)
    finally:
        print("closed", flush=True)
"""


def test_an_interrupt_within_a_callback_is_not_lost() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=50, check=False
    )
    assert (done.returncode, done.stdout) == (130, "went on\nclosed\n")
    assert done.stderr == "slicewright: interrupted; files that were finished are whole\n"


def test_other_errors_that_cannot_be_raised_are_still_told() -> None:
    program = PROGRAM.replace("signal.raise_signal(signal.SIGINT)", "raise OSError('gone')").replace(
        "60", "0"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=False
    )
    assert (done.returncode, done.stdout) == (0, "went on\nclosed\n")
    assert "OSError: gone" in done.stderr


def test_an_interrupt_before_the_command_is_imported_says_nothing() -> None:
    program = """
import signal, sys

class Importing:
    def find_spec(self, name, path=None, target=None):
        if name == "slicewright.cli.main":
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Importing())
from slicewright.__main__ import run
run()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
