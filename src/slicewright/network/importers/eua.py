"""EUA data sets (edge user allocation, P. Lai et al., ICSOC 2018): real base-station sites and users as CSV files.

Only positions are real. Tasks, powers, bandwidths, slices and all in-network nodes are made up: each is a field of
:class:`EuaParameters`, and the scenario's ``origin`` records all of them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.columns.table import LATITUDES, LONGITUDES, aliases, read_table
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

COLUMNS = {
    "latitude": LATITUDES,
    "longitude": LONGITUDES,
    "site_id": ("site_id", "siteid", "id", "site", "name", "station_id", "cell_id"),
}
"""What columns are called; the first name is that of the data set, the others those of people who copied it."""
MAY_BE_ZERO = ("users", "coins", "mecs")


@dataclass(frozen=True)
class EuaParameters(Workload):
    """What an EUA data set does not tell, none of it real: the workload, and the in-network nodes.

    Tasks are those of the published setting; nodes are scaled to the hundreds of users such data sets have: a COIN
    node is worth one or two cores per slice, a MEC server about sixteen.

    Attributes:
        users: so many users, the first in the file; 0 takes all of them.
        coins: COIN nodes, each at a base-station site.
        coin_placement: which sites: ``spread`` out evenly, ``busiest`` (most users nearest to it), or ``random``.
        mecs: MEC servers, at the site nearest the middle of all sites; several divide the area between them.
    """

    slices: int | tuple[str, ...] = ("embb", "urllc", "mmtc")
    coin_capacity_hz: Range = (2e9, 8e9)
    mec_capacity_hz: Range = (5e10, 5e10)
    users: int = 0
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
    hosts = place_nodes(
        site_m, user_m, coins=chosen.coins, mecs=chosen.mecs, coin_placement=chosen.coin_placement, rng=rng
    )
    report.note(
        "made_up",
        f"{chosen.coins} COIN nodes and {chosen.mecs} MEC servers at sites, tasks, powers, bandwidths and slices: "
        "origin.not_real has all figures",
    )
    return populate(
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
            "real": "positions of access points and devices",
            "not_real": asdict(chosen),
            "seed": seed,
            "report": report.to_dict(),
        },
    )


def _csv_files(home: Path, sites_file: str, users_file: str) -> tuple[Path, Path]:
    if not home.is_dir():
        raise FileNotFoundError(2, "no such folder", str(home))
    return _the_file(home, sites_file, "sites_file"), _the_file(home, users_file, "users_file")


def _the_file(folder: Path, pattern: str, parameter: str) -> Path:
    found = sorted(folder.glob(pattern))
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
