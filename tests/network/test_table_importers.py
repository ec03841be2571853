"""CSV tables as people save them: encodings, delimiters, headers with units; traces with their burstiness."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers import import_eua, import_scenario, import_tables, import_trace, remembered
from slicewright.network.importers.placing.geography import exchanged, middle
from slicewright.network.scenario import Scenario
from tests.present import present

SITES = "SITE_ID,LATITUDE,LONGITUDE,NAME\n1,48.8566,2.3522,Châtelet\n2,48.8606,2.3376,Louvre\n"
USERS = "Latitude,Longitude\n48.857,2.351\n48.86,2.34\n"


def eua(folder: Path, sites: str | bytes = SITES, users: str | bytes = USERS) -> Scenario:
    for name, content in (("site-x.csv", sites), ("users-x.csv", users)):
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return import_eua(folder, coins=1, mecs=1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.encode("utf-16"), "UTF-16, commas"),
        (lambda text: codecs.BOM_UTF8 + text.encode(), "UTF-8, commas"),
        (lambda text: text.encode("latin-1"), "Windows-1252, commas"),
        (
            lambda text: text.replace(".", "@").replace(",", ";").replace("@", ",").encode(),
            "semicolons, decimal commas",
        ),
        (lambda text: text.replace(",", "\t").replace("\n", "\r\n").encode(), "UTF-8, tabs"),
        (
            lambda text: text.replace("SITE_ID,LATITUDE,LONGITUDE", "id,Lat (deg), lng ").encode(),
            "UTF-8, commas",
        ),
        (lambda text: text.replace("48.8566", '"48,8566"').encode(), "decimal commas"),
        (lambda text: text.replace("\n", "\r").encode(), "UTF-8, commas"),
    ],
)
def test_sites_are_the_same_however_they_are_saved(tmp_path: Path, change: Any, told: str) -> None:
    plain, other = eua(tmp_path), eua(tmp_path, sites=change(SITES))
    assert other.access_points == ("1", "2")
    np.testing.assert_array_equal(present(other.sites.access_point_m), present(plain.sites.access_point_m))
    report: Any = other.origin["report"]
    assert told in report["read"][0]


def test_exchanged_columns_are_refused(tmp_path: Path) -> None:
    swapped = "SITE_ID,LATITUDE,LONGITUDE\n1,2.3522,48.8566\n2,2.3376,48.8606\n"
    told = r"site-x\.csv or users-x\.csv: has latitude and longitude exchanged: .* is 6,7\d\d km away"
    with pytest.raises(InvalidScenarioError, match=told):
        eua(tmp_path, sites=swapped)
    with pytest.raises(InvalidScenarioError, match="has latitude and longitude exchanged"):
        eua(tmp_path, users="Latitude,Longitude\n2.351,48.857\n")
    far_east = np.array([[35.0, 139.0]])  # 139 is no latitude, so only one side can be the other way
    assert exchanged(far_east, np.array([[35.0, 139.01]])) == ()
    assert exchanged(np.array([[45.0, 45.001]]), np.array([[45.0, 45.001]])) == ()


def test_users_a_continent_away_are_kept_and_told(tmp_path: Path) -> None:
    scenario = eua(tmp_path, users=USERS + "-37.81,144.96\n")
    assert scenario.n_devices == 3
    (told,) = [sentence for sentence in remembered(scenario.origin) if "every site" in sentence]
    assert told.startswith(
        "1 of 3 users are more than 100 km from every site; the nearest site of users-x.csv line 4 is 16,7"
    )


def test_sites_on_both_sides_of_the_date_line_are_neighbours(tmp_path: Path) -> None:
    scenario = eua(
        tmp_path,
        sites="id,lat,lon\n1,-17.0,179.995\n2,-17.0,-179.995\n",
        users="lat,lon\n-17.0,180\n-17.0,-180\n",
    )
    np.testing.assert_allclose(np.ptp(present(scenario.sites.access_point_m), axis=0), [1064.6, 0], atol=1)
    np.testing.assert_allclose(present(scenario.sites.device_m), [[0, 0], [0, 0]], atol=0.01)
    assert abs(middle(np.array([[0, 179.0], [0, -179.0]])).longitude) == pytest.approx(180)


def tables(folder: Path, **files: str) -> Scenario:
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(content)
    return import_tables(folder)


def test_tables_with_units_in_their_headers(tmp_path: Path) -> None:
    scenario = tables(
        tmp_path,
        sites="name;x [km];y [km];bandwidth [MHz]\na;0;0;18\nb;0,5;0;9\n",
        nodes="name,kind,capacity (GHz)\nn1,fog,1\nn2,MEC,10\n",
        devices="x (m),y (m),task size (MB),local_cpu_mhz,arrival rate (1/min),tx power (dBm)\n10,0,1,20,6,20\n",
    )
    assert (scenario.access_points, scenario.nodes, scenario.node_kinds) == (
        ("a", "b"),
        ("n1", "n2"),
        ("coin", "mec"),
    )
    np.testing.assert_array_equal(scenario.bandwidth_hz, [18e6, 9e6])
    np.testing.assert_array_equal(scenario.sites.access_point_m, [[0, 0], [500, 0]])
    np.testing.assert_array_equal(scenario.node_capacity_hz, [[1e9] * 3, [1e10] * 3])
    assert (scenario.task_bits[0], scenario.local_capacity_hz[0]) == (8e6, 2e7)
    assert (scenario.arrival_rate_hz[0], present(scenario.sites.tx_power_w)[0]) == (
        pytest.approx(0.1),
        pytest.approx(0.1),
    )
    np.testing.assert_array_equal(scenario.sites.device_m, [[10, 0]])
    again = present(scenario.radio).rates(
        present(scenario.sites.device_m), present(scenario.sites.access_point_m),
        present(scenario.sites.tx_power_w), scenario.bandwidth_hz,
    )  # fmt: skip
    np.testing.assert_array_equal(scenario.rate_bps, again)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"sites": "name,x,y,bandwidth_mb\na,0,0,1\n"}, "whose unit may be mbit or mbyte; write which"),
        ({"sites": "name,x,y,bandwidth [W]\na,0,0,1\n"}, "is 'W' but must be in one of Hz"),
        ({"sites": "name,x,y\na,0,\n"}, "sites.csv line 2, y: is missing"),
        ({"sites": "name,x,y\na,0,east\n"}, "sites.csv line 2, y is 'east' but must be a number"),
        ({"sites": "name\na\n"}, "has no columns x and y, or latitude and longitude"),
        ({"sites": "name,x,x,y\na,0,0,0\n"}, "has two columns 'x'; rename one"),
        ({"sites": "name,x,y\n"}, "must have at least one row"),
        (
            {"sites": "x,y\n0,0\n", "nodes": "kind\nrouter\n"},
            "nodes.csv line 2, kind is 'router' but must be coin or mec",
        ),
        ({"sites": "x,y\n0,0\n", "devices": "lat,lon\n1,1\n"}, "devices.csv: must have x and y, as the sites have"),
        ({"devices": "x,y\n0,0\n"}, "has no table of sites"),
    ],
)  # fmt: skip
def test_mistakes_in_tables_name_file_line_and_rule(tmp_path: Path, files: dict[str, str], told: str) -> None:
    with pytest.raises(InvalidScenarioError) as caught:
        tables(tmp_path, **files)
    assert told in str(caught.value)


def test_a_trace_gives_rates_sizes_and_its_burstiness(tmp_path: Path) -> None:
    rows = (
        [f"{k},even,1e6" for k in range(0, 101, 10)]
        + [f"{50 + k / 100},burst,3e6" for k in range(40)]
        + ["99,burst,3e6"]
    )
    (tmp_path / "t.csv").write_text("time,user,size,junk\n" + "".join(f"{row},x\n" for row in rows))
    scenario = import_trace(tmp_path / "t.csv")
    assert scenario.n_devices == 2
    np.testing.assert_allclose(scenario.arrival_rate_hz, [0.41, 0.11])
    np.testing.assert_allclose(scenario.task_bits, [3e6, 1e6])
    report: Any = scenario.origin["report"]
    assert any(s.startswith("burstiness: squared variation of the gaps") for s in report["read"])
    assert any("burstier than the Poisson" in s for s in remembered(scenario.origin))
    assert any("junk" in s for s in report["dropped"])
    fast = import_trace(tmp_path / "t.csv", devices=1, speed=0.5, size_unit_bits=8)
    np.testing.assert_allclose((fast.arrival_rate_hz[0], fast.task_bits[0]), (0.205, 24e6))


def test_traces_without_a_header_and_in_microseconds(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "task,1,job_a,Terminated,1000000\ntask,1,job_b,Terminated,2000000\ntask,1,job_a,T,5000000\n"
    )
    scenario = import_trace(tmp_path / "t.csv", time="4", source="2", time_unit_s=1e-6)
    np.testing.assert_allclose(scenario.arrival_rate_hz, [0.5, 0.25])
    with pytest.raises(InvalidScenarioError, match=r"has no column of arrival times.*--set time=COLUMN"):
        import_trace(tmp_path / "t.csv")


def test_parquet_with_timestamps(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    times = pa.array([0, 1_500_000, 4_000_000], type=pa.timestamp("us"))
    parquet.write_table(pa.table({"time": times, "app": ["x", "y", "x"]}), tmp_path / "t.parquet")
    scenario = import_trace(tmp_path / "t.parquet")
    np.testing.assert_allclose(scenario.arrival_rate_hz, [0.5, 0.25])
    (tmp_path / "t.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(InvalidScenarioError, match="is not Parquet that can be read"):
        import_trace(tmp_path / "t.parquet")


def test_traces_may_name_units_in_their_headers(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("timestamp (us),size [kB],user\n5000000,5,a\n1000000,6,b\n3000000,6,a\n9000000,5,b\n")
    scenario = import_trace(file)
    np.testing.assert_allclose(scenario.arrival_rate_hz, [2 / 8, 2 / 8])
    np.testing.assert_allclose(sorted(scenario.task_bits), [44e3, 44e3])
    file.write_text("time (parsec),size\n1,2\n2,3\n")
    with pytest.raises(InvalidScenarioError, match=r"unit of time is 'parsec' but must be in one of s, sec"):
        import_trace(file)


def test_names_of_tables_may_have_capitals(tmp_path: Path) -> None:
    (tmp_path / "Sites.CSV").write_text("name,x [m],y [m]\na,0,0\nb,9,9\n")
    assert import_tables(tmp_path, devices=3).n_access_points == 2
    assert import_scenario(tmp_path, devices=3).n_access_points == 2
