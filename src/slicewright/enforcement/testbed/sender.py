"""A device: sends its tasks at their times.

Run as ``python -m slicewright.enforcement.testbed.sender``. Standard input: one JSON line
``{"address": [host, port], "tasks": [[arrival_s, bytes, cpu_s], ...]}``; after ``ready`` was printed, one line with
the monotonic time of the start.
"""

from __future__ import annotations

import json
import socket
import sys
import time

from slicewright.enforcement.testbed.worker import HEADER, come_first


def main() -> None:
    """Connect, wait for the start, send every task when it is due and the one before it is written."""
    come_first()
    order = json.loads(sys.stdin.readline())
    with socket.create_connection(tuple(order["address"])) as link:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        start = float(sys.stdin.readline())
        zeros = memoryview(bytes(1 << 20))
        for task, (arrival_s, size, cpu_s) in enumerate(order["tasks"]):
            time.sleep(max(0.0, start + arrival_s - time.monotonic()))
            link.sendall(HEADER.pack(task, size, cpu_s))
            while size > 0:
                size -= link.send(zeros[: min(size, len(zeros))])
        link.shutdown(socket.SHUT_WR)
        link.recv(1)  # stays connected until the worker has read everything


if __name__ == "__main__":
    main()
