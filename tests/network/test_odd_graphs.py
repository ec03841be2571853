"""Graphs in which something stands twice, in another place or by another name: kept, or asked about."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers import import_graph, remembered
from slicewright.network.scenario import Scenario
from tests.present import present

GRAPHML = """<?xml version="1.0"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="k" for="node" attr.name="kind" attr.type="string"/>
<key id="x" for="node" attr.name="x" attr.type="int"><default>7</default></key>
<key id="y" for="node" attr.name="y" attr.type="double"/>
<graph edgedefault="undirected">@</graph></graphml>"""


def node(name: str, kind: str, **places: str) -> str:
    values = "".join(f'<data key="{axis}">{value}</data>' for axis, value in places.items())
    return f'<node id="{name}"><data key="k">{kind}</data>{values}</node>'


TWO = node("a", "ap", x="5e2", y="0") + node("b", "mec", y="1.0E1")


def graphml(folder: Path, body: str, whole: str = GRAPHML) -> Scenario:
    (folder / "g.graphml").write_text(whole.replace("@", body))
    return import_graph(folder / "g.graphml", devices=3)


def test_numbers_of_graphml_are_read_alike_whatever_their_type(tmp_path: Path) -> None:
    scenario = graphml(tmp_path, TWO)
    assert present(scenario.sites.access_point_m).tolist() == [[493, 0]]
    assert present(scenario.sites.node_m).tolist() == [[0, 10]], "its x is the default of the key"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (TWO + node("a", "mec"), "node[2] is 'a' but has the id of an earlier node"),
        (TWO + '<edge source="a" target="z"/>', "'target': 'z'} but must join two ids"),
        (
            node("a", "ap") + '<node id="b"><data key="k">mec</data><data key="k">coin</data></node>',
            "g.graphml: has two values of 'kind' for the vertex 'b', 'mec' and 'coin'; keep one",
        ),
        (TWO + '</graph><graph edgedefault="directed">', "g.graphml: must hold one graph, not 2"),
        (node("a", "ap", q="1"), "g.graphml: is not valid GraphML: it refers to the key 'q', which is not"),
        ("<node/>", "node[0]: has no id"),
    ],
)
def test_what_graphml_would_lose_is_refused(tmp_path: Path, body: str, told: str) -> None:
    with pytest.raises(InvalidScenarioError) as caught:
        graphml(tmp_path, body)
    assert told in str(caught.value)


def test_a_key_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidScenarioError, match="has the key 'k' twice; keep one of them"):
        graphml(tmp_path, TWO, GRAPHML.replace('id="y"', 'id="k"'))


def test_vertices_in_groups_and_edges_of_many_ends(tmp_path: Path) -> None:
    group = f'<node id="g"><graph edgedefault="undirected">{node("b", "mec")}</graph></node>'
    scenario = graphml(tmp_path, node("a", "ap") + group + '<hyperedge><endpoint node="a"/></hyperedge>')
    assert (scenario.access_points, scenario.nodes) == (("a",), ("b",))
    told = remembered(scenario.origin)
    assert "1 groups of vertices" in told
    assert "1 edges of more than two ends" in told


def gml(folder: Path, text: str) -> Scenario:
    (folder / "g.gml").write_text(f"graph [\n{text}\n]")
    return import_graph(folder / "g.gml", devices=3)


def test_names_in_gml_are_text_and_no_key_stands_twice(tmp_path: Path) -> None:
    scenario = gml(tmp_path, 'node [ id 1 label 0123 type "cell" ]\nnode [ id 2 label 5e2 type "mec" ]')
    assert (scenario.access_points, scenario.nodes) == (("0123",), ("5e2",))
    with pytest.raises(InvalidScenarioError, match=r"g\.gml: has 'lat' twice .*, in lines 3 and 4; keep one"):
        gml(tmp_path, "node [ id 1\nlat 1.0 lon 2.0\nlat 5.0 ]")


def node_link(folder: Path, nodes: list[dict[str, object]], **edges: object) -> Scenario:
    (folder / "g.json").write_text(json.dumps({"nodes": nodes, **edges}))
    return import_graph(folder / "g.json")


def test_edges_by_names_and_by_other_words(tmp_path: Path) -> None:
    named: list[dict[str, object]] = [
        {"name": "a", "kind": "ap", "x": 0, "y": 0},
        {"name": "b", "kind": "mec"},
    ]
    by_name = node_link(tmp_path, named, links=[{"source": "a", "target": "b"}])
    by_index = node_link(tmp_path, named, edges=[{"from": 0, "to": 1}])
    for scenario in (by_name, by_index):
        assert (scenario.access_points, scenario.nodes) == (("a",), ("b",))
        assert "2 vertices and 1 edges from g.json (node-link)" in str(scenario.origin["report"])


def test_users_in_a_graph_are_devices_and_those_far_away_are_told(tmp_path: Path) -> None:
    nodes: list[dict[str, object]] = [
        {"id": 1, "kind": "ap", "lat": 52.0, "lon": 13.0, "x": 4, "y": 5},
        {"id": 2, "kind": "mec", "lat": 52.01, "lon": 13.0},
        {"id": 3, "kind": "user", "lat": 52.005, "lon": 13.0},
        {"id": "Sydney", "kind": "user", "lat": -33.9, "lon": 151.2},
    ]
    scenario = node_link(tmp_path, nodes, links=[])
    away = present(scenario.sites.device_m) - present(scenario.sites.access_point_m)
    np.testing.assert_allclose(away[0], [0, 556], atol=2)
    told = remembered(scenario.origin)
    assert "positions from x, y: those from latitude, longitude are taken" in told
    (far,) = [sentence for sentence in told if "every access point" in sentence]
    assert far.startswith(
        "1 of 2 users are more than 100 km from every access point; the nearest one of 'Sydney'"
    )
    swapped: list[dict[str, object]] = [
        {**entry, "lat": entry["lon"], "lon": entry["lat"]} for entry in nodes
    ]
    with pytest.raises(InvalidScenarioError, match=r"151\.2 but .*; latitude and longitude may be exchanged"):
        node_link(tmp_path, swapped, links=[])


SNDLIB = """<?xml version="1.0" encoding="@"?>
<network xmlns="http://sndlib.zib.de/network"><networkStructure><nodes>
<node id="大阪"><coordinates><x>135.5</x><y>34.7</y></coordinates></node>
<node id="京都"><coordinates><x>135.8</x><y>35.0</y></coordinates></node>
<node id="神戸"><coordinates><x>135.2</x><y>34.7</y></coordinates></node></nodes>
<links><link id="L"><source>大阪</source><target>京都</target></link></links></networkStructure></network>"""


def xml(folder: Path, declared: str, codec: str) -> Scenario:
    (folder / "g.xml").write_bytes(SNDLIB.replace("@", declared).encode(codec))
    return import_graph(folder / "g.xml", devices=3)


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("UTF-8", "utf-8"),
        ("UTF-8", "utf-8-sig"),
        ("UTF-16", "utf-16"),
        ("UTF-16", "utf-16-be"),
        ("UTF-16", "utf-16-le"),
        ("UTF-32", "utf-32"),
        ("Shift_JIS", "shift_jis"),
        ("EUC-JP", "euc_jp"),
    ],
)
def test_xml_in_the_encoding_that_it_declares(tmp_path: Path, declared: str, codec: str) -> None:
    scenario = xml(tmp_path, declared, codec)
    assert {*scenario.access_points, *scenario.nodes} == {"大阪", "京都", "神戸"}


@pytest.mark.parametrize(
    ("declared", "codec", "told"),
    [
        (
            "x-mac-klingon",
            "utf-8",
            "declares the encoding 'x-mac-klingon', which is not known; save it as UTF-8",
        ),
        ("UTF-16", "utf-8", "declares the encoding 'UTF-16', and is not in it; save it as UTF-8"),
        ("EUC-JP", "shift_jis", "declares the encoding 'EUC-JP', and is not in it; save it as UTF-8"),
        (
            "UTF-8",
            "shift_jis",
            "must be a text file in UTF-8, but line 3 holds the byte 0x91; save it as UTF-8",
        ),
    ],
)
def test_xml_in_no_encoding_that_is_known(tmp_path: Path, declared: str, codec: str, told: str) -> None:
    with pytest.raises(InvalidScenarioError) as caught:
        xml(tmp_path, declared, codec)
    assert str(caught.value) == f"g.xml: {told}"


def test_places_in_brackets_of_gml_are_read_and_the_rest_is_told(tmp_path: Path) -> None:
    ports = "ports [ speed 1 ] ports [ speed 2 ]"
    scenario = gml(
        tmp_path,
        f'node [ id 1 kind "ap" pos [ x 1 y 2 ] {ports} ]\nnode [ id 2 kind "mec" pos [ x 30 y 40 ] ]',
    )
    assert present(scenario.sites.access_point_m).tolist() == [[0, 0]]
    assert present(scenario.sites.node_m).tolist() == [[29, 38]]
    assert "attributes of vertices: ports" in remembered(scenario.origin)


def test_a_native_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    text = "?SNDlib native format; type: network; version: 1.0\nNODES (\n a ( 1 2 )\n b ( 3 4 )\n"
    (tmp_path / "g.txt").write_text(text)
    with pytest.raises(InvalidScenarioError, match=r"g\.txt: ends within its section NODES"):
        import_graph(tmp_path / "g.txt")


def test_compounds_of_cytoscape_are_no_vertices(tmp_path: Path) -> None:
    elements = [{"data": {"id": name, "parent": "rack"}} for name in "abc"] + [{"data": {"id": "rack"}}]
    edges = [{"data": {"source": "a", "target": end}} for end in "bc"]
    (tmp_path / "g.json").write_text(json.dumps({"elements": elements + edges}))
    scenario = import_graph(tmp_path / "g.json", devices=3)
    assert {*scenario.access_points, *scenario.nodes} == {"a", "b", "c"}
    assert "1 groups of vertices" in remembered(scenario.origin)


def test_users_of_edgesimpy_begin_where_their_trace_does(tmp_path: Path) -> None:
    def thing(number: int, **attributes: object) -> dict[str, object]:
        return {"attributes": {"id": number, **attributes}}

    users = [thing(1, coordinates=None, coordinates_trace=[[4, 0], [9, 9]]), thing(2, coordinates=[2, 0])]
    document = {
        "BaseStation": [thing(1, coordinates=[0, 0])],
        "EdgeServer": [thing(1, coordinates=[8, 0], cpu=8)],
        "User": users,
    }
    (tmp_path / "g.json").write_text(json.dumps(document))
    scenario = import_graph(tmp_path / "g.json")
    assert present(scenario.sites.device_m).tolist() == [[500, 0], [250, 0]]
