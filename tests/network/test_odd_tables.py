"""Tables whose rows, numbers and positions are not what they seem: the right value, or a question."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers import import_eua, import_tables, remembered
from slicewright.network.scenario import Scenario
from tests.present import present

SITES = "SITE_ID,LATITUDE,LONGITUDE\n1,-37.81,144.96\n2,-37.82,144.97\n3,-37.80,144.95\n"
USERS = "Latitude,Longitude\n-37.811,144.961\n-37.815,144.965\n"


def eua(folder: Path, sites: str = SITES, users: str = USERS) -> Scenario:
    (folder / "site-x.csv").write_text(sites)
    (folder / "users-x.csv").write_text(users)
    return import_eua(folder, coins=1, mecs=1)


def tables(folder: Path, **files: str) -> Scenario:
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(content)
    return import_tables(folder)


@pytest.mark.parametrize(
    ("sites", "told"),
    [
        (
            SITES.replace("1,-37.81,144.96", "1,-37,81,144,96"),
            "site-x.csv line 2: has 5 cells, and the header 3; put quotes around a cell that holds a comma",
        ),
        (
            SITES.replace("144.96", "1_44.96"),
            "site-x.csv line 2, longitude is '1_44.96' but must be a number",
        ),
        (SITES.replace("2,-37.82,144.97", "2,-37.82"), "site-x.csv line 3, longitude: is missing"),
        (
            "SITE_ID,LATITUDE,LONGITUDE\n1,144.96,-37.81\n",
            "latitude is '144.96' but must be at most 90, and the longitude could be one: the two may be exchanged",
        ),
        (SITES.replace(",", " "), "its columns are site_id_latitude_longitude; separate columns by commas"),
        ("SITE_ID,LATITUDE,LONGITUDE\n1,,\n2,NaN,n/a\n", "site-x.csv: has no row with a position"),
        (
            SITES + "Total,,\n",
            "site-x.csv line 5 is 'Total' but sums up the other rows, it seems; take it out",
        ),
        (SITES + '"4,-37.8,144.9\n', "site-x.csv line 5: cannot be read: a quote before it is never closed"),
        (SITES.replace("ITUDE,", "ITUDE [rad],"), "unit of latitude is 'rad' but must be degrees"),
        (
            SITES.replace("-37.82", "37.82 S"),
            "must be a number from -90 to 90 degrees; write its unit into the header",
        ),
    ],
)
def test_what_would_be_read_wrongly_is_refused(tmp_path: Path, sites: str, told: str) -> None:
    with pytest.raises(InvalidScenarioError) as caught:
        eua(tmp_path, sites=sites)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("sites", "dropped"),
    [
        ("sep=;\n" + SITES.replace(",", ";"), []),
        ("# surveyed in May\n" + SITES, ["1 lines of site-x.csv above its header"]),
        (
            "Our sites\n\n" + SITES + ",,\n",
            ["1 lines of site-x.csv above its header", "1 rows of site-x.csv with"],
        ),
        (SITES.replace("\n", ",\n"), []),
    ],
)
def test_what_stands_around_a_table_is_left_out_and_told(
    tmp_path: Path, sites: str, dropped: list[str]
) -> None:
    plain, other = eua(tmp_path), eua(tmp_path, sites=sites)
    np.testing.assert_array_equal(present(other.sites.access_point_m), present(plain.sites.access_point_m))
    told = [s for s in remembered(other.origin) if s not in remembered(plain.origin)]
    assert len(told) == len(dropped)
    assert all(one.startswith(start) for one, start in zip(told, dropped, strict=True))


@pytest.mark.parametrize(
    ("row", "hz"),
    [
        ("a;0;0;20.000,5", 20000.5e3),
        ("a;0;0;1.020.000", 1020e6),
        ("a;0;0;20'000", 20e6),
        ("a;0;0;1 020,5", 1020.5e3),
        ("a;0;0;0.125", 125.0),
        ("a;0;0;20,125", 20125.0),
    ],
)
def test_thousands_that_are_set_apart(tmp_path: Path, row: str, hz: float) -> None:
    scenario = tables(tmp_path, sites=f"name;x;y;bandwidth [kHz]\n{row}\nb;100;0;9\n")
    assert scenario.bandwidth_hz[0] == pytest.approx(hz)


@pytest.mark.parametrize(
    "sites",
    [
        'name,x,y,bandwidth [kHz]\na,0,0,"20,000"\n',
        "name;x;y;bandwidth [kHz]\na;0;0;20.000\nb;0,5;0;9\n",
        "name;x;y;bandwidth [kHz]\nb;0,5;0;9\na;0;0;20.000\n",
    ],
)
def test_numbers_that_may_be_one_of_two_are_refused(tmp_path: Path, sites: str) -> None:
    with pytest.raises(InvalidScenarioError, match=r"which may be 20 or 20000; write it without a separator"):
        tables(tmp_path, sites=sites)


def test_names_of_things_are_read_whatever_they_are_called(tmp_path: Path) -> None:
    made = tables(
        tmp_path,
        sites="Cell,Latitude [deg],Longitude [deg]\nnorth,48.2,16.3\nsouth,48.3,16.4\n",
        nodes="Server ID,lat,lon,Capacity [GHz]\nrack,48.2,16.3,9\n",
    )
    assert (made.access_points, made.nodes) == (("north", "south"), ("rack",))


def test_east_and_north_are_places_and_words_for_nodes_are_named(tmp_path: Path) -> None:
    sites = "name,Easting (km),Northing (km)\na,0,0\nb,1,2\n"
    assert present(tables(tmp_path, sites=sites).sites.access_point_m).tolist() == [[0, 0], [1000, 2000]]
    with pytest.raises(InvalidScenarioError, match=r"nodes\.csv line 2, type .* another word for one \(fog"):
        tables(tmp_path, sites=sites, nodes="name,type,capacity [GHz]\nn,switch,4\n")


def test_missing_positions_are_made_up_and_said_so(tmp_path: Path) -> None:
    plain = eua(tmp_path)
    scenario = eua(tmp_path, sites=SITES + "4,,\n", users=USERS + "NaN,n/a\n")
    np.testing.assert_array_equal(
        present(scenario.sites.access_point_m)[:3], present(plain.sites.access_point_m)
    )
    np.testing.assert_allclose(present(scenario.sites.access_point_m)[3], [0.0, 0.0], atol=0.02)
    np.testing.assert_array_equal(present(scenario.sites.device_m)[:2], present(plain.sites.device_m))
    away = present(scenario.sites.access_point_m) - present(scenario.sites.device_m)[2]
    assert np.linalg.norm(away, axis=1).min() < 300
    told = remembered(scenario.origin)
    assert "positions of 1 of 4 sites, placed in the middle of the others: site-x.csv line 5" in told
    assert "positions of 1 of 3 devices, placed around sites: users-x.csv line 4" in told


def test_tables_keep_the_positions_they_have(tmp_path: Path) -> None:
    scenario = tables(
        tmp_path,
        sites="name,x,y\na,0,0\nb,100,0\nc,,\n",
        nodes="name,kind,x,y\nn,mec,-,-\nm,coin,30,40\n",
        devices="x,y\n1,2\n,\n5,6\nNA,NA\n",
    )
    assert present(scenario.sites.access_point_m).tolist() == [[0, 0], [100, 0], [50, 0]]
    assert present(scenario.sites.node_m).tolist() == [[30, 40], [30, 40]]
    devices = present(scenario.sites.device_m)
    assert (devices[0].tolist(), devices[1].tolist(), len(devices)) == ([1, 2], [5, 6], 3)
    assert "1 rows of devices.csv without any value" in remembered(scenario.origin)


def test_tables_on_the_globe_are_looked_at_as_eua_data_are(tmp_path: Path) -> None:
    sites = "name,lat,lon\na,52.5,13.4\nb,52.51,13.41\n"
    with pytest.raises(
        InvalidScenarioError, match=r"sites\.csv or devices\.csv: has latitude and longitude exch"
    ):
        tables(tmp_path, sites=sites, devices="lat,lon\n13.4,52.5\n")
    scenario = tables(tmp_path, sites=sites + "c,-33.9,151.2\n", devices="lat,lon\n52.5,13.41\n40.7,-74\n")
    odd = [sentence for sentence in remembered(scenario.origin) if "km" in sentence]
    assert odd == [
        "1 of 2 devices are more than 100 km from every site; the nearest site of devices.csv line 3 is 6,386 km away",
        "1 of 3 sites are more than 100 km from every other; the nearest site of sites.csv line 4 is 16,096 km away",
    ]


def test_a_unit_that_is_taken_is_told_with_the_numbers(tmp_path: Path) -> None:
    told = remembered(tables(tmp_path, sites="name,lat,lon,bw\na,1,2,20\nb,1.01,2,5\n").origin)
    assert "sites.csv, bw: no unit, so Hz was taken (5 to 20); a header such as bw [Hz] tells it" in told


def test_nodes_that_hardly_compute_are_told(tmp_path: Path) -> None:
    sites = "name,lat,lon\na,1,2\nb,1.01,2\n"
    told = remembered(tables(tmp_path, sites=sites, nodes="name,capacity [Hz]\nm,0\nn,16\nk,1e10\n").origin)
    assert "nodes that the table gives no computing at all: m" in told
    assert any(
        sentence.startswith("nodes that are slower than any device") and sentence.endswith(": n")
        for sentence in told
    )
