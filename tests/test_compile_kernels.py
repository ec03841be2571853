"""Installation from source: kernels beside the sources or in the wheel, and what happens where they do not compile."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from slicewright.kernel_cache import cache_name

ROOT = Path(__file__).parents[1]


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The hook of ``hatch_build.py``, without hatchling, for an empty checkout."""
    parts = ["hatchling", "builders", "hooks", "plugin", "interface"]
    for count in range(1, len(parts) + 1):
        module = ModuleType(".".join(parts[:count]))
        module.__dict__["BuildHookInterface"] = object
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.delenv("SLICEWRIGHT_READY_KERNELS", raising=False)
    module = loaded(ROOT / "hatch_build.py")
    made = module.ReadyKernels()
    made.root, made.said = str(tmp_path), []
    made.app = SimpleNamespace(display_waiting=made.said.append, display_warning=made.said.append)
    needs = ["numpy>=1.26", "numba>=0.60", "pyscipopt>=5.2", "rich>=13.7"]
    made.metadata = SimpleNamespace(core=SimpleNamespace(dependencies=needs))
    monkeypatch.setattr(module.platform, "machine", lambda: "x86_64")
    return made


def test_kernels_go_where_the_installation_looks_for_them(hook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        commands.append(command)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", run)
    assert hook.dependencies() == ["numpy>=1.26", "numba>=0.60"]
    build: dict[str, Any] = {"force_include": {}}
    hook.initialize("editable", build)
    assert commands[0][2] == str(Path(hook.root, "src", "slicewright", "ready_kernels"))
    assert build["force_include"] == {}
    hook.initialize("standard", build)
    assert build["force_include"] == {commands[1][2]: "slicewright/ready_kernels"}


def test_an_installation_goes_on_where_kernels_do_not_compile(
    hook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=1))
    build: dict[str, Any] = {"force_include": {}}
    hook.initialize("standard", build)
    assert build["force_include"] == {}
    assert hook.said[-1] == "kernels did not compile here: they will on first use"


def test_installations_may_be_told_what_to_bring(hook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("nothing is to be compiled"))
    build: dict[str, Any] = {"force_include": {}}
    for given, brings in (("none", {}), ("/made", {"/made": "slicewright/ready_kernels"})):
        monkeypatch.setenv("SLICEWRIGHT_READY_KERNELS", given)
        assert hook.dependencies() == []
        hook.initialize("editable", build)
        assert build["force_include"] == {}
        hook.initialize("standard", build)
        assert build["force_include"] == brings


def test_only_what_these_sources_made_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = loaded(ROOT / "scripts" / "compile_kernels.py")
    folder, cache, current = tmp_path / "ready", tmp_path / "cache", cache_name("slicing")
    (folder / "slicing-0123").mkdir(parents=True)
    (folder / "slicing-of-another-python").mkdir()

    def run(**settings: str) -> None:
        for name in (current, "slicing-0123"):
            made = Path(settings["SLICEWRIGHT_CACHE"], "slicewright", name)
            made.mkdir(parents=True)
            (made / "a.nbc").write_text(name)
            (made / "announced").touch()

    monkeypatch.setattr(script, "_run", run)
    script.compile_kernels(folder, cache)
    assert sorted(path.name for path in folder.iterdir()) == sorted([current, "slicing-of-another-python"])
    assert [path.name for path in (folder / current).iterdir()] == ["a.nbc"]
    assert not list(cache.glob("*/slicewright/slicing-0123"))
