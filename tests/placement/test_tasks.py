"""The problem value: distances, options, and errors that say what is wrong and where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slicewright.errors import InvalidTasksError, UnknownNameError
from slicewright.placement import (
    Link,
    Tasks,
    Topology,
    linked_topology,
    load_tasks,
    placement_preset,
    save_tasks,
    tasks_from_dict,
    tasks_to_dict,
)
from tests.placement.problems import REFERENCE, by_distances


@pytest.fixture
def document() -> dict[str, object]:
    return tasks_to_dict(placement_preset(tasks=4, seed=1))


def test_the_published_network_has_66_pairs_and_a_mec() -> None:
    options = placement_preset(tasks=3).options
    assert options.count == 67
    assert options.full.sum() == 1
    assert placement_preset(tasks=3, split="none").options.count == 13


def test_distances_are_shortest_paths_over_the_links() -> None:
    topology = placement_preset(tasks=1).topology
    ap0, lower, upper, mec = 0, topology.nodes.index("lower1"), topology.nodes.index("upper0"), 12
    assert topology.access_point_to_node[ap0, 0] == 1
    assert topology.access_point_to_node[ap0, lower] == 3  # ap0 - lower0 - upper0 - lower1
    assert topology.access_point_to_node[ap0, mec] == 4  # the last link counts twice
    assert topology.node_to_node[upper, lower] == 1
    assert topology.longest == topology.access_point_to_node.max() + topology.node_to_node.max()


def test_an_option_costs_the_cheaper_order_and_runs_at_the_sum_of_the_speeds() -> None:
    tasks = placement_preset(tasks=1, seed=3)
    options = tasks.options
    a = int(tasks.access_point[0])
    option = options.index[a, 8]  # the lower COIN at the ingress and an upper one
    d = tasks.topology
    hops = min(d.access_point_to_node[a, a], d.access_point_to_node[a, 8]) + d.node_to_node[a, 8]
    assert options.cost[0, option] == tasks.size_bits[0] * hops
    assert options.rate[0, option] == pytest.approx(1.5e9 / tasks.cycles[0])
    assert options.limit[0, option] == pytest.approx(1.5e9 / tasks.cycles[0] - 1 / tasks.deadline_s[0])


def test_equal_halves_run_at_twice_the_speed_of_each_side() -> None:
    tasks = placement_preset(tasks=1, split="equal")
    option = tasks.options.index[0, 8]
    assert tasks.options.rate[0, option] * tasks.cycles[0] == pytest.approx([2 * 5e8, 2 * 1e9])


def test_the_mec_may_not_be_slower_than_the_best_idle_pair() -> None:
    tasks = placement_preset(tasks=1, deadline_s=(10.0, 10.0))
    best_pair = 2e9 / tasks.cycles[0]
    assert tasks.options.idle_partial_s[0] == pytest.approx(1 / best_pair)
    assert tasks.options.limit[0, -1, 0] == pytest.approx(1e10 / tasks.cycles[0] - best_pair)


@pytest.mark.parametrize("ending", ["json", "yaml"])
def test_files_come_back_as_they_were(tmp_path: Path, ending: str) -> None:
    tasks = placement_preset(tasks=7, seed=2, split="equal")
    back = load_tasks(save_tasks(tasks, tmp_path / f"tasks.{ending}"))
    assert tasks_to_dict(back) == tasks_to_dict(tasks)
    assert np.array_equal(back.options.cost, tasks.options.cost)


def test_distances_may_be_given_instead_of_links(document: dict[str, Any]) -> None:
    linked = tasks_from_dict(document)
    distances = by_distances(linked)
    given = tasks_from_dict(distances)
    assert np.array_equal(given.options.cost, linked.options.cost)
    assert tasks_to_dict(given)["distance"] == distances["distance"]


def test_a_file_may_name_a_preset(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text("{preset: paper-placement, tasks: 9, seed: 5, split: none}")
    assert tasks_to_dict(load_tasks(file)) == tasks_to_dict(placement_preset(tasks=9, seed=5, split="none"))


def test_the_seed_is_the_instance() -> None:
    same = placement_preset(tasks=5, seed=1), placement_preset(tasks=5, seed=1)
    assert tasks_to_dict(same[0]) == tasks_to_dict(same[1])
    assert tasks_to_dict(same[0]) != tasks_to_dict(placement_preset(tasks=5, seed=2))


def test_reference_files_are_read() -> None:
    assert load_tasks(REFERENCE / "k010-00.json").n_tasks == 10


def _set(path: str, value: object) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        *parents, last = path.split(".")
        for name in parents:
            document = document[int(name)] if isinstance(document, list) else document[name]
        document[int(last) if isinstance(document, list) else last] = value

    return change


@pytest.mark.parametrize(
    ("change", "field", "index", "rule"),
    [
        (_set("tasks.size_bits.2", -1.0), "tasks.size_bits", (2,), "must be positive"),
        (_set("tasks.cycles.0", float("nan")), "tasks.cycles", (0,), "finite"),
        (_set("tasks.deadline_s", [1.0]), "tasks.deadline_s", (), "shape"),
        (_set("tasks.access_point.1", 8), "tasks.access_point", (1,), "from 0 to 7"),
        (_set("tasks.arrival_rate", [1.0]), "tasks.arrival_rate", (), "arrival_rate_hz"),
        (_set("tasks", {}), "tasks.access_point", (), "missing"),
        (_set("split", "halves"), "split", (), "proportional"),
        (_set("nodes.kinds.3", "cloud"), "nodes.kinds", (3,), "coin, mec"),
        (_set("nodes.capacity_hz.0", 0), "nodes.capacity_hz", (0,), "must be positive"),
        (_set("links.0", ["upper0", "uper1", 1.0]), "links", (0, 1), "did you mean 'upper1'"),
        (_set("links.4.2", 0.0), "links[4].length", (), "must be positive"),
        (_set("links.0", "upper0-upper1"), "links", (0,), "[from, to, length]"),
        (_set("links", [["upper0", "upper1", 1.0]]), "links", (), "no path"),
        (_set("distance", {}), "links", (), "not both"),
        (_set("access_points.names.0", "upper0"), "access_points.names", (), "also the name of a node"),
        (_set("schema", "slicewright/tasks/v2"), "schema", (), "slicewright/tasks/v1"),
    ],
)
def test_errors_name_field_index_and_rule(
    document: dict[str, Any], change: Callable[[Any], None], field: str, index: tuple[int, ...], rule: str
) -> None:
    change(document)
    with pytest.raises(InvalidTasksError) as caught:
        tasks_from_dict(document)
    assert (caught.value.field, caught.value.index) == (field, index)
    assert rule in str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "field"),
    [({"deadline": 1.0}, "deadline"), ({"tasks": 0}, "tasks"), ({"size_bits": (3.0, 1.0)}, "size_bits")],
)
def test_preset_parameters_are_checked(overrides: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidTasksError) as caught:
        placement_preset(**overrides)
    assert caught.value.field == field


def test_unknown_preset_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="paper-placement"):
        placement_preset("paper-placment")


def test_seeds_in_files_are_whole_numbers() -> None:
    with pytest.raises(InvalidTasksError, match="whole number"):
        tasks_from_dict({"preset": "paper-placement", "seed": "7.5"})


def test_distances_must_be_symmetric() -> None:
    with pytest.raises(InvalidTasksError, match="symmetric"):
        Topology(np.ones(2), np.ones((1, 2)), np.array([[0.0, 1.0], [2.0, 0.0]]))


def test_a_network_that_can_serve_nobody_is_refused() -> None:
    one_coin = Topology(np.ones(1), np.ones((1, 1)), np.zeros((1, 1)))
    names = ("access_point", "size_bits", "cycles", "deadline_s", "arrival_rate_hz")
    task: dict[str, Any] = dict(zip(names, ([0], [1.0], [1.0], [9.0], [0.1]), strict=True))
    with pytest.raises(InvalidTasksError, match="MEC server"):
        Tasks(one_coin, **task)
    assert Tasks(one_coin, **task, split="none").options.count == 1


def test_the_shortest_of_parallel_links_counts() -> None:
    links = [Link("a", "x", 5.0), Link("a", "x", 2.0), Link("x", "y", 1.0)]
    topology = linked_topology(
        links, capacity_hz=np.array([1.0, 1.0]), nodes=("x", "y"), access_points=("a",)
    )
    assert topology.access_point_to_node.tolist() == [[2.0, 3.0]]


def test_arrays_cannot_be_changed() -> None:
    tasks = placement_preset(tasks=2)
    with pytest.raises(ValueError, match="read-only"):
        tasks.size_bits[0] = 1.0
