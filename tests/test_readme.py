"""What the README says works: its Python runs, its commands run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from documentation.examples import Example, run_page
from tests.shared import ROOT, SHARED

README = (ROOT / "README.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    line.split("#")[0].strip()
    for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("slicewright")
]

OF_MELBOURNE = re.compile(r"\.\./shared|melbourne\.")
"""Data that is not part of the repository, and what is made of it."""


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_python_examples_run_as_printed(number: int, tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(PYTHON[number])
    done = run([sys.executable, "-W", "error", "example.py"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_commands_run_as_printed_one_after_the_other(tmp_path: Path) -> None:
    """In order and in one folder: later ones use files that earlier ones wrote."""
    assert len(COMMANDS) >= 7
    if SHARED.exists():
        (tmp_path / "shared").symlink_to(SHARED)
    asked = [command for command in COMMANDS if SHARED.exists() or not OF_MELBOURNE.search(command)]
    work = tmp_path / "checkout"
    run_page("README.md", [Example("bash", command, ("run",), 0) for command in asked], work)
    for name in ("plan.png", "plan.json", "mine.yaml"):
        assert (work / name).stat().st_size > 0


def test_links_in_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
