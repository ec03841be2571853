"""Graph files and topohub: roles, positions, and mistakes that name vertex and rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from slicewright.errors import InvalidScenarioError, MissingExtraError, UnknownNameError
from slicewright.network.importers import import_graph, import_topohub, scenario_from_graph, topologies
from tests.present import present

KINDS: dict[str, Any] = {
    "nodes": [
        {"id": "a", "kind": "access_point", "x": 0, "y": 0},
        {"id": 2, "kind": "AP", "x": 300, "y": 0},
        {"id": "c", "kind": "coin", "x": 100, "y": 50},
        {"id": "m", "kind": "mec", "x": 200, "y": 50},
        {"id": "r", "kind": "router", "x": 150, "y": 80},
    ],
    "links": [{"source": "a", "target": "c"}, {"source": 2, "target": "m"}],
}


def written(tmp_path: Path, document: object, name: str = "g.json") -> Path:
    file = tmp_path / name
    file.write_text(json.dumps(document))
    return file


@pytest.mark.parametrize("key", ["links", "edges"])
def test_kinds_are_roles_and_both_names_of_the_edge_list_work(tmp_path: Path, key: str) -> None:
    document = {"nodes": KINDS["nodes"], key: KINDS["links"]}
    scenario = import_graph(written(tmp_path, document), devices=7)
    assert scenario.access_points == ("a", "2")
    assert (scenario.nodes, scenario.node_kinds) == (("c", "m"), ("coin", "mec"))
    np.testing.assert_array_equal(scenario.sites.access_point_m, [[0, 0], [300, 0]])
    assert scenario.n_devices == 7
    assert (scenario.origin["roles"], scenario.origin["positions"]) == ("kind", "x, y")


@pytest.mark.parametrize("edges", ["links", "edges"])
def test_what_networkx_writes_is_read(tmp_path: Path, edges: str) -> None:
    graph = nx.star_graph(6)
    scenario = import_graph(written(tmp_path, nx.node_link_data(graph, edges=edges)), coins=1, mecs=1)
    assert scenario.nodes == ("1", "0"), "the hub is the MEC server, the first of its equals the COIN node"
    assert scenario.access_points == ("2", "3", "4", "5", "6")


def test_graphml_with_positions_in_degrees(tmp_path: Path) -> None:
    graph = nx.path_graph(5)
    for v in graph:
        graph.nodes[v].update(Latitude=52.0 + v / 1000, Longitude=21.0, label=f"city {v}")
    nx.write_graphml(graph, tmp_path / "g.graphml")
    scenario = import_graph(tmp_path / "g.graphml", coins=1, mecs=1, roles="betweenness")
    assert scenario.nodes == ("city 1", "city 2")
    assert scenario.origin["positions"] == "latitude, longitude"
    np.testing.assert_allclose(
        np.ptp(present(scenario.sites.access_point_m), axis=0), np.array([0, 445.1]), atol=0.5
    )


def test_without_positions_a_seeded_spring_layout(tmp_path: Path) -> None:
    file = written(tmp_path, nx.node_link_data(nx.cycle_graph(8), edges="edges"))
    one, same, other = (import_graph(file, seed=seed) for seed in (1, 1, 2))
    assert one.origin["positions"] == "spring layout"
    np.testing.assert_array_equal(present(one.sites.access_point_m), present(same.sites.access_point_m))
    assert not np.array_equal(present(one.sites.access_point_m), present(other.sites.access_point_m))
    everything = np.vstack([present(one.sites.access_point_m), present(one.sites.node_m)])
    assert np.ptp(everything, axis=0).max() == pytest.approx(1000, abs=0.01)


def test_area_scales_the_map(tmp_path: Path) -> None:
    scenario = import_graph(written(tmp_path, KINDS), area_m=30)
    np.testing.assert_array_equal(scenario.sites.access_point_m, [[0, 0], [30, 0]])


def with_node(**changes: object) -> dict[str, object]:
    return {**KINDS, "nodes": [{**KINDS["nodes"][0], **changes}, *KINDS["nodes"][1:]]}


@pytest.mark.parametrize(
    ("document", "parameters", "message"),
    [
        ({"nodes": []}, {}, "g.json: must be node-link JSON: a list 'nodes', and a list 'edges' or 'links'"),
        ({"nodes": [], "edges": []}, {}, "nodes: the graph has no vertex"),
        ({"nodes": [3], "edges": []}, {}, "nodes[0] is 3 but must be a mapping with an 'id'"),
        ({"nodes": [{"id": 1}, {"id": "1"}], "edges": []}, {}, "nodes[1] is '1' but has the id of an earlier node"),
        (
            {**KINDS, "links": [{"source": "a", "target": "z"}]}, {},
            "links[0] is {'source': 'a', 'target': 'z'} but must join two ids of 'nodes' by its 'source' and 'target'",
        ),
        (
            with_node(kind="acces_point"), {},
            "nodes[0] is 'acces_point' but 'a' has a kind that is not known; did you mean 'access_point'?",
        ),
        (with_node(x="east"), {}, "nodes[0].x, y is 'east' but of 'a' must be a number"),
        (with_node(x=float("nan")), {}, "nodes[0].x, y is nan but of 'a' must be a number"),
        (KINDS, {"roles": "degre"}, "roles is 'degre' but must be one of auto, kind, degree, betweenness"),
        (
            KINDS, {"roles": "degree", "coins": 4},
            "coins: 4 COIN nodes and 1 MEC servers must be at least one node and leave an access point of 5 vertices",
        ),
        (
            {"nodes": [{"id": 1, "kind": "coin"}], "edges": []}, {},
            "nodes: none has the kind access_point; there must be at least one",
        ),
        (
            {"nodes": [{"id": 1, "kind": "ap"}], "edges": []}, {},
            "nodes: none has the kind coin or mec; there must be at least one",
        ),
    ],
)  # fmt: skip
def test_mistakes_name_vertex_and_rule(
    tmp_path: Path, document: object, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidScenarioError) as caught:
        import_graph(written(tmp_path, document), **parameters)
    assert str(caught.value).removeprefix("g.json, ") == message


def test_broken_graphml_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "g.graphml"
    file.write_text("<graphml><graph></graphml>")
    with pytest.raises(InvalidScenarioError, match=r"g\.graphml: is not valid GraphML"):
        import_graph(file)


def test_a_users_own_graph_needs_no_file() -> None:
    graph = nx.Graph([("x", "y"), ("y", "z"), ("y", "w")])
    scenario = scenario_from_graph(graph, source={"importer": "mine"}, devices=4, coins=1)
    assert (scenario.nodes, scenario.origin["importer"]) == (("x", "y"), "mine")


def test_topohub_topologies_fit_into_a_city() -> None:
    pytest.importorskip("topohub")
    scenario = import_topohub("topozoo/Abilene", seed=1, devices=5)
    assert "Denver" in scenario.access_points + scenario.nodes
    everything = np.vstack([present(scenario.sites.access_point_m), present(scenario.sites.node_m)])
    assert np.ptp(everything, axis=0).max() == pytest.approx(2000, abs=0.01)
    west = present(scenario.sites.access_point_m)[scenario.access_points.index("Seattle")]
    east = present(scenario.sites.access_point_m)[scenario.access_points.index("New York")]
    assert west[0] < east[0]


def test_devices_of_a_topology_list_the_nodes_in_reach() -> None:
    pytest.importorskip("topohub")
    scenario = import_topohub("topozoo/Abilene", seed=1, devices=40, reach_m=800.0, node_reach_m=700.0)
    lists, sites = present(scenario.node_lists), scenario.sites
    away_m = np.linalg.norm(present(sites.device_m)[:, None] - present(sites.node_m), axis=2)
    for i in range(40):
        listed = lists.node[lists.start[i] : lists.start[i + 1]]
        assert listed.tolist() == np.flatnonzero(away_m[i] <= 700.0).tolist()
    assert 0 < lists.node.size < away_m.size


def test_an_unknown_topology_suggests_the_nearest() -> None:
    pytest.importorskip("topohub")
    assert len(topologies()) > 200
    with pytest.raises(UnknownNameError, match="did you mean 'topozoo/Abilene'"):
        import_topohub("topozoo/abilene")


def test_without_topohub_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slicewright.network.importers.topohub.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"slicewright\[topologies\]"):
        topologies()
