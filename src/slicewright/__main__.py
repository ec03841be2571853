"""``python -m slicewright``."""

import os
import signal

if __name__ == "__main__":
    signal.signal(
        signal.SIGINT, lambda number, frame: os._exit(130)
    )  # until the command runs and can say more
    from slicewright.cli.main import run

    run()
