"""Compiled kernels on disk: never stale, never foreign, never in the way."""

# mypy: allow-untyped-defs
from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
import pytest
from numba.core.codegen import JITCPUCodegen

from slicewright import kernel_cache
from slicewright.compiled import Kernel, announce_compilation, kernel
from tests.shared import ROOT

SOURCES = ROOT / "src" / "slicewright"
VALUES = np.array([1.0, 2.0, 4.0])


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    remembered = (
        kernel_cache.cache_name,
        kernel_cache.cache_folder,
        kernel_cache.ready_kernels_suit,
        kernel_cache.warn_of_no_cache,
        announce_compilation,
    )
    for function in remembered:
        function.cache_clear()
    yield
    for function in remembered:
        function.cache_clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SLICEWRIGHT_CACHE", str(tmp_path))
    return kernel_cache.cache_folder("tests.test_kernel_cache")


def make_sum() -> Kernel:
    @kernel
    def weighted_sum(values):
        total = 0.0
        for k in range(values.size):
            total += k * values[k]
        return total

    return weighted_sum


def from_cache(made: Any) -> bool:
    """Call a new kernel; whether its code came from the disk."""
    assert made(VALUES) == 10.0
    return bool(made.stats.cache_hits)


def only_file(folder: Path) -> Path:
    (path,) = folder.glob("*.nbc")
    return path


def test_a_kernel_is_compiled_once_and_leaves_one_file(folder: Path) -> None:
    assert not from_cache(make_sum())
    assert from_cache(make_sum())
    assert [path.suffix for path in folder.iterdir()] == [".nbc"]


@pytest.mark.parametrize(
    ("owner", "name", "other"),
    [
        (kernel_cache, "__version__", "0.0.1"),
        (numba, "__version__", "0.1"),
        (llvmlite, "__version__", "0.1"),
        (np, "__version__", "0.1"),
        (sys.implementation, "cache_tag", "cpython-99"),
        (numba.config, "OPT", 1),
        (numba.config, "BOUNDSCHECK", 1),
    ],
)
def test_other_versions_and_settings_have_other_folders(
    owner: Any, name: str, other: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = kernel_cache.cache_name("slicing")
    monkeypatch.setattr(owner, name, other)
    kernel_cache.cache_name.cache_clear()
    assert kernel_cache.cache_name("slicing") != before


def test_other_sources_have_other_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for source in [*SOURCES.glob("*.py"), *SOURCES.glob("slicing/**/_kernels/**/*.py")]:
        copy = tmp_path / source.relative_to(SOURCES)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(source.read_bytes())
    monkeypatch.setattr(kernel_cache, "__file__", str(tmp_path / "kernel_cache.py"))
    names = {kernel_cache.cache_name("slicing.exact")}
    for changed in (
        "slicing/exact/_kernels/sets.py",
        "slicing/exact/_kernels/node/small_sets.py",
        "slicing/_kernels/problem.py",
        "compiled.py",
    ):
        with (tmp_path / changed).open("r+") as file:
            file.seek(0, 2)
            file.write("# changed\n")
        kernel_cache.cache_name.cache_clear()
        names.add(kernel_cache.cache_name("slicing.exact"))
    assert len(names) == 5


def test_sources_that_are_called_beside_a_folder_s_own_count_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel_cache, "__file__", str(tmp_path / "kernel_cache.py"))
    for name in ("compiled.py", "kernel_cache.py"):
        (tmp_path / name).touch()
    called = tmp_path / "slicing/exact/_kernels/sets.py"
    called.parent.mkdir(parents=True)
    names = set()
    for text in ("", "# changed\n"):
        called.write_text(text)
        kernel_cache.cache_name.cache_clear()
        names.add(kernel_cache.cache_name("slicing.city"))
    kernel_cache.cache_name.cache_clear()
    assert len(names) == 2


def test_kernels_call_none_but_those_that_their_folder_is_named_after() -> None:
    for source in SOURCES.glob("**/_kernels/**/*.py"):
        own = source.relative_to(SOURCES).parts
        own = own[: own.index("_kernels")]
        beside = kernel_cache.CALLED_BESIDE.get(".".join(own), ())
        for called in re.findall(r"slicewright\.([\w.]+)\._kernels", source.read_text("utf-8")):
            parts = tuple(called.split("."))
            assert parts == own[: len(parts)] or called in beside, f"{source} calls kernels of {called}"


