"""Run schedules until told to stop, or for so many seconds: ``python -m tests.control.simulation --seconds 60``.

``--progress FILE`` notes after every minute how far it has come: the same command goes on from there. With
``--keep-going`` a broken promise is noted with its seed, and the schedules after it are run all the same.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import count
from multiprocessing import Pool
from multiprocessing.pool import Pool as PoolType
from pathlib import Path

from tests.control.simulation.schedule import run_schedule

_AT_ONCE = 64
_NOTE_S = 60.0


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
    parser.add_argument(
        "--progress", type=Path, default=None, help="note how far it has come, go on from there"
    )
    parser.add_argument(
        "--keep-going", action="store_true", help="note the seeds of broken promises and go on to the end"
    )
    given = parser.parse_args()
    if given.seed is not None:
        given.first, given.schedules, given.jobs, given.progress = given.seed, 1, 1, None
    began = time.monotonic()
    told = _noted(given.progress, given.first)
    seeds = range(given.first + told.schedules, given.first + given.schedules)
    noted_s, before_s = began, told.took_s
    with Pool(given.jobs, _ignore_interrupts) as pool:
        with suppress(KeyboardInterrupt):
            for one in _all(pool, seeds) if given.jobs > 1 else map(_ran, seeds):
                if not one.broken or given.keep_going:  # else whoever goes on runs it again
                    told.add(one)
                told.took_s = before_s + time.monotonic() - began
                if given.progress is not None and (one.broken or time.monotonic() > noted_s + _NOTE_S):
                    noted_s = time.monotonic()
                    _note(given.progress, told, quietly=bool(one.broken))
                if given.seed is not None or one.broken:
                    print("\n".join(one.mishaps))
                if one.broken:
                    print(f"seed {one.seed}: {one.broken}")
                    print(f"repeat it: python -m tests.control.simulation --seed {one.seed}", flush=True)
                    if not given.keep_going:
                        return 1
                if time.monotonic() > began + given.seconds:
                    break
        _ignore_interrupts()  # while the pool ends
    if given.progress is not None:
        _note(given.progress, told, quietly=True)
    print(told.sentence)
    return 1 if told.broken else 0


@dataclass(frozen=True)
class _One:
    """What became of a schedule."""

    seed: int
    broken: str
    mishaps: list[str]
    answered: int
    restored: int
    returned: int
    busy_s: float


def _ran(seed: int) -> _One:
    began = time.process_time()
    world = run_schedule(seed)
    broken = "" if world.broken is None else str(world.broken) or repr(world.broken)
    busy_s = time.process_time() - began
    judge = world.judge
    return _One(seed, broken, world.mishaps, world.answered, judge.restored, judge.returned, busy_s)


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
    """What all schedules so far come to, from the first seed on."""

    first: int = 1
    took_s: float = 0.0
    schedules: int = 0
    mishaps: int = 0
    answered: int = 0
    restored: int = 0
    returned: int = 0
    busy_s: float = 0.0
    broken: list[int] = field(default_factory=list)

    def add(self, one: _One) -> None:
        self.schedules += 1
        self.mishaps += len(one.mishaps)
        self.answered += one.answered
        self.restored += one.restored
        self.returned += one.returned
        if one.broken:
            self.broken.append(one.seed)
        self.busy_s += one.busy_s

    @property
    def sentence(self) -> str:
        held = "every promise held" if not self.broken else f"a promise was broken by the seeds {self.broken}"
        return (
            f"{self.schedules} schedules in {self.took_s:.0f} s ({self.busy_s:.0f} s of a processor):"
            f" {self.mishaps} mishaps, {self.answered} requests answered, {self.restored} journals made good,"
            f" {self.returned} devices back from managers' seats, each of them named; {held}"
        )


def _noted(file: Path | None, first: int) -> _Told:
    """What an earlier run has noted, if it began with the same seed."""
    if file is None or not file.exists():
        return _Told(first)
    told = _Told(**json.loads(file.read_text()))
    return told if told.first == first else _Told(first)


def _note(file: Path, told: _Told, *, quietly: bool) -> None:
    """Note how far it has come, all or nothing."""
    if not quietly:
        print(f"so far {told.sentence}", flush=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.new")
    draft.write_text(json.dumps(asdict(told)))
    draft.replace(file)


if __name__ == "__main__":
    sys.exit(main())
