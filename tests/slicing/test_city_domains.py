"""Cities cut into domains: plans are the city's, and no joined bound exceeds an optimum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import slicewright as sw
from slicewright.network import NodeLists, preset
from slicewright.policies.slicing.domains_on_ray import call_writable
from slicewright.slicing.city._kernels.shares import shares_of
from slicewright.slicing.city.bound import prove
from slicewright.slicing.city.domains import plan_by_domains
from slicewright.slicing.city.pack import decisions_of, pack
from slicewright.slicing.city.partition import cut_city
from slicewright.slicing.city.search import construct
from slicewright.slicing.judge import evaluate
from slicewright.slicing.shares import Shares
from tests import brute_force


class ReadOnly:
    """Runs tasks as a cluster does: on arrays that may not be written, in any order."""

    def run(self, work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        def frozen(value: Any) -> Any:
            if isinstance(value, np.ndarray):
                value = value.copy()
                value.flags.writeable = False
                return value
            if isinstance(value, tuple):
                return type(value)(*map(frozen, value))
            return value

        results = [call_writable(work, *map(frozen, each)) for each in reversed(arguments)]
        return results[::-1]


@pytest.mark.parametrize("regime", ["paper", "balanced"])
def test_a_joined_plan_is_feasible_and_lies_above_its_bound_and_near_the_undivided_one(regime: str) -> None:
    scenario = sw.preset(f"city/{regime}", devices=600)
    problem = pack(scenario)
    joined = plan_by_domains(problem, 3)
    shares = Shares(*shares_of(problem, joined.state))
    times, violations = evaluate(scenario, decisions_of(problem, joined.state), shares)
    assert violations.feasible, violations.explain()
    assert times.completion_s.sum() == pytest.approx(joined.cost_s, rel=1e-9)
    whole = construct(problem)
    undivided = prove(problem, whole, rounds=100)
    assert 0.9 * undivided.bound_s <= joined.bound_s <= joined.cost_s
    again = plan_by_domains(problem, 3, runner=ReadOnly())
    assert (again.cost_s, again.bound_s) == (joined.cost_s, joined.bound_s)


@pytest.mark.parametrize("queueing", ["node", "device"])
@pytest.mark.parametrize("seed", range(3))
def test_no_joined_bound_exceeds_the_optimum(queueing: str, seed: int) -> None:
    whole = preset(
        "paper-slicing", devices=3, seed=seed, queueing=queueing, access_points=2, coins=1, slices=2,
        **({} if seed % 2 else {"cycles_per_bit": (20.0, 60.0)}),
    )  # fmt: skip
    scenario = whole.with_(node_lists=NodeLists(np.arange(4) * 2, np.tile([0, 1], 3)))
    joined = plan_by_domains(pack(scenario), 2, turns=2)
    assert joined.bound_s <= brute_force.optimum(scenario) * (1 + 1e-9)
    assert joined.bound_s <= joined.cost_s


def test_domains_hold_about_as_many_devices_each_and_everything_is_in_one() -> None:
    problem = pack(sw.preset("city/paper", devices=3_000))
    for count in (1, 4, 7):
        partition = cut_city(problem, count)
        assert partition.count == count
        held = np.bincount(partition.device, minlength=count)
        assert held.max() <= 2 * held.mean()
        assert set(np.unique(partition.node)) == set(range(count))
