"""Which tests may be skipped. In a whole run (``make test``) a skip for any other reason is a failure.

``make test`` installs every extra and, where it may, every program that tests need. What is missing then is a fault of
the installation, and a test that quietly does not run would hide it, and whatever else it would have found. Reasons
that no installation can mend are listed here, each with why.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Generator
from typing import Any

import pytest

WHOLE = "SLICEWRIGHT_TESTS_WHOLE"
"""Set by ``make test``."""
_KERNEL = (
    "root rights|Linux|a CPU controller in cgroup v1 or v2|network namespaces|veth|bridge|sch_htb|cls_u32"
)
_PROGRAM = r"the program [\w-]+"
MACHINE = (
    # Public data that is too large for this repository (tests/shared.py).
    r"no shared folder",
    r"the shared [\w ]+ are not beside this checkout",
    # The kernel and the processor are what they are.
    rf"this machine lacks ({_KERNEL})(, ({_KERNEL}))*",
    r"cgroup v2 accepts any nesting",
    r"strace may not look at other processes",
    r"this processor is below the level that is shipped",
    r"no such device",
    # The opposite is tested elsewhere, or on another machine.
    r"these tests run in a network namespace of their own",
    r"there is a full licence here",
    r"no Python 3\.\d+ here",
    # Not in every release of Debian; what it reads is held against the schemas as well.
    r"no kubectl here",
)
"""Reasons that hold whatever is installed, as regular expressions."""
PROGRAMS = (
    rf"this machine lacks ({_KERNEL}|{_PROGRAM})(, ({_KERNEL}|{_PROGRAM}))*",
    r"(chromium|strace|unshare|ip) is not installed",
)
"""Reasons that hold where Debian packages cannot be installed: without root or without apt."""


def packages_install() -> bool:
    """Whether ``scripts/install-system-packages.sh`` can do its work here."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def may_be_skipped(reason: str, *, packages: Callable[[], bool] = packages_install) -> bool:
    """Whether a whole run may go without a test for this reason."""
    allowed = MACHINE if packages() else MACHINE + PROGRAMS
    return any(re.fullmatch(known, reason) for known in allowed)


def _judged(report: Any) -> None:
    """Make a failure of a skip that hides one."""
    if not report.skipped or not os.environ.get(WHOLE) or hasattr(report, "wasxfail"):
        return
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if not may_be_skipped(reason):
        report.outcome = "failed"
        report.longrepr = f"a whole run asks every test, but this one was skipped: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge a test that was skipped."""
    report = yield
    _judged(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Judge a file that was skipped."""
    report = yield
    _judged(report)
    return report
