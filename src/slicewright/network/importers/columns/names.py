"""What tables of sites, nodes and devices are called, and their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from types import MappingProxyType

from slicewright.network.importers.columns.headers import LATITUDES, LONGITUDES, squashed
from slicewright.network.importers.columns.quantities import GLUED, split_ending, stems


def _by_word(words: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({what: tuple(text.split()) for what, text in words.items()})


FILE_NAMES: Mapping[str, tuple[str, ...]] = _by_word(
    {
        "sites": "site*.csv access_points*.csv access-points*.csv base_stations*.csv cells*.csv aps*.csv",
        "nodes": "nodes*.csv servers*.csv node-*.csv",
        "devices": "devices*.csv users*.csv ues*.csv device-*.csv",
    }
)
"""What files of each table are called; other names count only where none of these is there."""
_OTHER_FILES: Mapping[str, tuple[str, ...]] = _by_word(
    {
        "sites": (
            "site* access*point* ap ap[-_s]* base*station* bs bs[-_]* cell* gnb* gnodeb* enb* enodeb* "
            "station* tower* antenna*"
        ),
        "nodes": "node* server* edge*server* edge*node* edge*host* compute*node* mec* host* coin*",
        "devices": "device* user* ue ues ue[-_]* terminal* client* iot* mobile*",
    }
)
_ENDINGS = (".csv", ".tsv")
_PARTS = _by_word(
    {
        "counted": (
            "cpu cpus cores vcpu vcpus mips num_cores n_cores core_count cpu_cores num_cpus cpu_count "
            "kerne millicores"
        ),
        "clock": (
            "frequency freq clock clock_speed clock_rate clock_frequency cpu_freq cpu_frequency cpu_clock "
            "cpu_speed core_freq core_frequency core_speed takt taktfrequenz"
        ),
        "site": (
            "site site_id site_name cell cell_id cell_name gnb gnb_id enb enb_id ap ap_id bs bs_id "
            "station station_id base_station access_point at_site located_at hosted_at"
        ),
    }
)
COUNTED = _PARTS["counted"]
"""Columns that count cores, or instructions, unless their header has another unit."""
CLOCKS = _PARTS["clock"]
"""Columns with the speed of one core, where another column counts cores."""
AT_SITE = _PARTS["site"]
"""Columns of nodes and devices that name the site that they are at."""
_WORDS: Mapping[str, tuple[str, ...]] = _by_word(
    {
        "name": (
            "name id node_id device_id server_id user_id ue_id server ue node device user node_name "
            "server_name device_name label hostname host edge_server edge_node"
        ),
        "x": (
            "x position_x pos_x x_pos coord_x x_coord x_coordinate loc_x location_x east easting utm_x rechtswert "
            "site_x bs_x cell_x ap_x node_x server_x device_x user_x ue_x"
        ),
        "y": (
            "y position_y pos_y y_pos coord_y y_coord y_coordinate loc_y location_y north northing utm_y hochwert "
            "site_y bs_y cell_y ap_y node_y server_y device_y user_y ue_y"
        ),
        "kind": "kind type role node_type node_kind node_role server_type art",
        "bandwidth": "bandwidth bw channel_bandwidth channel_bw system_bandwidth bandbreite",
        "capacity": (
            "capacity speed compute f f_max f_node f_server f_edge f_mec cpu_capacity compute_capacity "
            "computing_capacity computation_capacity computing_power compute_power processing_power "
            "processing_capacity rechenleistung"
        ),
        "task_bits": (
            "task task_size size data data_size input_size task_bits task_data input input_data payload "
            "payload_size data_volume upload upload_size"
        ),
        "local_cycles": (
            "cycles local_cycles work workload task_cycles cpu_cycles required_cycles cycles_required "
            "num_cycles"
        ),
        "cycles_per_bit": (
            "cycles_per_bit density intensity cpu_cycles_per_bit processing_density computation_intensity "
            "complexity"
        ),
        "local_capacity": (
            "local_capacity local_cpu local_speed device_cpu capacity speed f f_local f_loc f_device f_ue "
            "local_freq local_frequency local_clock local_cpu_freq device_freq device_frequency "
            "device_speed device_capacity cpu_capacity local_compute ue_cpu"
        ),
        "arrival_rate": "arrival_rate rate arrivals lambda lam tasks task_rate request_rate requests",
        "arrival_interval": (
            "arrival_interval interarrival inter_arrival inter_arrival_time task_interval period "
            "arrival_period"
        ),
        "tx_power": (
            "tx_power power transmit_power txpower p_tx ptx tx tx_pwr max_tx_power tx_power_max "
            "transmission_power ue_power uplink_power p_max sendeleistung leistung"
        ),
    }
)
NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **_WORDS,
        "latitude": LATITUDES,
        "longitude": LONGITUDES,
        "capacity": (*_WORDS["capacity"], *COUNTED, *CLOCKS),
        "local_capacity": (*_WORDS["local_capacity"], *COUNTED, *CLOCKS),
    }
)
"""What columns are called, without their units."""
_SKIPPED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"devices": ("capacity", "bandwidth"), "nodes": ("local_capacity", "bandwidth"), "sites": ()}
)


def tables_in(folder: Path, what: str) -> list[Path]:
    """Files of a folder that are called like tables of ``sites``, ``nodes`` or ``devices``."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    usual = [file for file in files if any(fnmatch(file.name.lower(), p) for p in FILE_NAMES[what])]
    return usual or [
        file
        for file in files
        if file.suffix.lower() in _ENDINGS
        and any(fnmatch(file.stem.lower().replace(" ", "_"), p) for p in _OTHER_FILES[what])
    ]


def meanings_of(header: str, column: str, unit: str, what: str, file: str) -> tuple[list[str], str]:
    """What a column of a table of ``sites``, ``nodes`` or ``devices`` may hold, the likeliest first,
    and its unit.

    Args:
        header: as it stands in the file, without a unit in brackets.
        column: the same as it is compared.
        unit: that in brackets; empty where there is none.
        what: which table.
        file: its name, for messages.

    Raises:
        InvalidScenarioError: the unit of a column that would be read may be one of two.
    """
    found = _meanings(column, what)
    if found or unit:
        return found, unit
    if any(_meanings(stem, what) for stem in stems(column)):
        name, told = split_ending(column, file, header=header)
        return (_meanings(name, what), told) if told else ([], "")
    whole = squashed(column)
    for ending, told in GLUED.items():
        found = _meanings(whole.removesuffix(ending), what) if whole.endswith(ending) else []
        if found:
            return found, told
    return [], ""


def _meanings(name: str, what: str) -> list[str]:
    plain = squashed(name)
    if not plain:
        return []
    at = AT_SITE if what != "sites" else ()
    own = {**NAMES, "name": (*NAMES["name"], *AT_SITE)} if what == "sites" else NAMES
    found = [m for m, names in own.items() if m not in _SKIPPED[what] and _is_one(name, plain, names)]
    return found + (["site"] if _is_one(name, plain, at) else [])


def _is_one(name: str, plain: str, names: Sequence[str]) -> bool:
    return name in names or any(plain == squashed(other) for other in names)
