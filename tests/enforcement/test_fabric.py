"""Numbering, ways and rules of the switched network, without a switch."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import slicewright as sw
from slicewright.enforcement.sdn.fabric import Fabric, Hop, load_fabric, numbered_fabric
from slicewright.enforcement.sdn.rules import COOKIE_TAG, IN_PORT, Part, meter_of, rules_of, task_rules
from slicewright.placement import Link, linked_topology, placement_preset
from tests.present import present


@pytest.fixture(scope="module")
def fabric() -> Fabric:
    return numbered_fabric(placement_preset(tasks=1).topology)


def test_every_node_is_a_switch_with_an_executor_and_every_access_point_a_host(fabric: Fabric) -> None:
    topology = fabric.topology
    assert list(fabric.switches.values()) == list(range(1, topology.n_nodes + 1))
    assert all(fabric.hosts[name].switch == name for name in topology.nodes)
    assert fabric.hosts["ap3"].switch == "lower3"
    ports = [(host.switch, host.port) for host in fabric.hosts.values()]
    ports += [(a, port) for (a, _), port in fabric.cables.items()]
    assert len(set(ports)) == len(ports)


def test_ways_are_shortest_and_joined_port_to_port(fabric: Fabric) -> None:
    topology = fabric.topology
    for a, access_point in enumerate(topology.access_points):
        for j, node in enumerate(topology.nodes):
            way = present(fabric.way(access_point, (node,)))
            assert way[0].in_port == fabric.hosts[access_point].port
            assert way[-1].out_port == fabric.hosts[node].port
            names = [hop.switch for hop in way]
            length = sum(fabric._lengths[u][v] for u, v in itertools.pairwise(names))
            reach = length + 1.0  # the link from the access point to its node
            assert reach == pytest.approx(topology.access_point_to_node[a, j])
            for one, two in itertools.pairwise(way):
                assert one.out_port == fabric.cables[one.switch, two.switch]
                assert two.in_port == fabric.cables[two.switch, one.switch]


def test_the_second_executor_is_reached_by_way_of_the_first(fabric: Fabric) -> None:
    way = present(fabric.way("ap0", ("lower7", "lower0")))
    assert [hop.switch for hop in way] == ["lower0", "upper0", "lower7", "upper0", "lower0"]


def test_a_way_avoids_switches_that_are_away_or_there_is_none(fabric: Fabric) -> None:
    detour = fabric.way("ap0", ("upper0",), lambda name: name not in ("upper0",))
    assert detour is None
    first = present(fabric.way("ap0", ("lower1",)))
    other = fabric.way("ap0", ("lower1",), lambda name: name != first[1].switch)
    assert other is not None
    assert first[1].switch not in [hop.switch for hop in other]


def test_a_fabric_survives_its_file(fabric: Fabric) -> None:
    again = load_fabric(fabric.topology, fabric.to_dict())
    assert again.to_dict() == fabric.to_dict()
    assert again.way("ap5", ("mec0",)) == fabric.way("ap5", ("mec0",))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda doc: doc["switches"].pop("upper1"), "must name the node upper1"),
        (lambda doc: doc["switches"].update(upper1=1), "different datapath identifiers"),
        (
            lambda doc: doc["hosts"]["ap0"].update(ip="10.90.0.300"),
            "hosts.ap0.ip is '10.90.0.300' but must be an IPv4",
        ),
        (lambda doc: doc["hosts"]["ap0"].update(ip="10.90.0.1"), "different IP addresses"),
        (
            lambda doc: doc["hosts"]["ap0"].update(prot=1),
            r"hosts.ap0.prot: is not a known field; did you mean 'port'\?",
        ),
        (lambda doc: doc["cables"].pop(), "cables: must join"),
        (lambda doc: doc.update(schema="other"), "must be slicewright/fabric/v1"),
    ],
)
def test_a_wrong_file_is_refused_by_name(
    fabric: Fabric, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    document = fabric.to_dict()
    change(document)
    with pytest.raises(sw.InvalidTasksError, match=message):
        load_fabric(fabric.topology, document)


def test_distances_without_links_cannot_be_routed() -> None:
    topology = linked_topology(
        [Link("n0", "n1", 1.0), Link("a0", "n0", 1.0), Link("a0", "n1", 1.0)],
        capacity_hz=np.array([1e9, 1e9]),
        nodes=("n0", "n1"),
        access_points=("a0",),
    )
    with pytest.raises(sw.InvalidTasksError, match="tie access point a0 to one node only"):
        numbered_fabric(topology)


def test_rules_meter_where_traffic_enters_and_lead_both_ways(fabric: Fabric) -> None:
    ways = [present(fabric.way("ap0", executors)) for executors in (("lower0",), ("lower0", "upper1"))]
    parts = [Part("lower0", ways[0], 14), Part("upper1", ways[1], 15)]
    rules = task_rules(fabric, number=7, access_point="ap0", port=20_000, rate_bps=3e6, parts=parts)
    assert set(rules) == {"lower0", "upper1"}
    assert [meter.meter_id for meter in rules["lower0"].meters] == [14, 15]
    assert rules["upper1"].meters == ()
    assert {flow.meter_id for flow in rules["lower0"].flows} == {14, 15, None}
    assert {flow.cookie for rule in rules.values() for flow in rule.flows} == {COOKIE_TAG | 7}
    last = rules["upper1"].flows
    forward = [flow for flow in last if flow.out_port == fabric.hosts["upper1"].port]
    assert {dict(flow.match).get("tcp_dst", dict(flow.match).get("udp_dst")) for flow in forward} == {20_000}
    assert len(last) == 4


def test_a_way_back_through_the_port_it_came_by_is_named_as_openflow_wants() -> None:
    hops = (Hop("lower0", 4, 2), Hop("upper0", 6, 9), Hop("lower7", 2, 2), Hop("upper0", 9, 6))
    fabric = numbered_fabric(placement_preset(tasks=1).topology)
    rules = task_rules(
        fabric, number=1, access_point="ap0", port=20_000, rate_bps=1e6, parts=[Part("upper0", hops, 2)]
    )
    assert {flow.out_port for flow in rules["lower7"].flows} == {IN_PORT}
    matches = [flow.match for flow in rules["upper0"].flows]
    assert len(set(matches)) == len(matches) == 8


def test_rules_of_several_tasks_add_up() -> None:
    assert meter_of(3e6, 5) == (5, 3000, 300)
    assert meter_of(1.0, 5).rate_kbps == 1
    assert rules_of([], "lower0").flows == ()
