"""Places as other programs write them: one attribute with both numbers, drawings, degrees that are not called so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers import import_graph, import_scenario, import_tables, remembered
from slicewright.network.scenario import Scenario
from tests.present import present

KINDS = ("ap", "ap", "mec")


def node_link(folder: Path, *places: dict[str, Any]) -> Scenario:
    vertices = [
        {"id": k, "kind": kind, **place} for k, (kind, place) in enumerate(zip(KINDS, places, strict=True))
    ]
    (folder / "g.json").write_text(json.dumps({"nodes": vertices, "links": []}))
    return import_graph(folder / "g.json", devices=3)


@pytest.mark.parametrize(
    "places",
    [
        [{"pos": [0, 0]}, {"pos": [500, 0]}, {"pos": [0, 400]}],
        [{"pos": [0, 0, 25]}, {"pos": [500, 0, 25]}, {"pos": [0, 400, 3]}],
        [{"pos": "0,0"}, {"pos": "(500.0, 0)"}, {"pos": "[0; 4e2]"}],
        [{"pos": "0,0!"}, {"pos": "500 0 3"}, {"pos": "0,400"}],
        [{"position": {"x": 0, "y": 0}}, {"position": {"x": 500, "y": 0}}, {"position": {"X": 0, "y": 400}}],
        [{"coordinates": [0, 0]}, {"coordinates": [500, 0]}, {"coordinates": [0, 400]}],
    ],
)
def test_both_numbers_in_one_attribute(tmp_path: Path, places: list[dict[str, Any]]) -> None:
    scenario = node_link(tmp_path, *places)
    assert present(scenario.sites.access_point_m).tolist() == [[0, 0], [500, 0]]
    assert present(scenario.sites.node_m).tolist() == [[0, 400]]


def test_degrees_within_a_mapping_and_places_that_are_none(tmp_path: Path) -> None:
    places = [{"location": {"lat": 50, "lon": 8 + step / 100}} for step in range(3)]
    assert np.ptp(present(node_link(tmp_path, *places).sites.access_point_m)[:, 0]) == pytest.approx(
        716.9, abs=1
    )
    with pytest.raises(InvalidScenarioError, match=r"nodes.pos is 'north' but must be a place: \[x, y\]"):
        node_link(tmp_path, {"pos": "north"}, {"pos": [1, 2]}, {"pos": [3, 4]})
    told = remembered(node_link(tmp_path, {"location": "Bonn"}, {"x": 1, "y": 2}, {"x": 30, "y": 40}).origin)
    assert "attributes of vertices: location" in told


def test_gml_of_networkx_has_lists_as_a_key_again_and_again(tmp_path: Path) -> None:
    places = ("pos 5.0 pos 5.0", "pos 505 pos 5", "graphics [ center [ x 9 y 9 ] ] pos 5 pos 405")
    nodes = "".join(f'node [ id {k} kind "{kind}" {places[k]} ]\n' for k, kind in enumerate(KINDS))
    (tmp_path / "g.gml").write_text(f"graph [\n{nodes}edge [ source 0 target 2 ]\n]")
    scenario = import_graph(tmp_path / "g.gml")
    assert present(scenario.sites.access_point_m).tolist() == [[0, 0], [500, 0]]


def test_older_gml_draws_by_centres(tmp_path: Path) -> None:
    nodes = "".join(
        f'node [ id {k} kind "{kind}" graphics [ center [ x {k}00 y 1 ] w 3 ] ]\n'
        for k, kind in enumerate(KINDS)
    )
    (tmp_path / "g.gml").write_text(f"graph [\n{nodes}]")
    scenario = import_graph(tmp_path / "g.gml")
    assert present(scenario.sites.access_point_m).tolist() == [[0, 0], [100, 0]]
    assert any(told.startswith("positions are those of a drawing") for told in remembered(scenario.origin))


def test_sndlib_has_drawings_and_nodes_without_a_place(tmp_path: Path) -> None:
    head = "?SNDlib native format; type: network; version: 1.0\nNODES (\n"
    links = ")\nLINKS (\n L1 ( A B ) 0.0\n L2 ( B C )\n L3 ( C D )\n)\n"
    (tmp_path / "n.txt").write_text(
        head + "A ( 450.0 90 )\nB ( 20 300 )\nC ( 30 190 )\nD ( 200 190 )\n" + links
    )
    scenario = import_graph(tmp_path / "n.txt", devices=3)
    assert scenario.origin["positions"] == "x, y"
    assert any(told.startswith("positions are those of a drawing") for told in remembered(scenario.origin))
    (tmp_path / "n.txt").write_text(head + "A\nB ( )\nC ( 8.0 50.0 )\nD ( 8.1 50.0 )\n" + links)
    told = remembered(import_graph(tmp_path / "n.txt", devices=3).origin)
    assert any(
        sentence.startswith("positions of 2 of 4 vertices") and sentence.endswith("A, B") for sentence in told
    )
    (tmp_path / "n.txt").write_text(
        head + "A ( 8.0 91 )\nB ( 8 51 )\nC ( 8.0 50.0 )\nD ( 8.1 50.0 )\n" + links
    )
    with pytest.raises(InvalidScenarioError, match="latitude is '91' but of 'A' must be"):
        import_graph(tmp_path / "n.txt")


def test_elements_of_cytoscape_without_a_document_around_them(tmp_path: Path) -> None:
    elements = [
        {"data": {"id": k, "kind": kind}, "position": {"x": k, "y": 0}} for k, kind in enumerate(KINDS)
    ]
    (tmp_path / "c.json").write_text(json.dumps([*elements, {"data": {"source": 0, "target": 2}}]))
    assert import_scenario(tmp_path / "c.json").access_points == ("0", "1")


def test_degrees_that_are_called_x_and_y_are_told(tmp_path: Path) -> None:
    places = [{"x": 144.95 + step, "y": -37.81} for step in (0.0, 0.01, 0.02)]
    sentence = "all positions are within 0.02 m: if x and y are longitude and latitude, call them so"
    assert sentence in remembered(node_link(tmp_path, *places).origin)
    (tmp_path / "sites.csv").write_text("name,x [m],y [m]\na,144.95,-37.81\nb,144.97,-37.82\n")
    assert f"sites.csv: {sentence}" in remembered(import_tables(tmp_path).origin)
    (tmp_path / "sites.csv").write_text("name,x [m],y [m]\na,144.95,-37.81\nb,644.97,-37.82\n")
    assert not any("longitude" in told for told in remembered(import_tables(tmp_path).origin))


def test_degrees_of_cytoscape_are_not_scaled(tmp_path: Path) -> None:
    elements = [
        {"data": {"id": k, "kind": kind, "lat": 50 + k / 100, "lng": 8}} for k, kind in enumerate(KINDS)
    ]
    (tmp_path / "c.json").write_text(json.dumps(elements))
    scenario = import_scenario(tmp_path / "c.json")
    assert present(scenario.sites.access_point_m)[1].tolist() == [0, pytest.approx(1112.3, abs=0.1)]
    assert not any("no unit" in told for told in remembered(scenario.origin))


@pytest.mark.parametrize(
    ("latitude", "longitude", "told"),
    [
        ("48,2", "16,3", "write a point where it has a decimal comma"),
        (-17.8, 180.1, "take 360 from longitudes that go from 0 to 360"),
        ("48°12'N", 16.3, "write degrees as decimal numbers"),
        ("4_8.2", 16.3, "must be a number from -90 to 90 degrees"),
    ],
)
def test_degrees_as_others_write_them(tmp_path: Path, latitude: object, longitude: object, told: str) -> None:
    with pytest.raises(InvalidScenarioError, match=told):
        node_link(tmp_path, {"lat": latitude, "lon": longitude}, {}, {})


def gml(folder: Path, *places: str) -> Scenario:
    nodes = "".join(f"node [ id {k} {place} ]\n" for k, place in enumerate(places))
    (folder / "g.gml").write_text(f"graph [\n{nodes}edge [ source 0 target 1 ]\n]")
    return import_graph(folder / "g.gml", devices=3)


def test_no_numbers_of_gml_are_no_position(tmp_path: Path) -> None:
    told = remembered(gml(tmp_path, "lat NAN lon NAN", "lat 51.0 lon 7", "lat 51.01 lon 7").origin)
    assert any(sentence.startswith("positions of 1 of 3 vertices") for sentence in told)
    with pytest.raises(InvalidScenarioError, match="latitude is nan but of '0' must be a number"):
        gml(tmp_path, "lat NAN lon 7", "lat 51.0 lon 7", "lat 51.01 lon 7")


def test_vertices_of_a_graph_that_are_somewhere_else_are_told(tmp_path: Path) -> None:
    near = ["lat 51.0 lon 7", "lat 51.01 lon 7", "lat 51.02 lon 7"]
    assert not any("far from" in told for told in remembered(gml(tmp_path, *near).origin))
    told = remembered(gml(tmp_path, *near, "lat 7.0 lon 51").origin)
    assert any("the nearest one of '3' is 6," in sentence for sentence in told), told
    assert "vertices at latitude and longitude 0: 3" in remembered(
        gml(tmp_path, *near, "lat 0 lon 0.0").origin
    )


def test_users_of_mobile_env_are_devices(tmp_path: Path) -> None:
    document = {
        "bs": {"bw": 9e6},
        "ue": {},
        "stations": [[0, 0], [100, 50]],
        "users": [[50, 0], [20, 0], [0, 10]],
    }
    (tmp_path / "m.json").write_text(json.dumps(document))
    assert present(import_graph(tmp_path / "m.json").sites.device_m).tolist() == [
        [500, 0],
        [200, 0],
        [0, 100],
    ]


def test_a_single_place_makes_no_map(tmp_path: Path) -> None:
    scenario = node_link(tmp_path, {"x": 10, "y": 20}, {}, {})
    assert scenario.origin["positions"] == "spring layout"
    assert np.ptp(present(scenario.sites.access_point_m), axis=0).max() > 0
    assert any("a single place makes no map" in told for told in remembered(scenario.origin))
