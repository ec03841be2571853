"""Run schedules until told to stop, or for so many seconds: ``python -m tests.control.simulation --seconds 60``."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field

from tests.control.simulation.world import World, run_schedule


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
    told = _Told()
    with suppress(KeyboardInterrupt):
        while told.schedules < given.schedules and time.monotonic() < told.began + given.seconds:
            seed = given.first + told.schedules
            world = run_schedule(seed)
            told.add(world)
            if given.seed is not None or world.broken is not None:
                print("\n".join(world.mishaps))
            if world.broken is not None:
                print(f"seed {seed}: {world.broken}")
                print(f"repeat it: python -m tests.control.simulation --seed {seed}")
                return 1
    print(told.sentence)
    return 0


@dataclass
class _Told:
    """What all schedules so far come to."""

    began: float = field(default_factory=time.monotonic)
    schedules: int = 0
    mishaps: int = 0
    answered: int = 0
    restored: int = 0

    def add(self, world: World) -> None:
        self.schedules += 1
        self.mishaps += len(world.mishaps)
        self.answered += world.answered
        self.restored += world.judge.restored

    @property
    def sentence(self) -> str:
        took, busy = time.monotonic() - self.began, time.process_time()
        return (
            f"{self.schedules} schedules in {took:.0f} s ({busy:.0f} s of the processor): {self.mishaps} mishaps,"
            f" {self.answered} requests answered, {self.restored} journals made good; every promise held"
        )


if __name__ == "__main__":
    sys.exit(main())
