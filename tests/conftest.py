"""What holds for all tests: examples may take their time, and a run may be given an end."""

import os
import time

import pytest
from hypothesis import settings

settings.register_profile("slicewright", deadline=None)  # kernels decide how long an example takes
settings.load_profile("slicewright")

UNTIL = float(os.environ.get("SLICEWRIGHT_TESTS_UNTIL", "inf"))
"""s since 1970. Tests that have not begun by then are not asked: ``make check`` ends when it says that it will."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    if time.time() > UNTIL:
        pytest.skip("not asked: the time is over")
