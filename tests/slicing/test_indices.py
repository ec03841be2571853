"""Compiled kernels of the search take an index as it is (``slicewright.linking``): none may be negative.

Here they run as the plain Python they are written in, on arrays that refuse a negative index.
"""

# mypy: allow-untyped-defs
from __future__ import annotations

import importlib
import pkgutil
import sys
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import slicewright as sw
from slicewright import compiled
from slicewright.slicing import _kernels
from slicewright.slicing._kernels.best_response import FOREVER
from slicewright.slicing._kernels.problem import LOCAL
from slicewright.slicing.compact import compact

ROOM = _kernels.__name__


class FromTheFront(np.ndarray):
    """An array of which nobody may count from the end."""

    def __getitem__(self, index):
        refuse_negative(index)
        return super().__getitem__(index)

    def __setitem__(self, index, value):
        refuse_negative(index)
        super().__setitem__(index, value)


def refuse_negative(index: Any) -> None:
    for part in index if isinstance(index, tuple) else (index,):
        ends = (part.start, part.stop) if isinstance(part, slice) else (part,)
        if any(end is not None and end < 0 for end in ends):
            raise IndexError(f"{index} counts from the end")


def guarded(made: Any) -> Any:
    """The same, if it is an array, as one of which nobody may count from the end; tuples part by part."""
    if isinstance(made, np.ndarray):
        return made.view(FromTheFront)
    if isinstance(made, tuple):
        parts = [guarded(part) for part in made]
        return type(made)(*parts) if hasattr(made, "_fields") else tuple(parts)
    return made


REGIMES = [
    ("balanced", "node"),
    ("compute", "device"),
    ("saturated", "node"),
    ("paper", "node"),
    ("xr", "device"),
]


@pytest.fixture(params=REGIMES, ids=" ".join)
def problem(request: pytest.FixtureRequest) -> Any:
    """Made first, by compiled kernels."""
    regime, queueing = request.param
    return compact(sw.preset(f"regime/{regime}", devices=12, seed=2, queueing=queueing)).problem


@pytest.fixture
def kernels(problem: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function that gives a kernel of a module of the room, in plain Python like all that it calls."""
    for found in pkgutil.walk_packages(_kernels.__path__, f"{ROOM}."):
        importlib.import_module(found.name)
    makers = (
        "empty",
        "zeros",
        "ones",
        "full",
        "arange",
        "empty_like",
        "zeros_like",
        "full_like",
        "argsort",
        "sort",
    )

    def maker(name: str) -> Any:
        return lambda *args, **options: guarded(getattr(np, name)(*args, **options))

    numpy = SimpleNamespace(**vars(np) | {name: maker(name) for name in makers})
    rooms = [module for name, module in sys.modules.items() if name == ROOM or name.startswith(f"{ROOM}.")]
    for module in (compiled, *rooms):
        for name, value in list(vars(module).items()):
            if name == "now_ns":
                monkeypatch.setattr(module, name, time.perf_counter_ns)
            elif value is np and module is not compiled:
                monkeypatch.setattr(module, name, numpy)
            elif callable(value) and hasattr(value, "py_func"):
                monkeypatch.setattr(module, name, value.py_func)

    def kernel(module: str, name: str) -> Any:
        return getattr(sys.modules[f"{ROOM}.{module}"], name)

    with np.errstate(
        all="ignore"
    ):  # as compiled: sums of whole numbers go round, and nothing divided by it is infinite
        yield kernel


def test_the_arrays_refuse_what_compiled_kernels_would_not_notice() -> None:
    values = guarded(np.arange(4.0))
    assert values[3] == 3.0
    for index in (-1, np.int64(-2), (slice(-2, None),)):
        with pytest.raises(IndexError, match="counts from the end"):
            values[index]
        with pytest.raises(IndexError, match="counts from the end"):
            values[index] = 1.0


def test_no_kernel_of_the_search_counts_from_the_end(kernels: Any, problem: Any) -> None:
    problem, local = guarded(problem), guarded(np.full(problem.local_time.size, LOCAL))
    seed = np.uint64(0)
    found = kernels("search", "search_with_shares")(problem, local, local, seed, 60, FOREVER)
    assert (np.asarray(found.group) >= 0).any()
    kernels("methods", "best_responses")(problem, seed, 2, FOREVER)
    kernels("methods", "insert_greedily")(problem, True)
    alone = kernels("bound", "times_alone")(problem)
    bound, _, resources = kernels("bound", "relax")(problem, alone, found.link, found.group, 0.0, 30, FOREVER)
    kernels("bound", "prices_of")(problem, alone, resources)
    assert 0 < bound <= kernels("problem", "weigh_plan")(problem, found.link, found.group)[0] * (1 + 1e-9)
    assert not hasattr(kernels("islands", "cross"), "py_func")
