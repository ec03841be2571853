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
