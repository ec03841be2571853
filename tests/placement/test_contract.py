"""Every registered placement method keeps the contract; broken ones are caught; users bring their own."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import Any

import numpy as np
import pytest

from slicewright.placement import Answer, Tasks, place, placement_method, placement_methods
from slicewright.policies.placement import registry
from slicewright.testing import ContractError, awkward_tasks, check_placement_method

REPEATS: dict[str, dict[str, object]] = {"auto": {"iterations": 200}}
"""Options under which a method that else goes by the clock repeats."""


@pytest.mark.parametrize("name", placement_methods())
def test_every_method_keeps_the_contract(name: str) -> None:
    check_placement_method(placement_method(name), options=REPEATS.get(name))


def _everywhere_first(tasks: Tasks, *, budget_s: float | None, seed: int) -> Answer:
    return Answer(np.zeros(tasks.n_tasks, dtype=np.int64))


def _dishonest_bound(tasks: Tasks, *, budget_s: float | None, seed: int) -> Answer:
    return Answer(np.full(tasks.n_tasks, -1), lower_bound_bit_hops=1e30)


def _beside_the_options(tasks: Tasks, *, budget_s: float | None, seed: int) -> Answer:
    return Answer(np.full(tasks.n_tasks, tasks.options.count))


def _too_few(tasks: Tasks, *, budget_s: float | None, seed: int) -> Answer:
    return Answer(np.zeros(0, dtype=np.int64))


def _unrepeatable(
    tasks: Tasks,
    *,
    budget_s: float | None,
    seed: int,
    _calls: list[int] = [0],  # noqa: B006 - to remember
) -> Answer:
    _calls[0] += 1
    greedy: Answer = placement_method("greedy-nearest")(tasks, budget_s=budget_s, seed=seed)
    return greedy if _calls[0] % 2 else Answer(np.full(tasks.n_tasks, -1))


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (_everywhere_first, "9[a-e] is broken"),
        (_dishonest_bound, "lies above the objective"),
        (_beside_the_options, "an option from 0 to"),
        (_too_few, "as many whole numbers"),
        (_unrepeatable, "same seed"),
    ],
)
def test_broken_methods_are_caught(method: Callable[..., Answer], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        check_placement_method(method)


def test_a_problem_can_be_named() -> None:
    reject: Callable[..., Any] = lambda tasks, *, budget_s, seed: Answer(np.full(tasks.n_tasks, -1))
    check_placement_method(reject, problems={"one": awkward_tasks()["one task"]})


def test_installed_packages_offer_methods_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint(
        "offered-for-test", "tests.placement.offered:everyone_rejected", registry.ENTRY_POINT_GROUP
    )
    monkeypatch.setattr(registry, "_offered", lambda: {point.name: point})
    assert "offered-for-test" in placement_methods()
    assert place(awkward_tasks()["ordinary"], "offered-for-test").rejected == 8


def test_our_own_methods_need_no_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_offered", dict)
    assert {"auto", "exact", "random", "gnn", "queue-network"} <= set(placement_methods())
