"""Methods of labelling that go wrong, named in tests as ``tests.labels.methods:...`` the way users name theirs."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np

from slicewright.errors import SolverError
from slicewright.labels import Job, Recipe, Solution
from slicewright.network.scenario import Scenario
from slicewright.slicing import Decisions, Shares, iterated_search, lower_bound

SMALL = Recipe(devices=(2, 6))
"""Instances that take a moment each."""
UNLUCKY = 7
"""The seed that does the harm."""


def sound(job: Job, scenario: Scenario, seed: int) -> Solution:
    """A quick search."""
    decisions, shares = iterated_search(scenario, rounds=5, seed=seed)
    return Solution(decisions, shares, lower_bound(scenario, start=decisions), "test 1")


def slow(job: Job, scenario: Scenario, seed: int) -> Solution:
    """Slow enough for chunks of one."""
    time.sleep(0.3)
    return sound(job, scenario, seed)


HOLD = "SLICEWRIGHT_TEST_HOLD"
"""Names a file; while it is there, no label from the seed ``HELD`` on is finished."""
HELD = 6


def held(job: Job, scenario: Scenario, seed: int) -> Solution:
    """In the middle of its work until a test has seen it there."""
    while seed >= HELD and Path(os.environ.get(HOLD, "/nonexistent")).exists():
        time.sleep(0.05)
    return slow(job, scenario, seed)


def dies(job: Job, scenario: Scenario, seed: int) -> Solution:
    """As when the kernel is out of memory."""
    if seed == UNLUCKY:
        os.kill(os.getpid(), signal.SIGKILL)
    return sound(job, scenario, seed)


def hangs(job: Job, scenario: Scenario, seed: int) -> Solution:
    """As a solver that never looks at its clock."""
    if seed == UNLUCKY:
        time.sleep(3600)
    return sound(job, scenario, seed)


STOPPED = "SLICEWRIGHT_TEST_STOPPED"
"""Names a file, which says that a worker has stopped."""


def stops_once(job: Job, scenario: Scenario, seed: int) -> Solution:
    """As a process that somebody has suspended in the middle of its work."""
    before = Path(os.environ[STOPPED])
    if seed == UNLUCKY and not before.exists():
        before.touch()
        os.kill(os.getpid(), signal.SIGSTOP)
    return sound(job, scenario, seed)


def breaks(job: Job, scenario: Scenario, seed: int) -> Solution:
    """A bug."""
    if seed == UNLUCKY:
        raise ZeroDivisionError("a bug in the method")
    return sound(job, scenario, seed)


def refuses(job: Job, scenario: Scenario, seed: int) -> Solution:
    """An error that the library raises on purpose."""
    if seed == UNLUCKY:
        raise SolverError("no answer today")
    return sound(job, scenario, seed)


def overcommits(job: Job, scenario: Scenario, seed: int) -> Solution:
    """A plan that breaks 13e: everybody gets all of the first access point and node."""
    n = scenario.n_devices
    zero, full = np.zeros(n, dtype=np.int64), np.ones(n)
    bandwidth = np.ones((scenario.n_access_points, scenario.n_slices)) / scenario.n_slices
    return Solution(Decisions(zero, zero, zero), Shares(bandwidth, full, full), 0.0, "test 1")
