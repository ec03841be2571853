"""Graphs in the files of other tools: told apart by what is in them, read with the right value, reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers import import_graph, import_scenario, remembered
from slicewright.network.scenario import Scenario
from tests.present import present

GML = """Creator "igraph version 1.2"
graph
[
  directed 0
  node [ id 0 name "cell1" type "cell" lon 16.37 lat 48.2 cpu 0 ]
  node [ id 1 name "m1" type "MEC" lon 16.38 lat 48.21 cpu 16 ]
  node [ id 2 name "R&amp;D" type "switch" lon 16.38 lat 48.21 ]
  edge [ source 0 target 1 ]
  edge [ source 0 target 1 ]
  edge [ source 1 target 1 ]
]
"""
SNDLIB = """<?xml version="1.0" encoding="ISO-8859-1"?>
<network xmlns="http://sndlib.zib.de/network" version="1.0"><networkStructure><nodes coordinatesType="geographical">
<node id="Alfa"><coordinates><x>17.0</x><y>51.1</y></coordinates></node>
<node id="Beta"><coordinates><x>17.1</x><y>51.1</y></coordinates></node>
<node id="K\xf6ln"><coordinates><x>17.2</x><y>51.1</y></coordinates></node>
</nodes><links><link id="L1"><source>Alfa</source><target>Beta</target></link>
<link id="L2"><source>Beta</source><target>K\xf6ln</target></link></links></networkStructure>
<demands><demand id="D"><source>Alfa</source><target>Beta</target></demand></demands></network>
"""
NATIVE = """?SNDlib native format; type: network; version: 1.0
# a comment
META (
  granularity = 5min
)
NODES (
  Alfa ( 17.0 51.1 )
  Beta ( 17.1 51.1 )
  Gama ( 17.2 51.1 )
)
LINKS (
  L1 ( Alfa Beta ) 0.00 0.00 0.00 0.00 ( 155.0 1.0 )
  L2 ( Beta Gama ) 0.00 0.00 0.00 0.00 ( 155.0 1.0 )
)
DEMANDS (
  D1 ( Alfa Beta ) 1 2.0 UNLIMITED
)
"""
YED = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:y="http://www.yworks.com/xml/graphml">
 <key for="node" id="d6" yfiles.type="nodegraphics"/><key attr.name="weird" for="node" id="d4"/>
 <graph edgedefault="directed" id="G">
  <node id="n0"><data key="d6"><y:ShapeNode><y:Geometry x="100.0" y="50.0"/>
   <y:NodeLabel>gNB North</y:NodeLabel></y:ShapeNode></data></node>
  <node id="n1"><data key="d6"><y:ShapeNode><y:Geometry x="300.0" y="50.0"/>
   <y:NodeLabel>MEC Rack</y:NodeLabel></y:ShapeNode></data></node>
  <edge id="e0" source="n0" target="n1"/>
 </graph></graphml>
"""


def imported(folder: Path, content: str | bytes | dict[str, Any], name: str, **parameters: Any) -> Scenario:
    file = folder / name
    if isinstance(content, dict):
        content = json.dumps(content)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return import_graph(file, **parameters)


def report(scenario: Scenario) -> dict[str, list[str]]:
    found = scenario.origin["report"]
    assert isinstance(found, dict)
    return found


