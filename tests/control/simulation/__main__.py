"""Run schedules until told to stop, or for so many seconds: ``python -m tests.control.simulation --seconds 60``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import Pool
from multiprocessing.pool import Pool as PoolType

from tests.control.simulation.world import run_schedule

_AT_ONCE = 64


def main() -> int:
    """Exit code 1 as soon as a promise is broken; the seed that is printed repeats it (``--seed``)."""
    parser = argparse.ArgumentParser(description="Schedules of faults against the real control plane.")
    parser.add_argument(
        "--seconds", type=float, default=float("inf"), help="stop after this; by default never"
    )
    parser.add_argument("--first", type=int, default=1, help="seed of the first schedule")
    parser.add_argument("--schedules", type=int, default=2**62, help="stop after so many")
    parser.add_argument("--seed", type=int, default=None, help="repeat one schedule and tell its mishaps")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes; by default all cores"
    )
    given = parser.parse_args()
    if given.seed is not None:
        given.first, given.schedules, given.jobs = given.seed, 1, 1
    told = _Told()
    seeds = range(given.first, given.first + given.schedules)
    with Pool(given.jobs, _ignore_interrupts) as pool:
        with suppress(KeyboardInterrupt):
            for one in _all(pool, seeds) if given.jobs > 1 else map(_ran, seeds):
                told.add(one)
                if given.seed is not None or one.broken:
                    print("\n".join(one.mishaps))
                if one.broken:
                    print(f"seed {one.seed}: {one.broken}")
                    print(f"repeat it: python -m tests.control.simulation --seed {one.seed}")
                    return 1
                if time.monotonic() > told.began + given.seconds:
                    break
        _ignore_interrupts()  # while the pool ends
    print(told.sentence)
    return 0


@dataclass(frozen=True)
class _One:
    """What became of a schedule."""

    seed: int
    broken: str
    mishaps: list[str]
    answered: int
    restored: int
    busy_s: float


def _ran(seed: int) -> _One:
    began = time.process_time()
    world = run_schedule(seed)
    broken = "" if world.broken is None else str(world.broken) or repr(world.broken)
    busy_s = time.process_time() - began
    return _One(seed, broken, world.mishaps, world.answered, world.judge.restored, busy_s)


def _all(pool: PoolType, seeds: range) -> Iterator[_One]:
    """Some at a time: a pool takes in all that it is given, and there is no end of seeds."""
    for start in count(0, _AT_ONCE):
        some = seeds[start : start + _AT_ONCE]
        if not some:
            return
        yield from pool.imap(_ran, some)


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@dataclass
class _Told:
    """What all schedules so far come to."""

    began: float = field(default_factory=time.monotonic)
    schedules: int = 0
    mishaps: int = 0
    answered: int = 0
    restored: int = 0
    busy_s: float = 0.0

    def add(self, one: _One) -> None:
        self.schedules += 1
        self.mishaps += len(one.mishaps)
        self.answered += one.answered
        self.restored += one.restored
        self.busy_s += one.busy_s

    @property
    def sentence(self) -> str:
        took = time.monotonic() - self.began
        return (
            f"{self.schedules} schedules in {took:.0f} s ({self.busy_s:.0f} s of a processor): {self.mishaps} mishaps,"
            f" {self.answered} requests answered, {self.restored} journals made good; every promise held"
        )


if __name__ == "__main__":
    sys.exit(main())