def test_code_for_another_processor_is_not_loaded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_sum()(VALUES)
    here = JITCPUCodegen.magic_tuple
    monkeypatch.setattr(JITCPUCodegen, "magic_tuple", lambda self: (*here(self)[:2], "+sse2"))
    assert not from_cache(make_sum())
    assert len(list(folder.glob("*.nbc"))) == 2


@pytest.mark.parametrize(
    "damage", [lambda b: b"", lambda b: b[:-9], lambda b: b[:40] + b"\0" * (len(b) - 40)]
)
def test_damaged_files_are_replaced(folder: Path, damage: Any) -> None:
    make_sum()(VALUES)
    path = only_file(folder)
    path.write_bytes(damage(path.read_bytes()))
    assert not from_cache(make_sum())
    assert from_cache(make_sum())


def test_a_file_under_the_name_of_another_key_is_not_loaded(folder: Path) -> None:
    make_sum()(VALUES)
    other: Any = make_sum()
    key = other._cache._index_key((numba.float64,), other.targetctx.codegen())
    only_file(folder).rename(folder / other._cache._file(key))
    assert other._cache._read(folder, key) is None


def test_where_nothing_can_be_written_one_warning_is_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SLICEWRIGHT_CACHE", str(tmp_path / "file"))
    with caplog.at_level("WARNING"):
        assert not from_cache(make_sum())
        assert not from_cache(make_sum())
    assert ["cannot be written" in record.message for record in caplog.records] == [True]


def test_a_user_without_a_home_has_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("SLICEWRIGHT_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert not from_cache(make_sum())


PROGRAM = """
import numpy as np
from slicewright.slicing._kernels.shares import fill_surplus
surplus = np.empty(2)
print(fill_surplus(np.ones(2), np.ones(2), 4.0, surplus), surplus, sum(fill_surplus.stats.cache_hits.values()))
"""


def start(cache: Path, **settings: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "SLICEWRIGHT_CACHE": str(cache), **settings}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True
    )


def test_two_processes_may_compile_at_once(tmp_path: Path) -> None:
    both = [start(tmp_path) for _ in range(2)]
    assert {process.communicate(timeout=300)[0] for process in both} <= {
        "True [2. 2.] 0\n",
        "True [2. 2.] 1\n",
    }
    assert start(tmp_path).communicate(timeout=300)[0] == "True [2. 2.] 1\n"


def test_ready_kernels_are_loaded_where_they_suit(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As made by ``make wheel``: for a level of processors, in the folder of the package."""
    if not all(llvmlite.binding.get_host_cpu_features().get(name) for name in kernel_cache._NEEDED):
        pytest.skip("this processor is below the level that is shipped")
    settings = {
        "NUMBA_CPU_NAME": kernel_cache.READY_PROCESSOR,
        "NUMBA_CPU_FEATURES": kernel_cache.READY_FEATURES,
    }
    made = tmp_path / "made"
    process = start(made, **settings)
    assert process.communicate(timeout=300)[0] == "True [2. 2.] 0\n"
    monkeypatch.setattr(kernel_cache, "READY", made / "slicewright")
    from slicewright.slicing._kernels import shares

    fill_surplus: Any = shares.fill_surplus
    signature = (numba.float64[::1], numba.float64[::1], numba.float64, numba.float64[::1])
    context = fill_surplus.targetctx

    def loaded() -> bool:
        kernel_cache.ready_kernels_suit.cache_clear()
        cache: Any = kernel_cache.KernelCache(fill_surplus.py_func, "slicing")
        return cache.load_overload(signature, context) is not None

    assert loaded()
    assert not announce_compilation("slicing")
    assert not list(folder.parent.rglob("*.nbc"))
    with monkeypatch.context() as other:
        other.setattr(kernel_cache, "_NEEDED", (*kernel_cache._NEEDED, "made-up"))
        assert not loaded()
    with monkeypatch.context() as other:
        other.setattr(numba.config, "CPU_NAME", "generic")
        assert not loaded()
    with monkeypatch.context() as other:
        other.setattr(numba, "__version__", "0.1")
        kernel_cache.cache_name.cache_clear()
        assert not loaded()
