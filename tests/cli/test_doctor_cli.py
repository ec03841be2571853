"""``slicewright doctor``: it finds what is there, and says how to mend what is not."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from slicewright import kernel_cache
from slicewright.cli.main import app
from slicewright.cli.views.finding import Finding
from slicewright.cli.views.installation import EXTRAS, inspect_installation


def named(group: str) -> dict[str, Finding]:
    return {finding.what: finding for finding in inspect_installation() if finding.group == group}


def test_what_is_needed_for_every_command_works_here() -> None:
    answer = CliRunner().invoke(app, ["doctor"])
    assert answer.exit_code == 0, answer.output
    for heading in ("this machine", "compiled kernels", "extras", "solvers", "programs"):
        assert heading in answer.output
    solvers = named("solvers")
    assert solvers["scip"].works
    assert solvers["highs"].works


def test_missing_packages_are_named_with_the_extra_that_brings_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str) -> str:
        if name == "pyarrow":
            raise PackageNotFoundError(name)
        return "0.0.1" if name == "fastapi" else version(name)

    monkeypatch.setattr("slicewright.cli.views.installation.version", without)
    extras = named("extras")
    assert (extras["labels"].works, extras["labels"].fix) == (None, 'pip install "slicewright[labels]"')
    assert "pyarrow" in extras["labels"].told
    assert "fastapi >=" in extras["control"].told
    assert "0.0.1" in extras["control"].told


def test_every_extra_of_the_package_says_what_it_is_for() -> None:
    project = Path(__file__).parents[2] / "pyproject.toml"
    extras = tomllib.loads(project.read_text("utf-8"))["project"]["optional-dependencies"]
    assert sorted(EXTRAS) == sorted(extras)


def test_programs_that_are_not_there_say_who_needs_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    tc = named("programs")["tc"]
    assert (tc.works, tc.told, tc.fix) == (None, "not found; needed by: testbed", "install iproute2")


def test_a_cache_that_cannot_be_written_is_broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    kernel_cache.cache_folder.cache_clear()
    monkeypatch.setenv("SLICEWRIGHT_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr("slicewright.cli.views.installation.has_ready_kernels", lambda package: False)
    try:
        answer = CliRunner().invoke(app, ["doctor"])
        assert answer.exit_code == 1
        assert "set SLICEWRIGHT_CACHE to a folder that can be written" in answer.output
    finally:
        kernel_cache.cache_folder.cache_clear()


@pytest.mark.parametrize(
    ("suit", "told"), [(False, "of level x86-64-v3"), (True, "none that came with the package")]
)
def test_why_kernels_that_came_with_the_package_do_not_serve(
    suit: bool, told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = "slicewright.cli.views.installation"
    monkeypatch.setattr(f"{place}.has_ready_kernels", lambda package: False)
    monkeypatch.setattr(f"{place}.ready_kernels_suit", lambda: suit)
    monkeypatch.setattr(f"{place}.cache_folder", lambda package: tmp_path / package)
    monkeypatch.setattr(f"{place}.READY", tmp_path / "none")
    assert named("compiled kernels")["slicing"].told.endswith(str(tmp_path / "slicing"))
    monkeypatch.setattr(f"{place}.READY", tmp_path)
    assert told in named("compiled kernels")["slicing"].told
