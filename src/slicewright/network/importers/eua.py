"""EUA data sets (edge user allocation, P. Lai et al., ICSOC 2018): real base-station sites and users as CSV files.

Only positions are real. Tasks, powers, bandwidths, slices and all in-network nodes are made up: each is a field of
:class:`EuaParameters`, and the scenario's ``origin`` records all of them.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.geography import Origin, to_plane_m
from slicewright.network.importers.nodes import PLACEMENTS, place_nodes
from slicewright.network.parameters import Range
from slicewright.network.scenario import Scenario
from slicewright.network.workload import Workload, populate, with_workload
from slicewright.types import FloatArray

_BOUNDS = {"latitude": 90.0, "longitude": 180.0}
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
            ``SITE_ID``, ``LATITUDE`` and ``LONGITUDE``, users ``Latitude`` and ``Longitude``, in any case.
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
    names, site_degrees = _read_positions(sites_csv, name_column="site_id")
    _, user_degrees = _read_positions(users_csv)
    if chosen.users > len(user_degrees):
        raise InvalidScenarioError(
            "users", f"must be at most {len(user_degrees)}, all in {users_csv.name}", value=chosen.users
        )
    origin = Origin(*np.round(site_degrees.mean(axis=0), 6).tolist())
    site_m = np.round(to_plane_m(site_degrees, origin), 2)
    user_m = np.round(to_plane_m(user_degrees[: chosen.users or None], origin), 2)
    rng = np.random.default_rng(seed)
    hosts = place_nodes(
        site_m, user_m, coins=chosen.coins, mecs=chosen.mecs, coin_placement=chosen.coin_placement, rng=rng
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


def _read_positions(file: Path, name_column: str | None = None) -> tuple[list[str], FloatArray]:
    """Names, and (k, 2) latitude and longitude in degrees, of every row."""
    names: list[str] = []
    degrees: list[tuple[float, float]] = []
    seen: dict[str, int] = {}
    with file.open(newline="", encoding="utf-8-sig") as stream:
        rows = csv.reader(stream)
        columns = [name.strip().lower() for name in next(rows, [])]
        wanted = [_column(file, columns, name) for name in ("latitude", "longitude")]
        named = None if name_column is None else _column(file, columns, name_column)
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            line = rows.line_num
            latitude, longitude = (_degrees(file, line, row, columns, k) for k in wanted)
            degrees.append((latitude, longitude))
            if named is not None:
                name = _cell(file, line, row, columns, named)
                if name in seen:
                    raise InvalidScenarioError(
                        f"{file.name} line {line}, {columns[named]}",
                        f"is the name of line {seen[name]} too; names must differ",
                        value=name,
                    )
                seen[name] = line
                names.append(name)
    if not degrees:
        raise InvalidScenarioError(file.name, "must have at least one row under its header")
    return names, np.array(degrees)


def _column(file: Path, columns: Sequence[str], name: str) -> int:
    if name not in columns:
        raise InvalidScenarioError(
            file.name, f"has no column {name!r}; its columns are {', '.join(columns) or 'none'}"
        )
    return columns.index(name)


def _cell(file: Path, line: int, row: Sequence[str], columns: Sequence[str], k: int) -> str:
    if k >= len(row) or not row[k].strip():
        raise InvalidScenarioError(f"{file.name} line {line}, {columns[k]}", "is missing")
    return row[k].strip()


def _degrees(file: Path, line: int, row: Sequence[str], columns: Sequence[str], k: int) -> float:
    text, bound = _cell(file, line, row, columns, k), _BOUNDS[columns[k]]
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) <= bound:
        raise InvalidScenarioError(
            f"{file.name} line {line}, {columns[k]}",
            f"must be a number from {-bound:g} to {bound:g} degrees",
            value=text,
        )
    return value
