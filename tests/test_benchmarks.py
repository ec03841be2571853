"""Every benchmark can be imported and started, and runs at its smallest size where that takes a moment."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import benchmarks

ROOT = Path(benchmarks.__path__[0]).parent
MODULES = sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if m.name != "__main__")
SMOKING = [
    name for name in MODULES if "\ndef smoke() -> None:" in (ROOT / "benchmarks" / f"{name}.py").read_text()
]


@pytest.mark.parametrize("name", MODULES)
def test_a_benchmark_can_be_imported_and_says_what_it_measures(name: str) -> None:
    module = importlib.import_module(f"benchmarks.{name}")
    assert module.__doc__
    if not name.startswith("_"):
        assert list(inspect.signature(module.main).parameters) == ["scale"] and module.main.__doc__


@pytest.mark.parametrize("name", SMOKING)
def test_a_benchmark_runs_at_its_smallest_size(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    importlib.import_module(f"benchmarks.{name}").smoke()
    assert capsys.readouterr().out.strip()


def test_benchmarks_are_started_by_name_and_an_unknown_one_is_refused() -> None:
    command = [sys.executable, "-m", "benchmarks"]
    asked = subprocess.run([*command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert all(name in asked.stdout for name in MODULES if not name.startswith("_"))
    wrong = subprocess.run(
        [*command, "citty"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert wrong.returncode == 2 and "there is no benchmark 'citty'" in wrong.stderr