def test_gml_with_roles_positions_and_what_is_left_out(tmp_path: Path) -> None:
    scenario = imported(tmp_path, GML, "g.gml")
    assert (scenario.access_points, scenario.nodes, scenario.node_kinds) == (("cell1",), ("m1",), ("mec",))
    between = present(scenario.sites.node_m)[0] - present(scenario.sites.access_point_m)[0]
    np.testing.assert_allclose(
        between, [743.3, 1111.9], atol=0.3
    )  # 0.01 degrees each way at 48.2 degrees north
    told = " / ".join(report(scenario)["dropped"])
    for part in ("1 parallel edges", "1 edges from a vertex to itself", "R&D"):
        assert part in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("graph [\n node [ id 0\n", "g.gml line 2: is not valid GML: ends within a bracket"),
        ("graph [ node [\n id ] ]", "g.gml line 2: is not valid GML: 'id' has no value"),
        ("graph [ node [ id 0 ] ]\n ]", "g.gml line 2: is not valid GML: closes a bracket that is not open"),
        ("graph [ node [ id 0 ] node [ id 0 ] ]", "nodes[1]"),
        ("graph [ node [ id 0 ] edge [ source 0 target 9 ] ]", "edge[0]"),
        ("graph [ node [ id 0 label $x ] ]", "g.gml line 1: is not valid GML"),
    ],
)
def test_broken_gml_names_the_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InvalidScenarioError) as caught:
        imported(tmp_path, text, "g.gml")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("content", "name", "last"),
    [(SNDLIB.encode("latin-1"), "s.xml", "K\xf6ln"), (NATIVE, "s.txt", "Gama")],
)
def test_sndlib_in_both_forms(tmp_path: Path, content: str | bytes, name: str, last: str) -> None:
    scenario = imported(tmp_path, content, name)
    assert (scenario.access_points, scenario.nodes) == ((last,), ("Alfa", "Beta"))
    ways = np.vstack([present(scenario.sites.node_m), present(scenario.sites.access_point_m)])
    np.testing.assert_allclose(
        np.diff(ways[:, 0]), 7004, rtol=0.002
    )  # 0.1 degrees of longitude at 51.1 north
    assert "1 demands: the model has devices instead" in report(scenario)["dropped"]


def test_yed_is_read_without_a_warning_and_its_labels_say_what_is_what(tmp_path: Path) -> None:
    scenario = imported(tmp_path, YED, "y.graphml")
    assert (scenario.access_points, scenario.nodes, scenario.node_kinds) == (
        ("gNB North",),
        ("MEC Rack",),
        ("mec",),
    )
    np.testing.assert_allclose(
        present(scenario.sites.node_m) - present(scenario.sites.access_point_m), [[200, 0]]
    )


def test_cytoscape_as_parts_and_as_one_list(tmp_path: Path) -> None:
    nodes = [
        {"data": {"id": x, "name": f"site {x}"}, "position": {"x": k, "y": 0}} for k, x in enumerate("abc")
    ]
    edges = [{"data": {"source": "a", "target": "b"}}, {"data": {"source": "b", "target": "c"}}]
    parts = imported(tmp_path, {"elements": {"nodes": nodes, "edges": edges}}, "c.json")
    flat = imported(tmp_path, {"elements": [*nodes, *edges]}, "d.cyjs")
    for scenario in (parts, flat):
        assert scenario.nodes[-1] == "site b", "the vertex in the middle has the highest degree"
        assert np.ptp(present(scenario.sites.access_point_m)[:, 0]) in (0, 1000)


EDGESIMPY = {
    "NetworkSwitch": [{"attributes": {"id": k, "coordinates": [2 * k, 0]}} for k in (1, 2)],
    "NetworkLink": [
        {"relationships": {"nodes": [{"class": "NetworkSwitch", "id": 1}, {"class": "NetworkSwitch", "id": 2}]}}
    ],
    "BaseStation": [
        {
            "attributes": {"id": 1, "coordinates": [0, 0]},
            "relationships": {"network_switch": {"class": "NetworkSwitch", "id": 1}},
        }
    ],
    "User": [{"attributes": {"id": 1, "coordinates": [4, 0]}}, {"attributes": {"id": 2, "coordinates": [0, 2]}}],
    "EdgeServer": [{"attributes": {"id": 1, "cpu": 8, "coordinates": [2, 0]}}],
    "Service": [],
}  # fmt: skip


