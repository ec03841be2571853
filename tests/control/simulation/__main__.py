"""Run schedules until told to stop, or for so many seconds: ``python -m tests.control.simulation --seconds 60``."""

from __future__ import annotations

import argparse
import sys
import time

from tests.control.simulation.world import run_schedule


def main() -> int:
    """Exit code 1 as soon as a promise is broken; the seed that is printed repeats it (``--seed``)."""
    parser = argparse.ArgumentParser(description="Schedules of faults against the real control plane.")
    parser.add_argument(
        "--seconds", type=float, default=float("inf"), help="stop after this; by default never"
    )
    parser.add_argument("--first", type=int, default=1, help="seed of the first schedule")
    parser.add_argument("--schedules", type=int, default=2**62, help="stop after so many")
    parser.add_argument("--seed", type=int, default=None, help="repeat one schedule and tell its mishaps")
    given = parser.parse_args()
    if given.seed is not None:
        given.first, given.schedules = given.seed, 1
    began, done, answered, mishaps, restored = time.monotonic(), 0, 0, 0, 0
    while done < given.schedules and time.monotonic() < began + given.seconds:
        world = run_schedule(given.first + done)
        done += 1
        answered, mishaps = answered + world.answered, mishaps + len(world.mishaps)
        restored += world.judge.restored
        if given.seed is not None or world.broken is not None:
            print("\n".join(world.mishaps))
        if world.broken is not None:
            seed = given.first + done - 1
            print(f"seed {seed}: {world.broken}")
            print(f"repeat it: python -m tests.control.simulation --seed {seed}")
            return 1
    took = time.monotonic() - began
    print(
        f"{done} schedules in {took:.0f} s: {mishaps} mishaps, {answered} requests answered,"
        f" {restored} journals made good; every promise held"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
