"""``python -m slicewright``."""

from slicewright.cli.main import run

if __name__ == "__main__":
    run()
