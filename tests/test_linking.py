"""Kernels and what they call become one module; checked against the plain Python functions."""

# mypy: allow-untyped-defs
from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import numpy as np
import pytest
from numba.np import arrayobj

from slicewright import kernel_cache, linking
from slicewright.compiled import inlined, kernel, outlined
from slicewright.linking import LinkedLibrary


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SLICEWRIGHT_CACHE", str(tmp_path))
    forget_folders()
    yield
    forget_folders()


def forget_folders() -> None:
    kernel_cache.cache_name.cache_clear()
    kernel_cache.cache_folder.cache_clear()


def make_kernels() -> tuple[Any, Any, Any]:
    """Three that call one another: (called from Python, below it, lowest)."""

    @inlined
    def lowest(values, k):
        return values[k] * 0.1 + k

    @outlined
    def middle(values):
        total = 0.0
        for k in range(values.size):
            total += lowest(values, k) / 3.0
        return total

    @kernel
    def top(values):
        if values.size == 0:
            raise ValueError("nothing to add up")
        doubled = np.zeros(values.size)
        for k in range(values.size):
            doubled[k] = max(2.0 * values[k], 1.0)
        return middle(doubled), doubled

    return top, middle, lowest


VALUES = np.linspace(0.1, 2.0, 37)


def expected(values: Any) -> float:
    total = 0.0
    for k, value in enumerate(values):
        total += (max(2.0 * value, 1.0) * 0.1 + k) / 3.0
    return total


def test_only_what_python_calls_becomes_machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    translated: list[str] = []
    finalize = LinkedLibrary._finalize_final_module

    def count(self: Any) -> None:
        translated.append(self.name.rpartition(".")[2])
        finalize(self)

    monkeypatch.setattr(LinkedLibrary, "_finalize_final_module", count)
    top, middle, lowest = make_kernels()
    total, _ = top(VALUES)
    assert total == expected(VALUES)
    assert translated == ["top"]
    assert len(top.overloads) == 1 and not middle.overloads and not lowest.overloads


def test_callees_can_be_called_from_python_too() -> None:
    top, middle, lowest = make_kernels()
    top(VALUES)
    assert lowest(VALUES, 3) == lowest.py_func(VALUES, 3)
    assert middle(VALUES) == sum((value * 0.1 + k) / 3.0 for k, value in enumerate(VALUES))


def test_errors_come_through() -> None:
    top, _, _ = make_kernels()

    @kernel
    def above(values):
        return top(values)[0]

    for called in (top, above):
        with pytest.raises(ValueError, match="nothing to add up"):
            called(VALUES[:0])


def test_functions_of_numba_may_call_kernels() -> None:
    top, middle, _ = make_kernels()
    foreign: Any = numba.njit(lambda values: (top(values)[0], middle(values)))
    assert foreign(VALUES) == (expected(VALUES), middle(VALUES))
    after: Any = numba.njit(lambda values: max(2.0 * values[0], 1.0) + np.zeros(values.size).sum())
    assert after(VALUES) == 1.0  # numba's own functions, compiled above as parts of a kernel, serve anybody


def test_kernels_may_call_functions_of_numba() -> None:
    third: Any = numba.njit(lambda value: value / 3.0)
    assert third(1.0) == 1.0 / 3.0

    @kernel
    def thirds(values):
        return third(values[0]) + third(values[1])

    assert thirds(VALUES) == VALUES[0] / 3.0 + VALUES[1] / 3.0


def test_recursive_kernels() -> None:
    @kernel
    def factorial(n):
        return 1 if n < 2 else n * factorial(n - 1)

    @kernel
    def above(n):
        return factorial(n) + 1

    assert above(10) == 3628801
    assert factorial(10) == 3628800


def test_without_the_internals_of_numba_results_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linking, "AVAILABLE", False)
    forget_folders()  # what is kept depends on it, and so does the name of its folder
    top, middle, lowest = make_kernels()
    assert top(VALUES)[0] == expected(VALUES)
    assert middle.overloads and lowest.overloads


def test_what_comes_from_a_cache_runs_and_is_compiled_anew_where_others_call_it() -> None:
    outputs = [subprocess.run([sys.executable, "-c", FROM_CACHE], capture_output=True, text=True, check=True)
               for _ in range(2)]  # fmt: skip
    assert [output.stdout for output in outputs] == ["0\n", "1\n"]


FROM_CACHE = """
import numba
import numpy as np
from slicewright.compiled import shuffle

once, again = np.arange(20.0), np.arange(20.0)
shuffle(np.zeros(1, np.uint64), once)
foreign = numba.njit(lambda state, items: shuffle(state, items))
foreign(np.zeros(1, np.uint64), again)
assert (once == again).all() and (once != np.arange(20.0)).any()
print(sum(shuffle.stats.cache_hits.values()))
"""


def test_garbage_is_collected_afterwards() -> None:
    assert gc.isenabled()
    make_kernels()[0](VALUES)
    assert gc.isenabled()


@pytest.mark.parametrize(
    "module", ["slicewright.slicing._kernels.made_up", "slicewright.placement._kernels.made_up"]
)
def test_kernels_of_the_search_have_no_index_looked_at(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    looked_at: list[str] = []
    before = arrayobj.fix_integer_index

    def spy(context: Any, builder: Any, *rest: Any) -> Any:
        looked_at.append(builder.function.name)
        return before(context, builder, *rest)

    monkeypatch.setattr(arrayobj, "fix_integer_index", spy)

    def total(values):
        found = values[-1]  # a constant counts from the end everywhere
        for k in range(values.size):
            found += values[k]
        return found

    total.__module__ = module
    monkeypatch.setitem(sys.modules, module, ModuleType(module))
    assert kernel(total)(VALUES) == pytest.approx(VALUES.sum() + VALUES[-1])
    assert sum("total" in name for name in looked_at) == (1 if ".slicing." in module else 2)
    assert arrayobj.fix_integer_index is spy


PROGRAM = """
import numpy as np
from slicewright.slicing._kernels.shares import fill_surplus
surplus = np.empty(2)
print(fill_surplus(np.ones(2), np.ones(2), 4.0, surplus), surplus, sum(fill_surplus.stats.cache_hits.values()))
"""


def test_compiled_once_per_machine() -> None:
    outputs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=120
        ).stdout.split()
        for _ in range(2)
    ]
    assert [output[-1] for output in outputs] == ["0", "1"]
    assert outputs[0][:-1] == outputs[1][:-1] == ["True", "[2.", "2.]"]
