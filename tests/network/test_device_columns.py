"""Scenarios whose devices are columns in a file beside the head: the same scenario back, and every fault named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import slicewright as sw
from slicewright.errors import InvalidOptionError, InvalidScenarioError
from slicewright.network import Scenario, preset

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def _same(one: Scenario, other: Scenario) -> None:
    for name in (
        "task_bits",
        "local_cycles",
        "local_capacity_hz",
        "arrival_rate_hz",
        "slice_cycles",
        "node_capacity_hz",
    ):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert all(map(np.array_equal, one.links, other.links))
    assert (one.node_lists is None) == (other.node_lists is None)
    if one.node_lists is not None and other.node_lists is not None:
        assert all(map(np.array_equal, one.node_lists, other.node_lists))
    for name in ("access_point_m", "device_m", "tx_power_w", "node_m"):
        assert np.array_equal(getattr(one.sites, name), getattr(other.sites, name)), name
    assert (one.slices, one.nodes, one.node_kinds, one.queueing) == (
        other.slices, other.nodes, other.node_kinds, other.queueing
    )  # fmt: skip


@pytest.mark.parametrize("columns", ["parquet", "arrow"])
@pytest.mark.parametrize("name", ["city/balanced", "paper-slicing"])
def test_columns_bring_the_scenario_back_bit_for_bit(name: str, columns: str, tmp_path: Path) -> None:
    scenario = preset(name, devices=40, seed=4, queueing="device")
    path = sw.save_scenario(scenario, tmp_path / "city.yaml", columns=columns)
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"city.devices.{columns}", "city.yaml"]
    assert path.stat().st_size < 30_000
    _same(scenario, sw.load_scenario(path))


def _edited(change: Callable[[Any], Any], tmp_path: Path) -> Path:
    """A city whose table of devices was changed."""
    path = sw.save_scenario(preset("city/paper", devices=5), tmp_path / "city.yaml", columns="parquet")
    beside = tmp_path / "city.devices.parquet"
    parquet.write_table(change(parquet.read_table(beside)), beside)
    return path


def _replaced(name: str, values: Any) -> Callable[[Any], Any]:
    return lambda table: table.set_column(table.column_names.index(name), name, values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.rename_columns(["bits", *t.column_names[1:]]), "devices.bits: is not a known column"),
        (lambda t: t.drop_columns(["nodes"]), None),
        (lambda t: t.drop_columns(["task_bits"]), "devices.task_bits: is missing"),
        (lambda t: t.drop_columns(["rate_bps"]), "both access_points and rate_bps"),
        (_replaced("task_bits", [[1.0, 2.0, None, 4.0, 5.0]]), "task_bits: must have a value in every row"),
        (_replaced("task_bits", [["1", "2", "3", "4", "5"]]), "task_bits: must hold numbers"),
        (_replaced("task_bits", [[1.0, 2.0, -3.0, 4.0, 5.0]]), r"task_bits\[2\] is -3 but must be positive"),
        (_replaced("nodes", [[1, 2, 3, 4, 5]]), "nodes: must be a column of lists"),
        (_replaced("nodes", [[[1], [1], [0, 99], [1], [2]]]), "nodes.node.* must be an index"),
        (_replaced("slice_cycles", [[[1.0], [1.0, 2.0], [1.0], [1.0], [1.0]]]), "same length in every row"),
        (
            _replaced("rate_bps", [[[1.0], [1.0, 2.0], [1.0], [1.0], [1.0]]]),
            "as many rate_bps as access_points",
        ),
    ],
)
def test_faults_of_columns_are_named(change: Any, message: str | None, tmp_path: Path) -> None:
    path = _edited(change, tmp_path)
    if message is None:
        assert sw.load_scenario(path).node_lists is None
        return
    with pytest.raises(InvalidScenarioError, match=message):
        sw.load_scenario(path)


def test_only_a_file_may_name_a_file_and_only_one_beside_it(tmp_path: Path) -> None:
    path = sw.save_scenario(preset("city/paper", devices=5), tmp_path / "city.yaml", columns="parquet")
    document = yaml.safe_load(path.read_text())
    with pytest.raises(InvalidScenarioError, match="only a scenario in a file"):
        sw.load_scenario(document)
    for name, message in (
        ("../city.devices.parquet", "beside the scenario"),
        ("city.csv", "beside the scenario"),
        (7, "beside the scenario"),
    ):
        path.write_text(yaml.safe_dump({**document, "devices": {"columns": name}}))
        with pytest.raises(InvalidScenarioError, match=message):
            sw.load_scenario(path)
    path.write_text(yaml.safe_dump({**document, "devices": {"columns": "gone.parquet"}}))
    with pytest.raises(FileNotFoundError):
        sw.load_scenario(path)
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1 nothing")
    path.write_text(yaml.safe_dump({**document, "devices": {"columns": "damaged.parquet"}}))
    with pytest.raises(InvalidScenarioError, match="cannot be read"):
        sw.load_scenario(path)
    path.write_text(
        yaml.safe_dump({**document, "devices": {"columns": "city.devices.parquet", "task_bits": [1]}})
    )
    with pytest.raises(InvalidScenarioError, match="must be a column of the file"):
        sw.load_scenario(path)
    with pytest.raises(InvalidOptionError, match="parquet, arrow"):
        sw.save_scenario(preset("city/paper", devices=5), path, columns="csv")


@pytest.mark.parametrize("columns", ["parquet", "arrow"])
def test_turned_bits_are_told_in_a_sentence(columns: str, tmp_path: Path) -> None:
    path = sw.save_scenario(preset("city/paper", devices=5), tmp_path / "city.yaml", columns=columns)
    beside, rng = tmp_path / f"city.devices.{columns}", np.random.default_rng(1)
    sound = beside.read_bytes()
    for _ in range(150):
        data = bytearray(sound)
        for at in rng.integers(len(data), size=3).tolist():
            data[at] ^= 1 << int(rng.integers(8))
        beside.write_bytes(bytes(data))
        try:
            sw.load_scenario(path)
        except InvalidScenarioError as told:
            assert "\n" not in str(told)
