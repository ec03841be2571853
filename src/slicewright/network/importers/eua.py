"""EUA data sets (edge user allocation, P. Lai et al., ICSOC 2018): real base-station sites and users as CSV files.

Only positions are real. Tasks, powers, bandwidths, slices and all in-network nodes are made up: each is a field of
:class:`EuaParameters`, and the scenario's ``origin`` records all of them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.network.city import nodes_in_reach
from slicewright.network.importers.columns.folder import files_like, tell_unread_files
from slicewright.network.importers.columns.headers import LATITUDES, LONGITUDES, aliases
from slicewright.network.importers.columns.table import read_table
from slicewright.network.importers.placing.geography import Origin, middle, to_plane_m
from slicewright.network.importers.placing.nodes import PLACEMENTS, at_most_a_site_each, place_nodes
from slicewright.network.importers.positions import (
    Positions,
    look_at_places,
    placed_among,
    placed_around,
    read_degrees,
)
from slicewright.network.importers.report import ImportReport
from slicewright.network.parameters import Range
from slicewright.network.scenario import Scenario
from slicewright.network.workload import Workload, populate, with_workload
from slicewright.types import FloatArray

COLUMNS = {
    "latitude": LATITUDES,
    "longitude": LONGITUDES,
    "site_id": ("site_id", "siteid", "id", "site", "name", "station_id", "cell_id"),
}
"""What columns are called; the first name is that of the data set, the others those of people who copied it."""
MAY_BE_ZERO = ("users", "devices", "coins", "mecs")
DRAWN = ("devices", "spread_m", "coin_reach_m", "mec_reach_m")
"""Parameters that are about drawn devices only."""
DRAWN_REACH_M = 400.0
"""Access points are candidates of drawn devices up to here, as in generated cities, unless a reach is given."""


@dataclass(frozen=True)
class EuaParameters(Workload):
    """What an EUA data set does not tell, none of it real: the workload, and the in-network nodes.

    Tasks are those of the published setting; nodes are scaled to the hundreds of users such data sets have: a COIN
    node is worth one or two cores per slice, a MEC server about sixteen.

    Attributes:
        users: so many users, the first in the file; 0 takes all of them.
        devices: so many devices instead of the users, each near one of them; 0 draws none. Drawn ones list the nodes
            that they may use, so that there may be very many.
        spread_m: standard deviation of a drawn device around its user, in m.
        coin_reach_m, mec_reach_m: nodes farther than this are not on a drawn device's list, in m.
        coins: COIN nodes, each at a base-station site.
        coin_placement: which sites: ``spread`` out evenly, ``busiest`` (most users nearest to it), or ``random``.
        mecs: MEC servers, at the site nearest the middle of all sites; several divide the area between them.
    """

    slices: int | tuple[str, ...] = ("embb", "urllc", "mmtc")
    coin_capacity_hz: Range = (2e9, 8e9)
    mec_capacity_hz: Range = (5e10, 5e10)
    users: int = 0
    devices: int = 0
    spread_m: float = 40.0
    coin_reach_m: float = 300.0
    mec_reach_m: float = 2_000.0
    coins: int = 40
    coin_placement: str = "spread"
    mecs: int = 2


# Over 60 lines by what is told about its arguments and by the figures that it hands on, one a line.
def import_eua(
    folder: str | Path,
    *,
    sites_file: str = "site-*.csv",
    users_file: str = "users-*.csv",
    seed: int = 0,
    **parameters: object,
) -> Scenario:
    """A scenario on real base-station sites (access points) and users (devices).

    Args:
        folder: where the CSV files are.
        sites_file, users_file: their names, or patterns that one file each matches. Sites need the columns
            ``SITE_ID``, ``LATITUDE`` and ``LONGITUDE``, users ``Latitude`` and ``Longitude``, in any case or by
            another name of :data:`COLUMNS`.
        seed: of everything that is drawn.
        **parameters: any field of :class:`EuaParameters`.

    Raises:
        InvalidScenarioError: a file, a column or a number is missing or wrong (with file and line), or a parameter.
        FileNotFoundError: no such folder.
    """
    chosen = with_workload(EuaParameters(), parameters, owner="the EUA importer", may_be_zero=MAY_BE_ZERO)
    if chosen.coin_placement not in PLACEMENTS:
        raise InvalidScenarioError(
            "coin_placement", f"must be one of {', '.join(PLACEMENTS)}", value=chosen.coin_placement
        )
    sites_csv, users_csv = _csv_files(Path(folder), sites_file, users_file)
    report = ImportReport()
    sites, users = _read_positions(sites_csv, report), _read_positions(users_csv, report)
    names = sites.table.names(sites.table.column(COLUMNS["site_id"]))
    sites.table.tell(report, "sites")
    users.table.tell(report, "users")
    tell_unread_files(Path(folder), [sites_csv.name, users_csv.name], report)
    chosen = at_most_a_site_each(chosen, parameters, len(sites.degrees))
    if chosen.users > len(users.degrees):
        raise InvalidScenarioError(
            "users", f"must be at most {len(users.degrees)}, all in {users_csv.name}", value=chosen.users
        )
    taken = chosen.users or len(users.degrees)
    if taken < len(users.degrees):
        report.note("dropped", f"{len(users.degrees) - taken} users after the first {taken}")
    look_at_places(sites, [("user", users)], report)
    origin = Origin(*(round(value, 6) for value in middle(sites.degrees[sites.known])))
    site_m = np.round(to_plane_m(sites.degrees, origin), 2)
    site_m = placed_among(site_m, sites.table, "sites", report)
    user_m = np.round(to_plane_m(users.degrees, origin), 2)
    user_m = placed_around(user_m, site_m, users.table, report, seed=seed)[:taken]
    rng = np.random.default_rng(seed)
    if chosen.devices:
        user_m = _drawn_around(user_m, chosen, rng)
        chosen = chosen if "reach_m" in parameters else replace(chosen, reach_m=DRAWN_REACH_M)
        report.note(
            "made_up", f"{chosen.devices} devices, each about {chosen.spread_m:g} m from one of {taken} users"
        )
    hosts = place_nodes(
        site_m, user_m, coins=chosen.coins, mecs=chosen.mecs, coin_placement=chosen.coin_placement, rng=rng
    )
    report.note(
        "made_up",
        f"{chosen.coins} COIN nodes and {chosen.mecs} MEC servers at sites, tasks, powers, bandwidths and slices: "
        "origin.not_real has all figures",
    )
    scenario = populate(
        chosen,
        rng,
        device_m=user_m,
        access_point_m=site_m,
        node_m=site_m[list(hosts.sites)],
        node_kinds=hosts.kinds,
        access_points=names,
        nodes=[f"{kind}-{names[a]}" for kind, a in zip(hosts.kinds, hosts.sites, strict=True)],
        origin={
            "importer": "eua",
            "sites_file": sites_csv.name,
            "users_file": users_csv.name,
            "latitude": origin.latitude,
            "longitude": origin.longitude,
            "real": f"positions of access points and {'users' if chosen.devices else 'devices'}",
            "not_real": _told(chosen),
            "seed": seed,
            "report": report.to_dict(),
        },
    )
    if not chosen.devices or scenario.sites.node_m is None:
        return scenario
    reach_m = np.where([kind == "mec" for kind in hosts.kinds], chosen.mec_reach_m, chosen.coin_reach_m)
    return scenario.with_(node_lists=nodes_in_reach(user_m, scenario.sites.node_m, reach_m))


def _told(chosen: EuaParameters) -> dict[str, object]:
    """All parameters; those of drawn devices only where some are."""
    told = asdict(chosen)
    return told if chosen.devices else {name: told[name] for name in told if name not in DRAWN}


def _drawn_around(user_m: FloatArray, chosen: EuaParameters, rng: np.random.Generator) -> FloatArray:
    """(devices, 2) m. Every user has about the same number of devices around it."""
    around = user_m[rng.permutation(np.arange(chosen.devices) % len(user_m))]
    return np.asarray(np.round(around + rng.normal(0.0, chosen.spread_m, around.shape), 2))


def _csv_files(home: Path, sites_file: str, users_file: str) -> tuple[Path, Path]:
    if not home.is_dir():
        raise FileNotFoundError(2, "no such folder", str(home))
    return _the_file(home, sites_file, "sites_file"), _the_file(home, users_file, "users_file")


def _the_file(folder: Path, pattern: str, parameter: str) -> Path:
    found = files_like(folder, pattern)
    if len(found) != 1:
        listed = ", ".join(file.name for file in found) or "none"
        raise InvalidScenarioError(
            parameter, f"must match exactly one file in {folder}; it matches {listed}", value=pattern
        )
    return found[0]


def _read_positions(file: Path, report: ImportReport) -> Positions:
    """Positions of every row of a table."""
    table = read_table(file, report, known=aliases(COLUMNS))
    latitude, longitude = (table.column(COLUMNS[name]) for name in ("latitude", "longitude"))
    if not table.rows:
        raise InvalidScenarioError(file.name, "must have at least one row under its header")
    return read_degrees(table, latitude, longitude)
