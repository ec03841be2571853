"""What a wheel promises: versions of Python, entry points, and sources that every one of those versions can read."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import slicewright

ROOT = Path(__file__).parents[1]
READ = """
import ast, pathlib, sys
for file in pathlib.Path(sys.argv[1]).rglob("*.py"):
    compile(ast.parse(file.read_text(encoding="utf-8")), str(file), "exec")
print(sys.version_info[1])
"""
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def interpreter(minor: int) -> str | None:
    """A Python 3 of this minor version on this machine, if there is one that runs."""
    known = sorted((Path.home() / ".pyenv" / "versions").glob(f"3.{minor}.*/bin/python"))
    return str(known[-1]) if known else shutil.which(f"python3.{minor}")


@pytest.mark.parametrize("minor", [11, 12, 13])
def test_sources_are_read_by_every_python_that_is_promised(minor: int) -> None:
    python = sys.executable if sys.version_info[1] == minor else interpreter(minor)
    if python is None:
        pytest.skip(f"no Python 3.{minor} here")
    done = subprocess.run(
        [python, "-W", "error", "-c", READ, str(ROOT / "src")], capture_output=True, text=True, check=False, timeout=120
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, str(minor)), done.stderr


def test_a_version_is_said_the_same_everywhere() -> None:
    """A section of the changelog with a date is a release; the one above it, without a date, is the next."""
    assert PROJECT["version"] == slicewright.__version__
    cited = re.findall(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert cited in ([], [slicewright.__version__])
    sections = re.findall(
        r"^## \[([0-9.]+)\] - (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    numbers = [tuple(map(int, number.split("."))) for number, _ in sections]
    assert numbers and numbers == sorted(numbers, reverse=True)
    released = [number for number, date in sections if re.fullmatch(r"\d{4}-\d\d-\d\d", date)]
    assert released[:1] in ([], [slicewright.__version__])
    assert all(date == "not released yet" for number, date in sections if number not in released)


def test_the_metadata_promise_these_versions_and_entry_points() -> None:
    assert PROJECT["requires-python"] == ">=3.11,<3.14"
    assert PROJECT["scripts"]["slicewright"] == "slicewright.__main__:run"
    assert {"control", "gym", "simulation", "train"} <= PROJECT["optional-dependencies"].keys()
