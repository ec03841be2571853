"""What tasks may say beyond the publication: times for sending, and execution on the device itself."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from slicewright.errors import InvalidPlanError, InvalidTasksError
from slicewright.learning.placement.canonical_labels import canonical, keeping
from slicewright.placement import (
    ON_DEVICE,
    Link,
    Placement,
    Tasks,
    check_placement,
    choice_of,
    judge,
    linked_topology,
    load_tasks,
    place,
    placement_methods,
    placement_preset,
    save_tasks,
    tasks_from_dict,
    tasks_to_dict,
)
from slicewright.placement.exact import solve_exact
from tests.placement.problems import (
    BESIDE,
    arrival_times,
    by_distances,
    cheapest_by_enumeration,
    small_tasks,
    with_links,
)

LEARNED = ("gnn", "mlp", "decision-tree", "queue-network")


def in_a_row(**changes: Any) -> Tasks:
    """Two tasks at one access point, COINs a and b in a row behind it, and a MEC server behind them."""
    links = [Link("ap", "a", 1.0, 10.0), Link("a", "b", 1.0, 20.0), Link("b", "m", 2.0)]
    topology = linked_topology(
        links, capacity_hz=np.array([10.0, 10.0, 100.0]), nodes=("a", "b", "m"), access_points=("ap",),
        kinds=("coin", "coin", "mec"),
    )  # fmt: skip
    values: dict[str, Any] = {
        "access_point": [0, 0],
        "size_bits": [2.0, 4.0],
        "cycles": [10.0, 5.0],
        "deadline_s": [3.0, 3.0],
        "arrival_rate_hz": [0.5, 0.25],
        "uplink_bps": [4.0, 8.0],
        "device_capacity_hz": [20.0, 0.0],
        "device_cost_bit_hops": [3.0, 0.0],
    }
    return Tasks(topology, **{**values, **changes})


def test_sending_by_hand() -> None:
    tasks = in_a_row()
    judged = judge(tasks, choice_of(tasks, [(0, 1), (2,)]))
    # Task 0: 2 / 4 over the uplink, 2 / 10 to a, 2 / 20 on to b; served at 2 a second there, 0.5 arrive.
    # Task 1: 4 / 8 + 4 / 10 + 4 / 20, nothing on the last link; served at 20 a second, 0.25 arrive.
    assert judged.delay_s == pytest.approx([0.8 + 1 / 1.5, 1.1 + 1 / 19.75])
    assert judged.cost_bit_hops == 2 * (1 + 1) + 4 * 4


def test_the_device_by_hand() -> None:
    tasks = in_a_row()
    judged = judge(tasks, choice_of(tasks, [(ON_DEVICE,), (0, 1)]))
    assert judged.delay_s == pytest.approx([1 / (20 / 10 - 0.5), 1.1 + 1 / (4 - 0.25)])
    assert judged.cost_bit_hops == 3.0 + 4 * 2
    assert judged.arrival_rate_hz == pytest.approx([0.25, 0.25, 0.0])
    assert judged.violations.feasible


@pytest.mark.parametrize(
    ("nodes", "changes", "broken"),
    [
        ([(), (ON_DEVICE,)], {}, {"9c", "9d", "9e"}),  # a device that executes nothing
        ([(ON_DEVICE,), ()], {"deadline_s": [0.6, 3.0]}, {"9e"}),
        ([(ON_DEVICE,), ()], {"arrival_rate_hz": [2.5, 0.25]}, {"9c", "9d", "9e"}),
        ([(0, 1), ()], {"deadline_s": [1.4, 3.0]}, {"9e"}),  # in time but for sending
        ([(), (2,)], {"uplink_bps": [4.0, 1.3]}, {"9e"}),  # sending alone takes too long
        ([(ON_DEVICE,), ()], {"device_capacity_hz": None, "device_cost_bit_hops": None}, {"9a"}),
    ],
)
def test_every_rule_is_found_broken(
    nodes: list[tuple[int, ...]], changes: dict[str, Any], broken: set[str]
) -> None:
    tasks = in_a_row(**changes)
    violations = judge(tasks, choice_of(tasks, nodes)).violations
    assert {rule for rule, residual in violations.residuals.items() if residual > 0} == broken


def test_a_full_offload_may_not_be_slower_than_the_best_idle_pair_with_its_sending() -> None:
    tasks = in_a_row()
    pair, mec = tasks.options.index[0, 1], tasks.options.index[(2,)]
    assert tasks.options.idle_partial_s == pytest.approx([0.8 + 0.5, 1.1 + 0.25])
    assert tasks.options.limit[0, mec, 0] == pytest.approx(10.0 - 1 / (0.8 + 0.5 - 0.8))
    assert tasks.options.sent_s[0, pair] == pytest.approx([0.7, 0.8])


@settings(max_examples=60, deadline=None)
@given(tasks=small_tasks())
def test_highs_the_search_and_the_bound_agree_with_enumeration(tasks: Tasks) -> None:
    best = cheapest_by_enumeration(tasks)
    choice, bound = solve_exact(tasks)
    assert choice is not None
    judged = judge(tasks, choice)
    assert judged.violations.feasible
    assert judged.objective_bit_hops == pytest.approx(best, rel=1e-6, abs=1e-6)
    assert bound <= best * (1 + 1e-9)
    found = place(tasks, iterations=300)
    assert found.violations.feasible
    assert found.objective_bit_hops == pytest.approx(best, rel=1e-9, abs=1e-9)
    assert found.lower_bound_bit_hops <= best * (1 + 1e-9)


def test_a_solver_s_tolerance_does_not_lift_the_bound_above_a_placement_that_costs_nothing() -> None:
    tasks = placement_preset(
        tasks=2, seed=8, lower_coins=2, upper_coins=1, access_points=1, mecs=0, split="none",
        lower_capacity_hz=(4e8, 7e8), deadline_s=(0.2, 0.5), **BESIDE[-1],
    )  # fmt: skip
    choice, bound = solve_exact(tasks)
    assert choice is not None
    assert bound <= judge(tasks, choice).objective_bit_hops == 0.0


@settings(max_examples=30, deadline=None)
@given(tasks=small_tasks(most_tasks=2))
def test_bits_go_along_the_quickest_of_the_shortest_paths(tasks: Tasks) -> None:
    options = tasks.options
    for k in range(tasks.n_tasks):
        times = arrival_times(tasks, k)
        for o in range(options.in_network):
            used = options.nodes_of(o)
            expected = times(used)
            assert [options.sent_s[k, o, side] for side in range(len(used))] == pytest.approx(
                [expected[j] for j in used], rel=1e-9
            )


def test_faster_links_and_uplinks_never_cost_more() -> None:
    for seed in range(4):
        tasks = placement_preset("regime/sent", tasks=10, seed=seed)
        links = [link._replace(rate_bps=2.0 * (link.rate_bps or 1.0)) for link in tasks.topology.links]
        topology = with_links(tasks.topology, links)
        assert tasks.uplink_bps is not None
        faster = tasks.with_(topology=topology, uplink_bps=2.0 * tasks.uplink_bps)
        # 9b compares with the best idle pair, which is sooner as well: without the MEC it asks for nothing.
        before, after = (_without_the_mec(t) for t in (tasks, faster))
        assert after <= before * (1 + 1e-6)


def _without_the_mec(tasks: Tasks) -> float:
    keep = np.broadcast_to(~tasks.options.full, tasks.options.cost.shape)
    choice, _ = solve_exact(tasks, keep=keep)
    assert choice is not None
    return judge(tasks, choice).objective_bit_hops


def test_what_takes_no_time_changes_nothing() -> None:
    plain = placement_preset(tasks=30, seed=4)
    at_once = plain.with_(uplink_bps=np.full(30, 1e30))
    idle = plain.with_(device_capacity_hz=np.zeros(30))
    expected = place(plain, iterations=2000)
    for tasks in (at_once, idle):
        found = place(tasks, iterations=2000)
        assert found.nodes == expected.nodes
        assert found.lower_bound_bit_hops == pytest.approx(expected.lower_bound_bit_hops, rel=1e-9)


def test_devices_for_nothing_take_whom_they_serve_in_time() -> None:
    tasks = placement_preset(tasks=40, seed=2, device_capacity_hz=(5e8, 5e9))
    option = tasks.options.device
    serves = tasks.options.limit[:, option, 0] >= tasks.arrival_rate_hz
    found = place(tasks)
    assert [used == (ON_DEVICE,) for used in found.nodes] == serves.tolist()
    assert 0 < serves.sum() < 40


@pytest.mark.parametrize("regime", ["sent", "devices"])
@pytest.mark.parametrize("method", [*LEARNED, "auto", "exact", "greedy-nearest", "random", "mec-only"])
def test_every_method_keeps_the_rules(method: str, regime: str) -> None:
    assert method in placement_methods()
    tasks = placement_preset(f"regime/{regime}", tasks=25, seed=3)
    found = place(tasks, method, budget_s=1.0 if method == "exact" else None)
    assert found.violations.feasible
    assert found.lower_bound_bit_hops <= found.objective_bit_hops * (1 + 1e-9)
    if method in LEARNED:
        assert any("never saw" in note for note in found.notes)
        assert found.objective_bit_hops <= 1.5 * place(tasks, iterations=3000).objective_bit_hops


def test_labels_know_devices() -> None:
    tasks = placement_preset("regime/devices", tasks=12, seed=5)
    found = place(tasks, "exact")
    choice = choice_of(tasks, found.nodes)
    label = canonical(tasks, choice)
    assert judge(tasks, label).objective_bit_hops == pytest.approx(found.objective_bit_hops)
    assert judge(tasks, label).violations.feasible
    placed = np.flatnonzero(label >= 0)
    assert keeping(tasks, label)[placed, label[placed]].all()


def test_files_come_back_as_they_were(tmp_path: Path) -> None:
    for tasks in (in_a_row(), placement_preset("regime/devices", tasks=6, seed=2)):
        for source in (tasks_to_dict(tasks), by_distances(tasks)):
            back = tasks_from_dict(json.loads(json.dumps(source)))
            assert tasks_to_dict(back) == source
            assert np.array_equal(back.options.limit, tasks.options.limit)
        again = load_tasks(save_tasks(tasks, tmp_path / "tasks.yaml"))
        assert tasks_to_dict(again) == tasks_to_dict(tasks)


def test_files_without_the_new_fields_are_written_as_before() -> None:
    document = tasks_to_dict(placement_preset(tasks=3))
    assert set(document["tasks"]) == {
        "access_point", "size_bits", "cycles", "deadline_s", "arrival_rate_hz"
    }  # fmt: skip
    assert {len(link) for link in document["links"]} == {3}
    placed = place(placement_preset(tasks=3), "random").to_dict()
    assert all("on_device" not in entry for entry in placed["placements"])


def test_placements_on_devices_come_back_from_their_documents() -> None:
    tasks = placement_preset("regime/devices", tasks=20, seed=3)
    found = place(tasks, iterations=500)
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    on_device = [entry for entry in document["placements"] if entry.get("on_device")]
    assert on_device and all(entry["nodes"] == [] and entry["reason"] is None for entry in on_device)
    back = Placement.from_dict(document)
    assert back.nodes == found.nodes and back.rejected == found.rejected
    assert check_placement(tasks, back).residuals == found.violations.residuals
    on_device[0]["nodes"] = [1]
    with pytest.raises(InvalidPlanError, match="on_device"):
        Placement.from_dict(document)


def test_reasons_tell_what_sending_takes() -> None:
    slow = in_a_row(uplink_bps=[0.1, 8.0], device_capacity_hz=None, device_cost_bit_hops=None)
    assert "ms of them for sending" in (place(slow, iterations=10).reasons[0] or "")
    left_out = place(in_a_row(device_cost_bit_hops=[1e9, 0.0], uplink_bps=[0.1, 8.0]), iterations=10)
    assert "counts no more than its own device" in (left_out.reasons[0] or "")
    assert math.isnan(left_out.delay_s[0])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"uplink_bps": [0.0, 1.0]}, "tasks.uplink_bps"),
        ({"device_capacity_hz": [-1.0, 1.0]}, "tasks.device_capacity_hz"),
        ({"device_capacity_hz": None}, "tasks.device_cost_bit_hops"),
        ({"device_cost_bit_hops": [1.0]}, "tasks.device_cost_bit_hops"),
    ],
)
def test_broken_fields_are_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidTasksError) as caught:
        in_a_row(**change)
    assert caught.value.field == field


def test_broken_rates_of_links_are_named() -> None:
    document = tasks_to_dict(in_a_row())
    document["links"][1][3] = 0.0
    with pytest.raises(InvalidTasksError, match=r"links\[1\]\.rate_bps"):
        tasks_from_dict(document)
