"""Every label executor, each in a process of its own: Ray starts daemons and warns about the interpreter it finds."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from slicewright.labels.build import EXECUTORS as NAMES
from tests.conformance.label_executors import EXECUTORS, ON_RAY
from tests.shared import ROOT


@pytest.mark.slow
@pytest.mark.parametrize("name", EXECUTORS)
def test_every_executor(name: str) -> None:
    if name == "ray" and find_spec("ray") is None:
        pytest.skip("the extra 'ray' is not installed")
    command = [sys.executable, "-m", "tests.conformance.label_executors", name]
    alone = {**os.environ, **ON_RAY, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    done = subprocess.run(
        command, cwd=ROOT, env=alone, capture_output=True, text=True, timeout=850, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_none_is_forgotten() -> None:
    assert set(EXECUTORS) == set(NAMES)
