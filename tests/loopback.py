"""Addresses of this machine that no other test uses."""

from __future__ import annotations

import os
import sys


def own_loopback() -> str:
    """An address of this process alone: a port that was found free there stays free until its server starts.

    On 127.0.0.1 whoever asks for any port, or connects to one, may be given it meanwhile. Elsewhere than on Linux that
    is the only address there is.
    """
    if sys.platform != "linux":
        return "127.0.0.1"
    pid = os.getpid()
    return f"127.{64 + (pid >> 16) % 64}.{pid >> 8 & 255}.{max(1, pid & 255)}"