def test_edgesimpy_keeps_its_users(tmp_path: Path) -> None:
    scenario = imported(tmp_path, EDGESIMPY, "e.json")
    assert (scenario.n_devices, scenario.access_points, scenario.nodes) == (
        2,
        ("access-point-1",),
        ("mec-1",),
    )
    np.testing.assert_array_equal(scenario.sites.device_m, [[1000, 0], [0, 500]])
    assert "objects of Service" in report(scenario)["dropped"]
    assert any("no unit" in sentence for sentence in remembered(scenario.origin))
    assert imported(tmp_path, EDGESIMPY, "e.json", devices=1).n_devices == 1
    with pytest.raises(InvalidScenarioError, match="must be at most 2, the users in the file"):
        imported(tmp_path, EDGESIMPY, "e.json", devices=3)


def test_yafs_has_no_access_points_so_fog_nodes_give_access(tmp_path: Path) -> None:
    text = '{"entity": [{"id": 0, "model": "cloud"}, {"id": 1, "model": "fog"},], "link": [{"s": 0, "d": 1, "BW": 1}]}'
    scenario = imported(tmp_path, text, "y.json")
    assert (scenario.access_points, scenario.nodes) == (("fog-1",), ("fog-1", "cloud-0"))
    assert scenario.node_kinds == ("coin", "mec")
    told = remembered(scenario.origin)
    assert any("1 commas before a closing bracket" in sentence for sentence in told)
    assert any("access points at the 1 nodes" in sentence for sentence in told)


def test_mobile_env_needs_its_stations(tmp_path: Path) -> None:
    config: dict[str, Any] = {"width": 200, "bs": {"bw": 9e6}, "ue": {"velocity": 1.5}}
    with pytest.raises(InvalidScenarioError, match=r"is a configuration of mobile-env.*add stations"):
        imported(tmp_path, config, "m.json")
    scenario = imported(tmp_path, {**config, "stations": [[0, 0], [100, 0], [200, 50]]}, "m.json", coins=1)
    assert (scenario.access_points, scenario.node_kinds) == (("bs0", "bs1", "bs2"), ("coin", "mec"))
    assert any("at access points: the file has none" in sentence for sentence in remembered(scenario.origin))


def test_mobile_env_with_the_defaults_left_out_has_as_many_users_as_it_says(tmp_path: Path) -> None:
    config = {"EP_MAX_TIME": 100, "bs": {"bw": 9e6}, "stations": [[0, 0], [100, 50]], "users": 5}
    assert imported(tmp_path, config, "m.json").n_devices == 5
    assert imported(tmp_path, config, "m.json", devices=7).n_devices == 7
    for users in (0, 2.5, "many", 10**9):
        with pytest.raises(InvalidScenarioError, match=r"m\.json, users"):
            imported(tmp_path, {**config, "users": users}, "m.json")


def test_what_is_refused_names_the_file(tmp_path: Path) -> None:
    nodes = [{"id": 1, "x": 0, "y": 0}, {"id": 2, "x": "here", "y": 1}]
    with pytest.raises(InvalidScenarioError, match=r"^n\.json, nodes\[1\]\.x, y is 'here'"):
        imported(tmp_path, {"nodes": nodes, "links": []}, "n.json")
    with pytest.raises(InvalidScenarioError, match=r"^n\.json, nodes is 1 but must be two vertices"):
        imported(tmp_path, {"nodes": nodes[:1], "links": []}, "n.json")
    with pytest.raises(InvalidScenarioError, match=r"^roles is "):  # nothing of the file
        imported(tmp_path, {"nodes": nodes, "links": []}, "n.json", roles="none")
    (tmp_path / "m.json").write_bytes(b"\xef\xbb\xbf")
    with pytest.raises(InvalidScenarioError, match=r"m\.json: is empty"):
        import_graph(tmp_path / "m.json")


def test_edges_beside_links(tmp_path: Path) -> None:
    nodes = [{"id": x} for x in "abcd"]
    links = [{"source": "a", "target": x} for x in "bcd"]
    scenario = imported(tmp_path, {"nodes": nodes, "edges": [], "links": links}, "n.json")
    assert scenario.nodes[-1] == "a", "the links make it the centre"
    assert "'edges' is empty, so 'links' was read" in report(scenario)["odd"]
    with pytest.raises(InvalidScenarioError, match="has 'edges' and 'links' that differ; keep one"):
        imported(tmp_path, {"nodes": nodes, "edges": links[:1], "links": links}, "n.json")


