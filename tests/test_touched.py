"""Choosing tests by what changed: names that packages pass on, strings that name modules, and what is nearest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.skips import WHOLE
from tests.touched import (
    ROOT,
    changed_modules,
    distances,
    entry_points,
    imports_of,
    read_sources,
    seconds_of_files,
)

FILES = {
    "src/slicewright/__init__.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .net import load\n",
    "src/slicewright/net/__init__.py": "from .files import load\nfrom .radio import rate\n",
    "src/slicewright/net/files.py": "def load(): ...\n",
    "src/slicewright/net/radio.py": "def rate(): ...\n",
    "src/slicewright/net/page.html": "",
    "src/slicewright/cli/__init__.py": "",
    "src/slicewright/cli/main.py": "COMMANDS = {'show': 'Shows.', 'plan': 'Plans.'}\n",
    "src/slicewright/cli/commands/showing/show.py": "def show():\n    from slicewright.net.radio import rate\n",
    "src/slicewright/cli/commands/planning/plan.py": "from slicewright.net import load\n",
    "src/slicewright/registry.py": "GROUP = 'slicewright.offers'\n",
    "src/slicewright/offered.py": "",
    "tests/__init__.py": "",
    "tests/net/__init__.py": "",
    "tests/net/conftest.py": "from tests.helpers import help\n",
    "tests/helpers.py": "def help(): ...\n",
    "tests/net/test_files.py": "import slicewright as sw\n\ndef test(): sw.load()\n",
    "tests/net/test_radio.py": "from slicewright.net import rate\n",
    "tests/test_show.py": "from slicewright.cli.main import run\nrun(['slicewright', 'show'])\n",
    "tests/test_offers.py": "from slicewright.registry import GROUP\nPAGE = 'notes.md'\n",
    "benchmarks/__init__.py": "",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "pyproject.toml").write_text(
        '[project]\nname = "x"\n[project.entry-points."slicewright.offers"]\none = "slicewright.offered:one"\n'
    )
    return root


@pytest.mark.parametrize(
    ("changed", "tests"),
    [
        ("src/slicewright/net/files.py", {"tests.net.test_files"}),
        ("src/slicewright/net/radio.py", {"tests.net.test_radio", "tests.test_show"}),
        ("src/slicewright/cli/commands/showing/show.py", {"tests.test_show"}),
        ("src/slicewright/cli/commands/planning/plan.py", set()),
        ("src/slicewright/cli/main.py", {"tests.test_show"}),
        ("src/slicewright/offered.py", {"tests.test_offers"}),
        (
            "src/slicewright/net/page.html",
            {"tests.net.test_files", "tests.net.test_radio", "tests.test_show"},
        ),
        ("tests/helpers.py", {"tests.net.test_files", "tests.net.test_radio"}),
        ("tests/net/test_files.py", {"tests.net.test_files"}),
        ("docs/notes.md", {"tests.test_offers"}),
        ("src/slicewright/gone.py", set()),
    ],
)
def test_a_change_touches_those_who_import_it(project: Path, changed: str, tests: set[str]) -> None:
    sources = read_sources(project)
    steps = distances(changed_modules([changed], sources), imports_of(sources, entry_points(project)))
    assert {name for name in steps if ".test_" in name} == tests


def test_the_nearest_come_first() -> None:
    needed = {"far": {"middle"}, "middle": {"changed"}, "near": {"changed", "far"}, "other": {"none"}}
    assert distances(["changed"], needed) == {"changed": 0, "middle": 1, "near": 1, "far": 2}


def test_this_project_is_read_whole() -> None:
    sources = read_sources(ROOT)
    needed = imports_of(sources, entry_points(ROOT))
    steps = distances(["slicewright.types"], needed)
    assert len([name for name in steps if ".test_" in name]) > 60
    assert all(others <= sources.keys() for others in needed.values())


def test_a_run_tells_how_long_each_file_takes(tmp_path: Path) -> None:
    results = tmp_path / "tests.xml"
    results.write_text(
        '<testsuites><testsuite><testcase classname="tests.a.test_x" time="1.5"/>'
        '<testcase classname="tests.a.test_x" time="0.5"/></testsuite></testsuites>'
    )
    assert seconds_of_files(results) == {"tests.a.test_x": 2.0}
    assert seconds_of_files(tmp_path / "nothing.xml") == {}


def test_no_test_begins_after_the_time_is_over() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_judging.py"]
    environment = {**os.environ, "SLICEWRIGHT_TESTS_UNTIL": "1", WHOLE: ""}  # where a skip is a failure
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert "not asked: the time is over" in ran.stdout
    assert " passed" not in ran.stdout
