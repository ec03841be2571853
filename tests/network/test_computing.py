"""Speeds of nodes as files tell them: cores, millicores, MIPS, IPT and Hz, with what each was taken for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers import import_graph, import_tables, remembered
from slicewright.network.scenario import Scenario

GML = """graph [
  node [ id 0 name "cell1" type "cell" lon 16.37 lat 48.2 {cell} ]
  node [ id 1 name "m1" type "MEC" lon 16.38 lat 48.21 {mec} ]
  edge [ source 0 target 1 ]
]
"""


def graph(folder: Path, content: str | dict[str, Any], **parameters: Any) -> Scenario:
    file = folder / "g"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return import_graph(file, devices=4, **parameters)


@pytest.mark.parametrize(
    ("attributes", "speed_hz", "told"),
    [
        ("cpu 16", 16e9 / 3, "cores of 1e+09 cycle/s (core_hz), divided evenly between 3 slices"),
        ('cpu "16 cores"', 16e9 / 3, "cores of"),
        ('cpu "500m"', 0.5e9 / 3, "thousandths of a core"),
        ('cpu "2.5 GHz"', 2.5e9, "GHz of each slice"),
        ("cpu_ghz 4", 4e9, "GHz of each slice"),
        ("capacity_hz 3e9", 3e9, "Hz of each slice"),
        ("mips 9000", 3e9, "MIPS, an instruction taken for a cycle"),
        ("vcpus 6", 2e9, "cores of"),
    ],
)
def test_a_node_is_as_fast_as_the_file_says(
    tmp_path: Path, attributes: str, speed_hz: float, told: str
) -> None:
    scenario = graph(tmp_path, GML.format(cell="", mec=attributes))
    np.testing.assert_allclose(scenario.node_capacity_hz, [[speed_hz] * 3])
    assert any(told in sentence for sentence in remembered(scenario.origin))
    assert not any("attributes of vertices" in sentence for sentence in remembered(scenario.origin))


def test_a_core_is_what_the_user_says(tmp_path: Path) -> None:
    scenario = graph(tmp_path, GML.format(cell="", mec="cpu 16"), core_hz=3e9)
    assert scenario.node_capacity_hz[0, 0] == pytest.approx(16e9)
    scenario = graph(tmp_path, GML.format(cell="", mec="cpu 16"), cpu_unit="GHz")
    assert scenario.node_capacity_hz[0, 0] == 16e9
    with pytest.raises(InvalidScenarioError, match="must be one of auto, core"):
        graph(tmp_path, GML.format(cell="", mec="cpu 16"), cpu_unit="hp")


@pytest.mark.parametrize("value", ["-1", '"many"', '"NaN"', "INF", "1" + "0" * 400, '"16 horses"', '"1e999"'])
def test_what_is_no_speed_is_refused_by_name(tmp_path: Path, value: str) -> None:
    with pytest.raises(InvalidScenarioError, match="'m1'") as refused:
        graph(tmp_path, GML.format(cell="", mec=f"cpu {value}"))
    assert refused.value.args
    assert "cpu" in str(refused.value)


def test_a_capacity_without_a_unit_is_not_guessed(tmp_path: Path) -> None:
    scenario = graph(tmp_path, GML.format(cell="", mec="capacity 12"))
    assert scenario.node_capacity_hz.min() >= 1e10
    assert any("the unit of 'capacity' is not told" in s for s in remembered(scenario.origin))
    assert graph(
        tmp_path, GML.format(cell="", mec="capacity 12"), cpu_unit="core"
    ).node_capacity_hz.sum() == pytest.approx(12e9)


def test_what_looks_wrong_is_said(tmp_path: Path) -> None:
    for attributes, told in (
        ("cpu 20000", "a node of 20,000 cores"),
        ("cpu 0", "no computing at all: m1"),
        ("mips 1", "slower than any device"),
    ):
        scenario = graph(tmp_path, GML.format(cell="", mec=attributes))
        assert any(told in sentence for sentence in remembered(scenario.origin)), attributes


def test_a_cell_with_cores_is_a_node_too(tmp_path: Path) -> None:
    scenario = graph(tmp_path, GML.format(cell="cpu 3", mec="cpu 6"))
    assert (scenario.nodes, scenario.node_kinds) == (("cell1", "m1"), ("coin", "mec"))
    np.testing.assert_allclose(scenario.node_capacity_hz[:, 0], [1e9, 2e9])


def test_edgesimpy_and_yafs_say_how_fast(tmp_path: Path) -> None:
    base = {"attributes": {"id": 1, "coordinates": [0, 0]}}
    servers = [{"attributes": {"id": k, "cpu": cpu, "coordinates": [k, 0]}} for k, cpu in ((1, 8), (2, None))]
    scenario = graph(tmp_path, {"BaseStation": [base], "EdgeServer": servers}, seed=3)
    assert scenario.node_capacity_hz[0, 0] == pytest.approx(8e9 / 3)
    assert scenario.node_capacity_hz[1, 0] == 1e10
    assert any("does not tell: mec-2" in sentence for sentence in remembered(scenario.origin))

    entities = [{"id": 0, "model": "cloud", "IPT": 6_000_000}, {"id": 1, "model": "fog", "IPT": 3_000_000}]
    yafs = {"entity": entities, "link": [{"s": 0, "d": 1}]}
    np.testing.assert_allclose(graph(tmp_path, yafs).node_capacity_hz[:, 0], [1e9, 2e9])
    np.testing.assert_allclose(graph(tmp_path, yafs, ipt_s=1e-6).node_capacity_hz[:, 0], [1e12, 2e12])


@pytest.mark.parametrize(
    ("header", "value", "speed_hz"),
    [
        ("cpu", 12, 4e9),
        ("vCPUs", 12, 4e9),
        ("cpu [GHz]", 12, 12e9),
        ("cpu_cores", 12, 4e9),
        ("capacity [MIPS]", 9000, 3e9),
        ("cpu", 0, 0),
    ],
)
def test_tables_count_cores_as_graphs_do(tmp_path: Path, header: str, value: float, speed_hz: float) -> None:
    (tmp_path / "sites.csv").write_text("name,x,y\na,0,0\nb,100,0\n")
    (tmp_path / "nodes.csv").write_text(f"name,kind,{header}\nn1,mec,{value}\n")
    scenario = import_tables(tmp_path, devices=3)
    np.testing.assert_allclose(scenario.node_capacity_hz, [[speed_hz] * 3])


@pytest.mark.parametrize(("whose", "speed_hz"), [("slice", 12e9), ("node", 4e9)])
def test_whose_a_speed_is_can_be_said_and_is_told(tmp_path: Path, whose: str, speed_hz: float) -> None:
    (tmp_path / "sites.csv").write_text("name,x,y\na,0,0\nb,100,0\n")
    (tmp_path / "nodes.csv").write_text("name,kind,capacity [GHz]\nn1,mec,12\n")
    (tmp_path / "devices.csv").write_text("local capacity [GHz]\n0.5\n")
    from_table = import_tables(tmp_path, capacity_of=whose)
    from_graph = graph(tmp_path, GML.format(cell="", mec='cpu "12 GHz"'), capacity_of=whose)
    for scenario in (from_table, from_graph):
        np.testing.assert_allclose(scenario.node_capacity_hz, [[speed_hz] * 3])
        told = " / ".join(remembered(scenario.origin))
        if whose == "slice":
            assert "GHz of each slice (capacity_of=node: of all slices)" in told
        else:
            assert "GHz of the whole node, divided evenly between 3 slices" in told
    np.testing.assert_allclose(from_table.local_capacity_hz, 0.5e9)
    # What counts cores is the whole node's, whatever is said about speeds.
    cores = graph(tmp_path, GML.format(cell="", mec="cpu 12"), capacity_of=whose)
    np.testing.assert_allclose(cores.node_capacity_hz, [[4e9] * 3])


def test_a_speed_is_nobody_elses(tmp_path: Path) -> None:
    with pytest.raises(InvalidScenarioError, match="must be one of slice, node"):
        graph(tmp_path, GML.format(cell="", mec="cpu 12"), capacity_of="rack")