def test_names_that_stand_twice_or_not_at_all(tmp_path: Path) -> None:
    nodes = [{"id": k, "label": label} for k, label in enumerate(["Porto", "Porto", "None", "Braga", None])]
    links = [{"source": 0, "target": k} for k in range(1, 5)]
    scenario = imported(tmp_path, {"nodes": nodes, "links": links}, "n.json")
    assert set(scenario.access_points + scenario.nodes) == {"Porto 0", "Porto 1", "2", "Braga", "4"}


def test_missing_positions_are_put_among_neighbours(tmp_path: Path) -> None:
    nodes = [
        {"id": "a", "kind": "ap", "x": 0, "y": 0},
        {"id": "b", "kind": "ap"},
        {"id": "c", "kind": "ap"},
        {"id": "d", "kind": "mec", "x": 300, "y": 30},
        {"id": "e", "kind": "ap"},
    ]
    links = [{"source": x, "target": y} for x, y in ("ab", "bc", "cd")]
    scenario = imported(tmp_path, {"nodes": nodes, "links": links}, "n.json")
    np.testing.assert_allclose(
        present(scenario.sites.access_point_m), [[0, 0], [100, 10], [200, 20], [150, 15]]
    )
    assert any("positions of 3 of 5 vertices" in s and "b, c, e" in s for s in remembered(scenario.origin))


def test_the_date_line_divides_no_network(tmp_path: Path) -> None:
    nodes = [
        {"id": "a", "kind": "ap", "latitude": -17, "longitude": 179.99},
        {"id": "b", "kind": "mec", "latitude": -17, "longitude": -179.99},
    ]
    scenario = imported(tmp_path, {"nodes": nodes, "links": []}, "n.json")
    np.testing.assert_allclose(
        present(scenario.sites.node_m) - present(scenario.sites.access_point_m), [[2129, 0]], atol=2
    )


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"PK\x03\x04", "x.zip", "is a ZIP archive"),
        (b"\x1f\x8b", "x.json.gz", "is compressed with gzip"),
        (b"", "x.json", "is empty"),
        (b"<gexf/>", "x.gexf", "is GEXF of Gephi, which is not read; save it as GraphML"),
        (b"<kml/>", "x.kml", "is KML"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><graphml/>', "x.graphml", "declares XML entities"),
        (b"a,b\n1,2\n", "x.csv", "is a table, not a graph; use slicewright scenario import tables"),
        (b'{"type": "FeatureCollection"}', "x.json", "is GeoJSON"),
        (b'{"adjacency": []}', "x.json", "is adjacency JSON of NetworkX"),
        (b'{"schema": "slicewright/scenario/v1"}', "x.json", "is a slicewright/scenario/v1 file already"),
        (
            b'{"vertices": []}',
            "x.json",
            "in no format that is known here",
        ),
        (b"[1, 2]", "x.json", "it holds a list"),
        (b'{"nodes": [{"id": 1}, {"id": 2, "kind": "mecc"}], "links": []}', "x.json", "did you mean 'mec'"),
        (b'graph [ node [ id 0 type "celll" ] node [ id 1 type "mec" ] ]', "x.gml", "did you mean 'cell'"),
    ],
)
def test_what_is_not_read_is_called_by_its_name(tmp_path: Path, content: bytes, name: str, told: str) -> None:
    with pytest.raises(InvalidScenarioError) as caught:
        imported(tmp_path, content, name)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_importer_is_found_by_the_source(tmp_path: Path) -> None:
    (tmp_path / "g.gml").write_text(GML)
    assert import_scenario(tmp_path / "g.gml").nodes == ("m1",)
    with pytest.raises(InvalidScenarioError, match="is a folder without tables of sites"):
        import_scenario(tmp_path)
    with pytest.raises(FileNotFoundError):
        import_scenario(tmp_path / "nowhere.json")
