"""The simulated world: every promise holds in every schedule, a seed repeats it, and what is planted is found."""

from __future__ import annotations

import os

import pytest

from tests.control.simulation.mutants import FOUND_BY, MUTANTS
from tests.control.simulation.schedule import run_schedule

SCHEDULES = int(os.environ.get("SLICEWRIGHT_SCHEDULES", "600"))
"""Continuous integration asks for more, a night for a hundred thousand others (``make simulate-faults-nightly``)."""
AT_ONCE = 50
BROKE_ONCE = (20_000_479, 40_000_034, 40_000_045, 70_000_247, 100_000_117, 100_000_170)
"""Schedules that have found something: grants of a lost future on their way to a slow manager, and to one that stood
still; a journal of which a part was known; a withdrawal that was lost while a manager served the device; a process that
took a journal written on for its own past, since it knew no hashes so old; a leader that went on after standing still,
when the records of the one after it were lost."""
MOST_TRIED = 200
"""Schedules within which a planted bug is found."""


@pytest.mark.parametrize("first", range(1, SCHEDULES + 1, AT_ONCE))
def test_every_promise_holds_whatever_goes_wrong(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        world = run_schedule(seed)
        assert world.broken is None, f"python -m tests.control.simulation --seed {seed}: {world.broken}"


@pytest.mark.parametrize("seed", BROKE_ONCE)
def test_what_was_found_once_is_mended(seed: int) -> None:
    assert run_schedule(seed).broken is None


def test_a_seed_repeats_its_schedule_record_by_record() -> None:
    one, two = run_schedule(5), run_schedule(5)
    assert one.mishaps == two.mishaps
    assert one.store.records[-1].hash == two.store.records[-1].hash


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_bug_is_found(name: str) -> None:
    with MUTANTS[name]():
        tried = (FOUND_BY[name], *range(1, MOST_TRIED))
        assert any(run_schedule(seed).broken is not None for seed in tried)
