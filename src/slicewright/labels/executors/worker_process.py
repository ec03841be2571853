"""The main program of a worker process: ``python -m slicewright.labels.executors.worker_process FILE_DESCRIPTOR``.

Receives a job, says that it is ready, then answers chunks of seeds with batches of labels until the other end closes.
What goes wrong is written to standard error before the connection ends, so that whoever notices the end can read it,
however slowly the interpreter would go down. A program of its own rather than a fork or a spawn of the caller's:
threads and locks of the caller do not come along, and scripts need no main guard.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
import traceback
from multiprocessing.connection import Connection

READY = b"ready"
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve one connection."""
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the build decides what an interrupt means
    if sys.platform == "linux":  # a build that is killed must not leave a solver running for an hour
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    with Connection(int(sys.argv[1])) as connection:
        from slicewright.labels.executors.label_chunk import label_chunk, warm_up

        try:
            job = connection.recv()
            warm_up(job.method)
            connection.send_bytes(READY)
            while True:
                connection.send_bytes(label_chunk(job, connection.recv()))
        except (EOFError, BrokenPipeError):
            return
        except BaseException:  # noqa: BLE001 - ends the process, and says why before its connection ends
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)


if __name__ == "__main__":
    main()
