"""What holds for all tests: examples may take their time, a run may be given an end, and no skip hides a failure."""

import os
import time

import pytest
from hypothesis import settings

from tests.skips import pytest_make_collect_report, pytest_runtest_makereport

__all__ = ["pytest_make_collect_report", "pytest_runtest_makereport", "pytest_runtest_setup"]

settings.register_profile("slicewright", deadline=None)  # kernels decide how long an example takes
settings.load_profile("slicewright")

UNTIL = float(os.environ.get("SLICEWRIGHT_TESTS_UNTIL", "inf"))
"""s since 1970. Tests that have not begun by then are not asked: ``make check`` ends when it says that it will."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    if time.time() > UNTIL:
        pytest.skip("not asked: the time is over")
