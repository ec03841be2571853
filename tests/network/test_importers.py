"""EUA CSV folders: real positions in, everything else named and recorded; mistakes with file, line and rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slicewright.errors import InvalidScenarioError
from slicewright.network import load_scenario, save_scenario
from slicewright.network.importers import import_eua
from slicewright.network.importers.placing.geography import Origin, to_plane_m
from slicewright.network.importers.placing.nodes import place_nodes
from slicewright.network.scenario import Scenario
from slicewright.policies.slicing import plan
from tests.present import present
from tests.shared import MELBOURNE

SITES = "SITE_ID,LATITUDE,LONGITUDE,NAME\n7,-37.810,144.960,a\n8,-37.812,144.962,b\n9,-37.814,144.964,c\n"
USERS = "Latitude,Longitude\n-37.811,144.961\n-37.813,144.963\n\n-37.8145,144.9645\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site-x.csv").write_text(SITES)
    (tmp_path / "users-x.csv").write_text(USERS)
    return tmp_path


def small(folder: Path, **parameters: Any) -> Scenario:
    return import_eua(folder, **{"coins": 2, "mecs": 1, **parameters})


def test_sites_become_access_points_and_users_devices(folder: Path) -> None:
    scenario = small(folder)
    assert scenario.access_points == ("7", "8", "9")
    assert (scenario.n_devices, scenario.node_kinds) == (3, ("coin", "coin", "mec"))
    assert scenario.nodes[-1] == "mec-8", "the MEC server sits at the site in the middle"
    between = np.diff(present(scenario.sites.access_point_m)[:2], axis=0)[0]
    np.testing.assert_allclose(between, [176.1, -222.0], atol=0.2)


def test_origin_tells_what_is_real_and_every_parameter_that_is_not(folder: Path) -> None:
    origin: dict[str, Any] = dict(small(folder, seed=4, arrival_rate_hz=(0.2, 0.2)).origin)
    assert origin["real"] == "positions of access points and devices"
    assert origin["not_real"]["arrival_rate_hz"] == (0.2, 0.2)
    assert (origin["not_real"]["coins"], origin["seed"], origin["sites_file"]) == (2, 4, "site-x.csv")


def test_very_many_devices_are_drawn_around_the_users_and_list_nodes_near_them(folder: Path) -> None:
    users = present(small(folder).sites.device_m)
    scenario = small(folder, devices=300, spread_m=10.0, coin_reach_m=200.0, seed=1)
    away = np.linalg.norm(present(scenario.sites.device_m)[:, None] - users[None], axis=2).min(axis=1)
    assert scenario.n_devices == 300
    assert away.max() < 60.0
    lists = scenario.node_lists
    assert lists is not None
    owner = np.repeat(np.arange(300), np.diff(lists.start))
    span = present(scenario.sites.device_m)[owner] - present(scenario.sites.node_m)[lists.node]
    mec = np.array(scenario.node_kinds)[lists.node] == "mec"
    assert (np.linalg.norm(span, axis=1) <= np.where(mec, 2_000.0, 200.0)).all()
    assert dict(scenario.origin)["real"] == "positions of access points and users"
    assert "spread_m" not in str(small(folder).origin)


def test_same_seed_same_scenario_and_the_file_gives_it_back(folder: Path) -> None:
    scenario, again, other = small(folder, seed=5), small(folder, seed=5), small(folder, seed=6)
    np.testing.assert_array_equal(scenario.task_bits, again.task_bits)
    assert not np.array_equal(scenario.task_bits, other.task_bits)
    read = load_scenario(save_scenario(scenario, folder / "s.yaml"))
    np.testing.assert_array_equal(read.rate_bps, scenario.rate_bps)
    assert "rate_bps" not in (folder / "s.yaml").read_text()


def test_parameters_reach_the_scenario(folder: Path) -> None:
    scenario = small(folder, users=2, slices=["gold", "bronze"], reach_m=1e-3, local_capacity_hz=3e7)
    assert scenario.n_devices == 2
    assert [s.name for s in scenario.slices] == ["gold", "bronze"]
    assert scenario.links.rate_bps.size == 0
    assert set(scenario.local_capacity_hz) == {3e7}


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (
            "site-x.csv",
            "SITE_ID,LATITUDE\n1,2\n",
            "site-x.csv: has no column 'longitude'; its columns are site_id, latitude",
        ),
        ("site-x.csv", "", "site-x.csv: has no column 'latitude'; its columns are none"),
        (
            "site-x.csv",
            SITES + "10,-97.8,144.9,d\n",
            "site-x.csv line 5, latitude is '-97.8' but must be a number from -90 to 90 degrees",
        ),
        (
            "users-x.csv",
            "latitude,longitude\n1,east\n",
            "users-x.csv line 2, longitude is 'east' but must be a number from -180 to 180 degrees",
        ),
        ("users-x.csv", "latitude,longitude\n1\n", "users-x.csv line 2, longitude: is missing"),
        ("users-x.csv", "latitude,longitude\n", "users-x.csv: must have at least one row under its header"),
        (
            "site-x.csv",
            SITES + "8,1,1,e\n",
            "site-x.csv line 5, site_id is '8' but is the name of line 3 too; names must differ",
        ),
    ],
)  # fmt: skip
def test_mistakes_in_a_file_name_file_line_and_rule(folder: Path, file: str, text: str, message: str) -> None:
    (folder / file).write_text(text)
    with pytest.raises(InvalidScenarioError) as caught:
        small(folder)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"coin": 3}, "coin: is not a parameter of the EUA importer; did you mean 'coins'?"),
        ({"coins": 4}, "coins is 4 but must be at most the number of sites, 3"),
        ({"coins": 0, "mecs": 0}, "coins: there must be at least one COIN node or MEC server"),
        ({"users": 4}, "users is 4 but must be at most 3, all in users-x.csv"),
        ({"coin_placement": "best"}, "coin_placement is 'best' but must be one of spread, busiest, random"),
        ({"task_bits": (5.0, 1.0)}, "task_bits is (5.0, 1.0) but must be a range [low, high] with 0 < low <= high"),
    ],
)  # fmt: skip
def test_mistakes_in_parameters_are_named(folder: Path, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidScenarioError) as caught:
        small(folder, **parameters)
    assert str(caught.value) == message


def test_two_files_that_match_need_a_choice(folder: Path) -> None:
    (folder / "site-y.csv").write_text(SITES)
    with pytest.raises(InvalidScenarioError, match=r"must match exactly one file .* site-x.csv, site-y.csv"):
        small(folder)
    assert small(folder, sites_file="site-y.csv").n_access_points == 3


def test_no_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        import_eua(tmp_path / "nowhere")


def test_a_degree_is_as_long_as_the_ellipsoid_says() -> None:
    # Length of one minute of latitude and of longitude at 45 degrees, WGS 84: 1852.2 m and 1314.1 m.
    origin = Origin(45.0, 179.9999)
    minute = 1 / 60
    moved = to_plane_m(np.array([[45.0 + minute, 179.9999], [45.0, 179.9999 + minute - 360]]), origin)
    np.testing.assert_allclose(moved, [[0, 1852.2], [1314.1, 0]], atol=0.3)


@pytest.mark.parametrize("rule", ["spread", "busiest", "random"])
def test_coin_nodes_take_one_site_each(rule: str) -> None:
    rng = np.random.default_rng(1)
    site_m, user_m = rng.uniform(0, 1000, (12, 2)), rng.uniform(0, 1000, (50, 2))
    hosts = place_nodes(site_m, user_m, coins=12, mecs=3, coin_placement=rule, rng=rng)
    assert sorted(hosts.sites[:12]) == list(range(12))
    assert len(set(hosts.sites[12:])) == 3


def test_spread_coin_nodes_stay_apart_and_busiest_follow_the_users() -> None:
    site_m = np.array([[0.0, 0], [1, 0], [2, 0], [1000, 0], [500, 900]])
    user_m = np.array([[1.1, 0], [0.9, 0], [2, 1.0], [999, 0]])
    rng = np.random.default_rng(0)
    spread = place_nodes(site_m, user_m, coins=3, mecs=0, coin_placement="spread", rng=rng).sites
    assert {3, 4} <= set(spread)
    assert place_nodes(site_m, user_m, coins=1, mecs=0, coin_placement="busiest", rng=rng).sites == (1,)


@pytest.mark.skipif(
    not MELBOURNE.is_dir(), reason="the shared Melbourne CSV files are not beside this checkout"
)
def test_melbourne_is_planned_whole_and_certified(tmp_path: Path) -> None:
    scenario = import_eua(MELBOURNE)
    assert (scenario.n_access_points, scenario.n_devices) == (125, 816)
    nearest_m = np.linalg.norm(
        present(scenario.sites.device_m)[:, None] - present(scenario.sites.access_point_m)[None], axis=2
    ).min(axis=1)
    assert np.median(nearest_m) == pytest.approx(62, abs=1), "the data set's own figure"
    file = save_scenario(scenario, tmp_path / "melbourne.yaml")
    assert file.stat().st_size < 250_000
    made = plan(load_scenario(file), rounds=2)
    assert made.violations.feasible
    assert 0 <= made.gap < 0.05
