"""Cities as they are drawn: no part of the map is served by fewer sites than the others."""

from __future__ import annotations

import numpy as np
import pytest

import slicewright as sw
from slicewright.errors import InvalidScenarioError
from slicewright.network import preset
from slicewright.network.city import EVERYBODY, City, draw_sites


@pytest.mark.parametrize("access_points", [1, 2, 7, 100, 1_000])
def test_rows_of_sites_hold_the_same_number_or_one_more(access_points: int) -> None:
    city = City(devices=10, access_points=access_points)
    sites = draw_sites(city, np.random.default_rng(0))
    for places in (sites.access_point_m, sites.node_m):
        rows = max(1, round(np.sqrt(len(places))))
        in_row = np.bincount((places[:, 1] / city.side_m * rows).astype(int), minlength=rows)
        assert in_row.size == rows
        assert in_row.max() - in_row.min() <= 1


def test_customers_list_what_is_their_operators_or_everybodys_and_hubs_are_a_tier_of_their_own() -> None:
    city = preset("city/metropolis", devices=600, seed=2)
    access_point = np.array([name.rpartition("operator")[2] for name in city.access_points], dtype=int)
    node = np.array([int(name[-1]) if "operator" in name else EVERYBODY for name in city.nodes])
    assert set(access_point.tolist()) == {0, 1, 2} and set(node.tolist()) == {EVERYBODY, 0, 1, 2}
    hubs = np.array([name.startswith("hub") for name in city.nodes])
    assert hubs.sum() == 1 and (node[hubs] == EVERYBODY).all()
    assert (city.node_capacity_hz[hubs] > city.node_capacity_hz[~hubs].max()).all()
    links, lists = city.links, city.node_lists
    assert lists is not None
    for i in range(city.n_devices):
        of_links = set(access_point[links.access_point[links.start[i] : links.start[i + 1]]].tolist())
        of_nodes = set(node[lists.node[lists.start[i] : lists.start[i + 1]]].tolist()) - {EVERYBODY}
        assert len(of_links | of_nodes) <= 1
    plan = sw.plan(city, rounds=5)
    assert sw.check(city, plan).feasible and 0 < plan.lower_bound_s <= plan.cost_s


def test_a_city_of_one_operator_is_drawn_as_if_there_were_no_operators() -> None:
    alone, one = (
        preset("city/paper", devices=200),
        preset("city/paper", devices=200, operators=1, open_part=0.5),
    )
    assert np.array_equal(alone.node_capacity_hz, one.node_capacity_hz)
    assert alone.nodes == one.nodes and np.array_equal(alone.links.rate_bps, one.links.rate_bps)
    with pytest.raises(InvalidScenarioError, match="at most 1"):
        preset("city/paper", devices=200, open_part=1.5)
