"""Schedules of faults against the real control plane: every promise holds."""

from __future__ import annotations

import pytest

from tests.control.simulation.world import run_schedule


@pytest.mark.parametrize("first", range(1, 21, 10))
def test_every_promise_holds_whatever_goes_wrong(first: int) -> None:
    for seed in range(first, first + 10):
        world = run_schedule(seed)
        assert world.broken is None, f"python -m tests.control.simulation --seed {seed}: {world.broken}"
