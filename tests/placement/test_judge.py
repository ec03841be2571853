"""The judge: delays and residuals by hand, and every rule broken once."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from slicewright.errors import InvalidPlanError
from slicewright.placement import (
    Placement,
    Tasks,
    Topology,
    check_placement,
    choice_of,
    judge,
    place,
    placement_preset,
)


def four_nodes(**changes: object) -> Tasks:
    """Two tasks on three COINs in a row and a MEC server."""
    topology = Topology(
        capacity_hz=np.array([10.0, 10.0, 20.0, 100.0]),
        access_point_to_node=np.array([[1.0, 2.0, 3.0, 9.0]]),
        node_to_node=np.array([[0.0, 1, 2, 8], [1, 0, 1, 7], [2, 1, 0, 6], [8, 7, 6, 0]]),
        kinds=("coin", "coin", "coin", "mec"),
    )
    values: dict[str, Any] = {
        "access_point": [0, 0],
        "size_bits": [2.0, 3.0],
        "cycles": [10.0, 5.0],
        "deadline_s": [1.0, 0.5],
        "arrival_rate_hz": [0.5, 0.25],
    }
    return Tasks(topology, **{**values, **changes})


def test_delays_and_costs_by_hand() -> None:
    tasks = four_nodes()
    judged = judge(tasks, choice_of(tasks, [(0, 1), (1, 2)]))
    # Lambda_0 = 0.5, Lambda_1 = 0.75, Lambda_2 = 0.25; rates (10 + 10) / 10 = 2 and (10 + 20) / 5 = 6.
    assert judged.delay_s == pytest.approx([1 / (2 - 0.75), 1 / (6 - 0.75)])
    assert judged.arrival_rate_hz == pytest.approx([0.5, 0.75, 0.25, 0.0])
    assert judged.cost_bit_hops == judged.objective_bit_hops == 2 * (1 + 1) + 3 * (2 + 1)
    assert judged.violations.feasible


def test_a_full_offload_waits_for_the_queue_of_the_mec() -> None:
    tasks = four_nodes()
    judged = judge(tasks, choice_of(tasks, [(3,), (3,)]))
    assert judged.delay_s == pytest.approx([1 / (10 - 0.75), 1 / (20 - 0.75)])
    assert judged.cost_bit_hops == 9 * (2 + 3)


def test_a_rejected_task_counts_ten_times_the_longest_way() -> None:
    tasks = four_nodes()
    judged = judge(tasks, choice_of(tasks, [(0, 1), ()]))
    assert judged.cost_bit_hops == 4.0
    assert judged.objective_bit_hops == 4.0 + 10 * 3.0 * (9.0 + 8.0)
    assert math.isnan(judged.delay_s[1])


@pytest.mark.parametrize(
    ("nodes", "changes", "broken"),
    [
        ([(0, 1, 2), (1, 2)], {}, {"9a"}),
        ([(0,), (1, 2)], {}, {"9a"}),
        ([(0, 3), (1, 2)], {}, {"9a"}),
        ([(0, 1), (0, 1)], {"deadline_s": [0.6, 0.5]}, {"9e"}),
        ([(0, 1), (0, 1)], {"arrival_rate_hz": [0.5, 1.6]}, {"9d", "9e"}),
        ([(0, 1), (0, 1)], {"arrival_rate_hz": [1.9, 4.0], "cycles": [10.0, 10.0]}, {"9c", "9d", "9e"}),
        ([(3,), (0, 1)], {"arrival_rate_hz": [7.5, 0.1], "deadline_s": [9.0, 9.0]}, {"9b"}),
    ],
)
def test_every_rule_is_found_broken(
    nodes: list[tuple[int, ...]], changes: dict[str, Any], broken: set[str]
) -> None:
    tasks = four_nodes(**changes)
    violations = judge(tasks, choice_of(tasks, nodes)).violations
    assert {rule for rule, residual in violations.residuals.items() if residual > 0} == broken
    assert set(violations.worst) == broken
    assert not violations.feasible


def test_a_queue_at_its_limit_is_unstable() -> None:
    tasks = four_nodes(arrival_rate_hz=[2.0, 0.25])
    judged = judge(tasks, choice_of(tasks, [(0, 1), ()]))
    assert math.isinf(judged.delay_s[0])
    assert math.isinf(judged.violations["9e"])


def test_a_full_offload_without_a_partial_one_beside_it_keeps_9b() -> None:
    topology = Topology(
        capacity_hz=np.array([10.0, 100.0]),
        access_point_to_node=np.array([[1.0, 9.0]]),
        node_to_node=np.array([[0.0, 8.0], [8.0, 0.0]]),
        kinds=("coin", "mec"),
    )
    only: dict[str, Any] = {"access_point": [0], "size_bits": [2.0], "cycles": [10.0], "deadline_s": [1.0]}
    tasks = Tasks(topology, **only, arrival_rate_hz=np.array([20.0]))
    violations = judge(tasks, choice_of(tasks, [(1,)])).violations
    assert math.isinf(violations["9e"])  # the queue is unstable, and infinitely late is not later than never
    assert set(violations.broken) == {"9c", "9d", "9e"}


def test_placements_come_back_from_their_documents() -> None:
    tasks = placement_preset(tasks=12, seed=4, deadline_s=(0.003, 0.1), mec_capacity_hz=4e9)
    placement = place(tasks, iterations=200)
    document = json.loads(json.dumps(placement.to_dict(), allow_nan=False))
    back = Placement.from_dict(document)
    assert back.to_dict() == document
    assert document["rejected"] == placement.rejected > 0
    assert check_placement(tasks, back).residuals == placement.violations.residuals


def test_infinite_residuals_are_null_in_documents() -> None:
    tasks = four_nodes(arrival_rate_hz=[2.0, 0.25])
    from slicewright.placement.plan import certified

    choice = choice_of(tasks, [(0, 1), ()])
    placement = certified(tasks, choice, method="by hand", lower_bound=0.0, runtime_s=0.0)
    assert placement.status == "infeasible"
    document = json.loads(json.dumps(placement.to_dict(), allow_nan=False))
    assert document["violations"]["9e"] is None
    assert document["gap"] is None
    assert math.isinf(Placement.from_dict(document).violations["9e"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"placements": []}, "placements"),
        ({"schema": "slicewright/plan/v1"}, "schema"),
        ({"status": "fine"}, "status"),
        ({"objective_bit_hops": None}, "objective_bit_hops"),
        ({"placements": [{"task": 0}]}, "placements[0].nodes"),
        ({"placements": [{"task": 3, "nodes": []}]}, "placements[0].task"),
        ({"placements": [{"task": 0, "nodes": [0.5]}]}, "placements[0].nodes"),
    ],
)
def test_broken_documents_are_refused(change: dict[str, Any], field: str) -> None:
    document = place(placement_preset(tasks=2), "random").to_dict()
    with pytest.raises(InvalidPlanError) as caught:
        Placement.from_dict({**document, **change})
    assert caught.value.field == field


def test_a_placement_of_other_tasks_is_refused() -> None:
    placement = place(placement_preset(tasks=2), "random")
    with pytest.raises(InvalidPlanError, match="3 entries"):
        check_placement(placement_preset(tasks=3), placement)
    with pytest.raises(InvalidPlanError, match="nodes from 0 to 3"):
        check_placement(four_nodes(), Placement.from_dict({**placement.to_dict(), "placements": [
            {"task": 0, "nodes": [4, 5]}, {"task": 1, "nodes": []},
        ]}))  # fmt: skip


def test_tampered_claims_do_not_impress_the_judge() -> None:
    tasks = four_nodes(deadline_s=[0.6, 0.5])
    honest = place(tasks, "mec-only").to_dict()
    forged = {**honest, "violations": dict.fromkeys(honest["violations"], 0.0), "placements": [
        {**entry, "nodes": [0, 1]} for entry in honest["placements"]
    ]}  # fmt: skip
    assert check_placement(tasks, Placement.from_dict(forged))["9e"] > 0
    assert np.isfinite(check_placement(tasks, Placement.from_dict(forged))["9e"])
