"""CSV tables of sites, nodes and devices, with units in their headers; what they leave open is drawn from ranges."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.columns.computing import Conversion
from slicewright.network.importers.columns.folder import tell_unread_files
from slicewright.network.importers.columns.names import FILE_NAMES
from slicewright.network.importers.columns.sheet import Sheet, read_sheet
from slicewright.network.importers.placing.nodes import at_most_a_site_each, place_nodes
from slicewright.network.importers.placing.roles import kind_of
from slicewright.network.importers.positions import placed_among, placed_around
from slicewright.network.importers.report import ImportReport, listed
from slicewright.network.importers.table_plane import TablePlane, sites_of
from slicewright.network.scenario import Scenario
from slicewright.network.workload import Workload, populate, with_workload
from slicewright.types import FloatArray


@dataclass(frozen=True)
class TableParameters(Workload):
    """What tables leave open, none of it real.

    Attributes:
        coins: COIN nodes at sites, where there is no table of nodes.
        mecs: MEC servers at sites, where there is no table of nodes.
        device_spread_m: devices without positions are so far from a random site in each direction.
        devices: how many, where there is no table of devices.
        core_hz: cycle/s that one core stands for, where a table counts cores (``cpu``, ``cores``, ``vcpus``).
        capacity_of: whose a node's speed in Hz is: that of each ``slice``, or of the whole ``node``, which divides it
            evenly between its slices as it does cores.
    """

    coins: int = 2
    mecs: int = 1
    device_spread_m: float = 60.0
    devices: int = 60
    core_hz: float = 1e9
    capacity_of: str = "slice"


def import_tables(folder: str | Path, *, seed: int = 0, **parameters: object) -> Scenario:
    """A scenario from tables in a folder: sites, and nodes and devices if they are there.

    Args:
        folder: with ``sites*.csv`` and, as far as there are any, ``nodes*.csv`` and ``devices*.csv``.
        seed: of everything that is drawn.
        **parameters: any field of :class:`TableParameters`.

    Raises:
        InvalidScenarioError: a file, a column, a unit or a number is missing or wrong (with file and line).
        FileNotFoundError: no such folder.
    """
    chosen = with_workload(
        TableParameters(), parameters, owner="the importer of tables", may_be_zero=("coins", "mecs")
    )
    path, report = _existing(Path(folder)), ImportReport()
    sites = read_sheet(path, "sites", report)
    if sites is None:
        raise InvalidScenarioError(path.name, f"has no table of sites ({', '.join(FILE_NAMES['sites'])})")
    nodes, devices = read_sheet(path, "nodes", report), read_sheet(path, "devices", report)
    rng = np.random.default_rng(seed)
    plane = TablePlane(sites)
    site_m = plane.places(sites)
    if site_m is None:
        there = ", ".join(sites.table.columns)
        raise InvalidScenarioError(
            sites.table.name, f"has no columns x and y, or latitude and longitude; its columns are {there}"
        )
    plane.look(sites, [("device", devices), ("node", nodes)], report)
    site_m = placed_among(site_m, sites.table, "sites", report)
    chosen = at_most_a_site_each(chosen, parameters, len(site_m))
    device_m = _device_places(chosen, plane, devices, site_m, rng, report, seed)
    kinds, node_m, node_names = _nodes(chosen, plane, nodes, site_m, device_m, rng, report)
    drawn = populate(
        chosen,
        rng,
        device_m=device_m,
        access_point_m=site_m,
        node_m=node_m,
        node_kinds=kinds,
        access_points=sites.names("site"),
        nodes=node_names,
        origin={},
    )
    conversion = Conversion(chosen.core_hz, capacity_of=chosen.capacity_of).checked()
    changes = _columns(drawn, sites, nodes, devices, conversion, report)
    for sheet, what in ((sites, "sites"), (nodes, "nodes"), (devices, "devices")):
        if sheet is not None:
            sheet.table.tell(report, what)
    tell_unread_files(path, [s.table.name for s in (sites, nodes, devices) if s is not None], report)
    files = {
        what: s.table.name for s, what in ((sites, "sites"), (nodes, "nodes"), (devices, "devices")) if s
    }
    origin = {
        "importer": "tables", **files, "not_real": asdict(chosen), "seed": seed, "report": report.to_dict()
    }  # fmt: skip
    return drawn.with_(**changes, origin=origin)


def _existing(folder: Path) -> Path:
    if folder.is_file():
        fix = "tables are imported by the name of the folder they are in"
        raise InvalidScenarioError(str(folder), "is a file, not a folder", fix=fix)
    if not folder.is_dir():
        raise FileNotFoundError(2, "no such folder", str(folder))
    return folder


def _device_places(
    chosen: TableParameters,
    plane: TablePlane,
    devices: Sheet | None,
    site_m: FloatArray,
    rng: np.random.Generator,
    report: ImportReport,
    seed: int,
) -> FloatArray:
    found = plane.places(devices)
    if found is not None and devices is not None:
        spread_m = chosen.device_spread_m
        return placed_around(found, site_m, devices.table, report, seed=seed, spread_m=spread_m)
    count = chosen.devices if devices is None else len(devices.table.rows)
    beside = None if devices is None else sites_of(devices, plane.site_names, site_m, report)
    if beside is not None and devices is not None:
        report.note("made_up", f"positions of {count} devices, around their sites", remember=True)
        beside = np.round(beside + rng.normal(0, chosen.device_spread_m, beside.shape), 2)
        return placed_around(
            beside, site_m, devices.table, report, seed=seed, spread_m=chosen.device_spread_m
        )
    told = f"{count} devices" if devices is None else f"positions of {count} devices"
    report.note("made_up", f"{told}, around sites", remember=True)
    around = site_m[rng.integers(len(site_m), size=count)]
    return np.round(around + rng.normal(0, chosen.device_spread_m, around.shape), 2)


def _nodes(
    chosen: TableParameters,
    plane: TablePlane,
    nodes: Sheet | None,
    site_m: FloatArray,
    device_m: FloatArray,
    rng: np.random.Generator,
    report: ImportReport,
) -> tuple[tuple[str, ...], FloatArray, list[str]]:
    """Kinds, places and names of the nodes."""
    if nodes is None:
        made = place_nodes(
            site_m, device_m, coins=chosen.coins, mecs=chosen.mecs, coin_placement="spread", rng=rng
        )
        report.note(
            "made_up", f"{chosen.coins} COIN nodes and {chosen.mecs} MEC servers at sites", remember=True
        )
        return (
            made.kinds,
            site_m[list(made.sites)],
            [f"{k}-{a}" for k, a in zip(made.kinds, made.sites, strict=True)],
        )
    count = len(nodes.table.rows)
    kinds = ["mec"] * count
    if "kind" in nodes.meaning:
        column = nodes.meaning["kind"][0]
        for row in range(count):
            word = nodes.table.cell(row, column)
            kinds[row] = kind_of(word)
            if kinds[row] not in ("coin", "mec"):
                raise InvalidScenarioError(
                    nodes.table.place(row, column),
                    "must be coin or mec, or another word for one (fog, edge, cloudlet; server, cloud, data center)",
                    value=word,
                )
    else:
        report.note("made_up", "kinds of nodes: all are MEC servers", remember=True)
    places = plane.places(nodes)
    if places is None:
        places = sites_of(nodes, plane.site_names, site_m, report)
    if places is None:
        report.note("made_up", "positions of nodes: the middle of all sites")
        places = np.tile(site_m.mean(axis=0), (count, 1))
    places = placed_among(places, nodes.table, "nodes", report)
    return tuple(kinds), places, nodes.names("node")


def _tell_idle_nodes(
    capacity_hz: FloatArray, names: list[str], device_hz: float, report: ImportReport
) -> None:
    """Nodes that do not compute, or more slowly than devices as they are drawn: perhaps the unit is another one."""
    idle = [name for name, hz in zip(names, capacity_hz, strict=True) if hz == 0]
    slow = [name for name, hz in zip(names, capacity_hz, strict=True) if 0 < hz < device_hz]
    if idle:
        report.note("odd", f"nodes that the table gives no computing at all: {listed(idle)}")
    if slow:
        report.note("odd", f"nodes that are slower than any device ({device_hz:g} cycle/s): {listed(slow)}")


def _columns(
    drawn: Scenario,
    sites: Sheet,
    nodes: Sheet | None,
    devices: Sheet | None,
    conversion: Conversion,
    report: ImportReport,
) -> dict[str, object]:
    """What tables say instead of what was drawn; the work follows the size where only that is given."""
    changes: dict[str, object] = {}
    bandwidth = sites.numbers("bandwidth", "Hz")
    capacity = None if nodes is None else nodes.speeds_hz("capacity", conversion, drawn.n_slices)
    drawn_names = [
        name for name, value in (("bandwidths", bandwidth), ("speeds of nodes", capacity)) if value is None
    ]
    if capacity is not None and nodes is not None:
        _tell_idle_nodes(capacity, nodes.names("node"), float(drawn.local_capacity_hz.min()), report)
        changes["node_capacity_hz"] = np.repeat(capacity[:, None], drawn.n_slices, axis=1)
    power = drawn.sites.tx_power_w
    bits, cycles, density = drawn.task_bits, None, None
    if devices is not None:
        given = {
            "task_bits": devices.numbers("task_bits", "bit"),
            "local_cycles": devices.numbers("local_cycles", "cycle"),
            "cycles_per_bit": devices.numbers("cycles_per_bit", "cycle/bit"),
            "local_capacity_hz": devices.speeds_hz("local_capacity", conversion),
            "arrival_rate_hz": devices.rates_hz(),
            "tx_power_w": devices.numbers("tx_power", "W"),
        }
        changes.update(
            {k: given[k] for k in ("local_capacity_hz", "arrival_rate_hz") if given[k] is not None}
        )
        power = given["tx_power_w"] if given["tx_power_w"] is not None else power
        bits = given["task_bits"] if given["task_bits"] is not None else bits
        cycles, density = given["local_cycles"], given["cycles_per_bit"]
        drawn_names += [name for name, value in given.items() if value is None and name != "cycles_per_bit"]
    ratio = drawn.local_cycles / drawn.task_bits if density is None else density
    work = bits * ratio if cycles is None else cycles
    changes |= {"task_bits": bits, "local_cycles": work}
    changes["slice_cycles"] = work[:, None] * (drawn.slice_cycles / drawn.local_cycles[:, None])
    hz = drawn.bandwidth_hz if bandwidth is None else bandwidth
    place, radio = drawn.sites, drawn.radio
    if (
        radio is not None
        and place.device_m is not None
        and place.access_point_m is not None
        and power is not None
    ):
        changes["rate_bps"] = radio.rates(place.device_m, place.access_point_m, power, hz)
    changes |= {
        "bandwidth_hz": hz,
        "sites": place.__class__(place.access_point_m, place.device_m, power, place.node_m),
    }
    drawn_names += ["work in slices"]
    report.note("made_up", f"{', '.join(drawn_names)}: origin.not_real has the ranges")
    return changes
