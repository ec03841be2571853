"""Columns and files of tables by the names that people give them: read, or told as not read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers import import_scenario, import_tables
from slicewright.network.scenario import Scenario
from tests.present import present

SITES = "name,x [m],y [m],bandwidth [MHz]\na,0,0,20\nb,100,0,10\n"
NODES = "name,kind,capacity [GHz]\nn1,coin,2\nn2,mec,3\n"
DEVICES = (
    "x [m],y [m],tx power [dBm],local capacity [GHz],task size [Mbit],arrival rate [1/min]\n1,1,20,1.5,3,6\n"
)


def tables(folder: Path, **files: str) -> Scenario:
    for name, content in files.items():
        (folder / name.replace("_csv", ".csv").replace("_tsv", ".tsv")).write_text(content)
    return import_tables(folder)


def report_of(scenario: Scenario, kind: str) -> list[str]:
    report: Any = scenario.origin["report"]
    return list(report.get(kind, []))


@pytest.mark.parametrize(
    ("sites", "nodes", "devices"),
    [
        ("site,bs_x_m,bs_y_m,bw_mhz", "node,type,freq_ghz", "ue_x_m,ue_y_m,p_tx_dbm,"
         "f_local_ghz,data_mbit,rate_per_min"),
        ("siteId,posX,posY,bandwidthMHz", "nodeId,nodeType,cpuFreqGHz", "posX,posY,txPowerDbm,localCpuGHz,taskSizeMbit,"
         "arrivalRate [1/min]"),
        ("Site Name,X (m),Y (m),Channel Bandwidth (MHz)", "Server,Role,Clock (GHz)", "Easting (m),Northing (m),Transmit"
         " Power (dBm),CPU (GHz),Payload (Mbit),lambda (1/min)"),
        ("Name,pos_x,pos_y,Bandbreite [MHz]", "Name,Art,Takt [GHz]", "x_pos,y_pos,Sendeleistung [dBm],freq_ghz,"
         "input_mbit,requests_per_minute"),
    ],
)  # fmt: skip
def test_columns_are_known_by_what_people_call_them(
    tmp_path: Path, sites: str, nodes: str, devices: str
) -> None:
    made = tables(
        tmp_path,
        sites_csv=f"{sites}\n" + SITES.partition("\n")[2],
        nodes_csv=f"{nodes}\n" + NODES.partition("\n")[2],
        devices_csv=f"{devices}\n" + DEVICES.partition("\n")[2],
    )
    np.testing.assert_array_equal(made.bandwidth_hz, [20e6, 10e6])
    np.testing.assert_array_equal(made.sites.access_point_m, [[0, 0], [100, 0]])
    np.testing.assert_array_equal(made.node_capacity_hz[:, 0], [2e9, 3e9])
    assert (made.access_points, made.nodes, made.node_kinds) == (("a", "b"), ("n1", "n2"), ("coin", "mec"))
    assert (made.local_capacity_hz[0], made.task_bits[0]) == (1.5e9, 3e6)
    np.testing.assert_allclose([made.arrival_rate_hz[0], present(made.sites.tx_power_w)[0]], [0.1, 0.1])
    assert not report_of(made, "dropped")


def test_a_node_is_at_the_site_that_it_names(tmp_path: Path) -> None:
    nodes = "site,name,kind\nb,n1,coin\na,n2,mec\nb,n3,mec\n,n4,mec\n"
    made = tables(tmp_path, sites_csv=SITES, nodes_csv=nodes)
    assert made.nodes == ("n1", "n2", "n3", "n4")
    np.testing.assert_array_equal(made.sites.node_m, [[100, 0], [0, 0], [100, 0], [66.67, 0]])
    assert "nodes.csv, site: the site that each is at" in report_of(made, "read")
    assert any("1 of 4 nodes" in line and "line 5" in line for line in report_of(made, "made_up"))


def test_sites_that_are_named_alone_are_names_too(tmp_path: Path) -> None:
    made = tables(tmp_path, sites_csv=SITES, nodes_csv="site,kind\nb,coin\na,mec\n")
    assert made.nodes == ("b", "a")
    np.testing.assert_array_equal(made.sites.node_m, [[100, 0], [0, 0]])
    twice = tables(tmp_path, nodes_csv="site,kind\nb,coin\nb,mec\n")
    assert twice.nodes == ("node0", "node1")
    np.testing.assert_array_equal(twice.sites.node_m, [[100, 0], [100, 0]])


def test_devices_are_around_the_sites_that_they_name(tmp_path: Path) -> None:
    far = SITES.replace("b,100,0", "b,90000,0")
    made = tables(tmp_path, sites_csv=far, devices_csv="device,cell\nd1,b\nd2,a\n")
    np.testing.assert_allclose(present(made.sites.device_m)[:, 0], [90_000, 0], atol=400)
    assert "positions of 2 devices, around their sites" in report_of(made, "made_up")


def test_a_site_that_is_none_is_refused_or_told(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidScenarioError, match=r"nodes\.csv line 3, site is 'c' but must be the name of a site: a, b"
    ):
        tables(tmp_path, sites_csv=SITES, nodes_csv="name,site\nn1,a\nn2,c\n")
    made = tables(tmp_path, nodes_csv="name,site\nn1,north\nn2,south\n")
    assert "nodes.csv, site: none of it is the name of a site" in report_of(made, "odd")
    assert "columns of nodes.csv: site" in report_of(made, "dropped")


def test_cores_times_their_clock_are_what_a_node_computes(tmp_path: Path) -> None:
    for header in ("cores,clock [GHz]", "cpu,cpu_ghz", "num_cores,frequency_ghz"):
        made = tables(tmp_path, sites_csv=SITES, nodes_csv=f"name,{header},ram_gb\nn1,4,2.5\nn2,0,3\n")
        np.testing.assert_allclose(made.node_capacity_hz[:, 0], [1e10 / 3, 0])
        assert "columns of nodes.csv: ram_gb" in report_of(made, "dropped")
    other = tables(tmp_path, nodes_csv="name,freq_mhz,vcpus\nn1,2500,4\n")
    np.testing.assert_allclose(other.node_capacity_hz[0, 0], 1e10 / 3)


def test_bytes_are_told_from_bits_by_their_letters(tmp_path: Path) -> None:
    made = tables(tmp_path, sites_csv=SITES, devices_csv="x_m,y_m,task_size_MB,period_s\n1,1,2,5\n")
    assert (made.task_bits[0], made.arrival_rate_hz[0]) == (16e6, 0.2)
    for header in ("task_size_mb", "TASK_SIZE_MB", "task_size_Mb"):
        with pytest.raises(InvalidScenarioError, match="whose unit may be mbit or mbyte; write which"):
            tables(tmp_path, devices_csv=f"X_M,Y_M,{header}\n1,1,2\n")


def test_half_a_position_is_refused_by_its_name(tmp_path: Path) -> None:
    told = r"sites\.csv: has a column of latitude and none of longitude; its columns are name, lat"
    with pytest.raises(InvalidScenarioError, match=told):
        tables(tmp_path, sites_csv="name,lat\na,48\n")


def test_tables_by_other_names_are_found(tmp_path: Path) -> None:
    gnbs = SITES.replace(",", "\t")
    made = tables(tmp_path, gNBs_tsv=gnbs, edge_servers_csv=NODES, ue_csv=DEVICES)
    assert (import_scenario(tmp_path).origin["importer"], made.n_devices, made.nodes) == (
        "tables",
        1,
        ("n1", "n2"),
    )
    usual = tables(tmp_path, sites_csv=SITES)
    assert "files of " + tmp_path.name + ": gNBs.tsv" in report_of(usual, "dropped")


def test_files_that_are_not_read_are_told(tmp_path: Path) -> None:
    made = tables(tmp_path, sites_csv=SITES, links_csv="a,b\n", README="tables")
    assert report_of(made, "dropped") == [f"files of {tmp_path.name}: links.csv"]


def test_the_data_set_of_sites_and_users_is_known_by_its_names_in_any_case(tmp_path: Path) -> None:
    (tmp_path / "SITE-x.CSV").write_text("siteID,geo_lat,GPS Longitude\n7,48.85,2.35\n")
    (tmp_path / "Users-x.csv").write_text("user_lat,lon_deg\n48.851,2.351\n")
    (tmp_path / "people.csv").write_text("Latitude,Longitude\n48.851,2.351\n")
    made = import_scenario(tmp_path)
    assert (made.origin["importer"], made.access_points, made.n_devices) == ("eua", ("7",), 1)
    assert f"files of {tmp_path.name}: people.csv" in report_of(made, "dropped")


def test_sources_and_sizes_of_a_trace_by_other_names(tmp_path: Path) -> None:
    trace = tmp_path / "trace.csv"
    trace.write_text("Arrival Time (s),Payload (KB),Device ID\n1,5,a\n2,6,b\n4,7,a\n")
    made = import_scenario(trace)
    assert "3 arrivals of 2 sources over 3 s from trace.csv" in report_of(made, "read")
    assert not report_of(made, "dropped")
