"""``slicewright``, and ``python -m slicewright``."""

import os
import signal


def run() -> None:
    """Entry point: until the command is imported and can say more, an interrupt ends the process without a word."""
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(130))
    from slicewright.cli.main import run as run_command

    run_command()


if __name__ == "__main__":
    run()
