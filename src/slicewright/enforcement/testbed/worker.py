"""A node's worker for one device: one process receives tasks, another burns their cycles under its quota.

Run as ``python -m slicewright.enforcement.testbed.worker ADDRESS RESULTS``. Prints ``PORT EXECUTOR_PID`` when ready.
Only the executor is put under the quota: receiving must not be slowed by it. Times are of the monotonic clock, which
all processes of a machine share. Results: one line ``task received started finished`` each.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import struct
import sys
import time
from pathlib import Path

HEADER = struct.Struct("<QQd")
"""Task number, payload bytes, CPU seconds."""
PROMPT = -10
"""Nice value of processes that take times."""
_JOB = struct.Struct("<Qdd")
_BLOCK = bytes(4096)
_CHUNK = 1 << 16


def main(address: str, results: str) -> None:
    """Listen, start the executor, pass on what arrives until the device hangs up."""
    listener = socket.create_server((address, 0))
    inbox, outbox = os.pipe()
    child = os.fork()
    if child == 0:
        listener.close()
        os.close(outbox)
        execute(inbox, results)
        os._exit(0)
    os.close(inbox)
    come_first()
    sys.stdout.write(f"{listener.getsockname()[1]} {child}\n")
    sys.stdout.flush()
    link, _ = listener.accept()
    receive(link, outbox)
    os.close(outbox)
    os.waitpid(child, 0)


def come_first() -> None:
    """Run before everything that only computes: a process that waits for a processor measures its own delay.

    What sends and receives needs next to no time itself. Where the kernel does not allow it all stays as it is.
    """
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, PROMPT)


def receive(link: socket.socket, outbox: int) -> None:
    """Take tasks from the device and hand them to the executor as soon as their last byte is there."""
    scratch = memoryview(bytearray(_CHUNK))
    while header := _exactly(link, HEADER.size):
        task, size, cpu_s = HEADER.unpack(header)
        while size > 0:
            got = link.recv_into(scratch, min(size, _CHUNK))
            if got == 0:
                return
            size -= got
        os.write(outbox, _JOB.pack(task, cpu_s, time.monotonic()))


def execute(inbox: int, results: str) -> None:
    """Do the tasks one after the other, in their order."""
    with Path(results).open("w", encoding="ascii", buffering=1) as lines, os.fdopen(inbox, "rb") as jobs:
        while len(job := jobs.read(_JOB.size)) == _JOB.size:
            task, cpu_s, received = _JOB.unpack(job)
            started = time.monotonic()
            burn(cpu_s)
            lines.write(f"{task} {received!r} {started!r} {time.monotonic()!r}\n")


def burn(cpu_s: float) -> None:
    """Hash until this process has used so much CPU time, whatever the clock on the wall says."""
    end = time.process_time() + cpu_s
    while time.process_time() < end:
        hashlib.sha256(_BLOCK).digest()


def _exactly(link: socket.socket, count: int) -> bytes:
    """So many bytes, or nothing if the other side hung up."""
    parts = b""
    while len(parts) < count:
        more = link.recv(count - len(parts))
        if not more:
            return b""
        parts += more
    return parts


if __name__ == "__main__":
    main(*sys.argv[1:])
