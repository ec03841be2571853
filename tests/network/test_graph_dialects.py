"""Graphs as other versions of their tools write them: the right value, or told what is not read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slicewright.network.importers import import_graph
from slicewright.network.importers.placing.layout import place_key
from slicewright.network.importers.placing.roles import kind_of
from slicewright.network.scenario import Scenario
from tests.present import present


def imported(folder: Path, name: str, content: object, **parameters: Any) -> Scenario:
    text = content if isinstance(content, (str, bytes)) else json.dumps(content)
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_graph(folder / name, **parameters)


def report_of(scenario: Scenario, kind: str) -> list[str]:
    report: Any = scenario.origin["report"]
    return list(report.get(kind, []))


GML = """Graph [
 Node [ id 1 type "cell" lon 16.37 lat 48.2 cpu 0 ]
 Node [ id 2 type "M1_MEC" lon 16.3 lat 48.22 cpu 30 ]
 Node [ id 3 type "M1_router" lon 16.3 lat 48.22 cpu 30 ]
 Edge [ source 1 target 2 ]
 Edge [ source 2 target 3 ]
]
"""


def test_words_within_a_type_tell_what_a_vertex_is(tmp_path: Path) -> None:
    made = imported(tmp_path, "a.gml", GML)
    assert (made.access_points, made.nodes, made.node_kinds) == (("1",), ("2",), ("mec",))
    np.testing.assert_array_equal(made.node_capacity_hz, [[1e10] * 3])
    assert any("not known to it: m1router" in line for line in report_of(made, "read"))


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("M1_MEC", "mec"), ("edge cell 7", "access_point"), ("Fog-Node", "coin"), ("gNB_12", "access_point"),
        ("fog server", ""), ("cell router", ""), ("core", ""), ("MEC2", "mec"), (None, ""), (7, ""),
    ],
)  # fmt: skip
def test_kinds_by_words(word: object, role: str) -> None:
    assert kind_of(word) == role


def test_a_group_of_gml_is_no_vertex_unless_an_edge_ends_there(tmp_path: Path) -> None:
    group = 'node [ id 2 label "Group" isGroup 1 ]'
    text = 'graph [ node [ id 0 label "gNB 1" ] node [ id 1 label "MEC 1" ] %s edge [ source 0 target %d ] ]'
    made = imported(tmp_path, "a.gml", text % (group, 1))
    assert (made.access_points, made.nodes) == (("gNB 1",), ("MEC 1",))
    assert "1 groups of vertices" in report_of(made, "dropped")
    joined = imported(tmp_path, "b.gml", text % (group, 2))
    assert "3 vertices and 1 edges from b.gml (gml)" in report_of(joined, "read")


@pytest.mark.parametrize(
    ("key", "usual"),
    [
        ("geo_lat", "lat"), ("lat_deg", "lat"), ("v_longitude", "longitude"), ("posX", "x"), ("x_m", "x"),
        ("coord_y", "y"), ("gps_lon", "lon"), ("x_km", "x_km"), ("max", "max"), ("relation", "relation"),
        ("ly", "ly"),
        ("label", "label"),
    ],
)  # fmt: skip
def test_coordinates_by_other_names(key: str, usual: str) -> None:
    assert place_key(key) == usual


def test_positions_by_other_names_are_read_and_not_told_as_dropped(tmp_path: Path) -> None:
    vertices = [
        {"id": "a", "kind": "ap", "posX": 10, "posY": 5},
        {"id": "b", "kind": "mec", "posX": 110, "posY": 5},
    ]
    made = imported(tmp_path, "a.json", {"nodes": vertices, "links": [{"source": "a", "target": "b"}]})
    np.testing.assert_array_equal(made.sites.node_m, [[100, 0]])
    assert not any("pos" in line for line in report_of(made, "dropped"))


def test_edges_by_position_and_vertices_by_key(tmp_path: Path) -> None:
    vertices: list[Any] = [{"id": "a", "kind": "ap"}, {"id": "b", "kind": "ap"}, {"id": "c", "kind": "mec"}]
    links = [{"source": 0, "target": 1}, {"source": 1, "target": 2}]
    made = imported(tmp_path, "a.json", {"nodes": vertices, "links": links})
    assert "3 vertices and 2 edges from a.json (node-link)" in report_of(made, "read")
    assert "ends of links are positions in 'nodes', counted from 0, and no ids" in report_of(made, "odd")
    nested = [
        {"key": v["id"], "attributes": {"kind": v["kind"], "x": 7 * k, "y": 0}}
        for k, v in enumerate(vertices)
    ]
    other = imported(tmp_path, "b.json", {"nodes": nested, "edges": [{"source": "a", "target": "b"}]})
    assert (other.access_points, other.nodes) == (("a", "b"), ("c",))
    np.testing.assert_array_equal(other.sites.node_m, [[14, 0]])


XML = """<?xml version="1.0" encoding="ISO-8859-1"?><network><networkStructure><nodes coordinatesType="geographical">
<node id="K\u00f6ln"><coordinates><x>7.0</x><y>51</y></coordinates></node>
<node id="Ulm"><coordinates><x>10</x><y>48.4</y></coordinates></node></nodes>
<links><link id="L"><source>K\u00f6ln</source><target>Ulm</target></link></links></networkStructure></network>"""


def test_xml_in_another_encoding_than_it_declares(tmp_path: Path) -> None:
    for data, odd in ((XML.encode("latin-1"), False), (XML.encode(), True)):
        made = imported(tmp_path, "a.xml", data)
        assert "K\u00f6ln" in (*made.access_points, *made.nodes)
        assert any("and is in UTF-8" in line for line in report_of(made, "odd")) is odd


def test_native_networks_without_their_first_line(tmp_path: Path) -> None:
    text = "NODES (\n A ( 13.4 52.5 )\n B ( 7.1 50.7 )\n)\nLINKS (\n L ( A B ) 0 0 0 0 ( )\n)\n"
    made = imported(tmp_path, "a.txt", text)
    assert "2 vertices and 1 edges from a.txt (sndlib-native)" in report_of(made, "read")


def test_stations_by_name_and_their_bandwidth(tmp_path: Path) -> None:
    settings = {"bs": {"bw": 9e6, "tx": 30}, "ue": {"velocity": 1.5}}
    stations = {"north": {"x": 0, "y": 0}, "south": [0, 500]}
    made = imported(tmp_path, "a.json", {**settings, "stations": stations, "users": {"u": [0, 100]}})
    assert made.access_points == ("north", "south")
    np.testing.assert_array_equal(made.bandwidth_hz, [9e6, 9e6])
    np.testing.assert_array_equal(made.sites.device_m, [[0, 200]])
    assert any("settings ue, bs.tx" in line for line in report_of(made, "dropped"))
    asked = imported(tmp_path, "a.json", {**settings, "stations": stations}, bandwidth_hz=1e6)
    np.testing.assert_array_equal(asked.bandwidth_hz, [1e6, 1e6])


def test_gateways_compute_and_sensors_are_users(tmp_path: Path) -> None:
    entities = [
        {"id": 0, "model": "cloud", "IPT": 3e6}, {"id": 1, "model": "sensor-device", "IPT": 100},
        {"id": 2, "model": "m-GW", "IPT": 6e5},
    ]  # fmt: skip
    made = imported(tmp_path, "a.json", {"entity": entities, "link": [{"s": 0, "d": 2}, {"s": 2, "d": 1}]})
    assert (made.nodes, made.node_kinds, made.n_devices) == (("m-GW-2", "cloud-0"), ("coin", "mec"), 1)
    np.testing.assert_allclose(made.node_capacity_hz[:, 0], [2e8, 1e9])
    assert "speeds of 1 users: local_capacity_hz sets those of devices" in report_of(made, "dropped")


def test_where_users_go_is_told_as_dropped(tmp_path: Path) -> None:
    user = {"attributes": {"id": 1, "coordinates_trace": [[2, 0], [3, 0]]}}
    station = {"attributes": {"id": 1, "coordinates": [0, 0]}}
    server = {"attributes": {"id": 1, "coordinates": [4, 0], "cpu": 3}}
    made = imported(tmp_path, "a.json", {"BaseStation": [station], "EdgeServer": [server], "User": [user]})
    np.testing.assert_array_equal(present(made.sites.device_m), [[500, 0]])
    assert "movements of 1 users: each is where it begins" in report_of(made, "dropped")
