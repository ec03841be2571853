"""Importers by name, those of installed packages too, and the one that a source asks for by what it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, cast

from slicewright.errors import InvalidScenarioError, SlicewrightError, UnknownNameError
from slicewright.network.importers.columns.folder import files_like
from slicewright.network.importers.columns.names import tables_in
from slicewright.network.importers.eua import import_eua
from slicewright.network.importers.graph import import_graph
from slicewright.network.importers.tables import import_tables
from slicewright.network.importers.topohub import import_topohub
from slicewright.network.importers.trace import import_trace
from slicewright.network.scenario import Scenario

ENTRY_POINT_GROUP = "slicewright.importers"
"""Packages offer importers here: functions ``(source, *, seed, **parameters) -> Scenario``."""


class Importer(NamedTuple):
    """An importer by name."""

    name: str
    summary: str
    function: Callable[..., Scenario]


BUILT_IN: Mapping[str, Importer] = MappingProxyType(
    {
        one.name: one
        for one in (
            Importer("eua", "folder of an EUA data set: site-*.csv and users-*.csv", import_eua),
            Importer(
                "graph",
                "graph file: node-link JSON, GraphML, GML, SNDlib, Cytoscape, EdgeSimPy, YAFS, mobile-env",
                import_graph,
            ),
            Importer(
                "tables",
                "folder of CSV tables: sites, nodes, devices, with units in their headers",
                import_tables,
            ),
            Importer("trace", "workload trace, CSV or Parquet: arrivals and sizes", import_trace),
            Importer("topohub", "topology by name: topozoo/Abilene, sndlib/polska", import_topohub),
        )
    }
)


def importers() -> dict[str, str]:
    """What each importer takes, by name; those of packages are loaded when they are used."""
    offered = {
        point.name: f"from the package {_package(point)}" for point in entry_points(group=ENTRY_POINT_GROUP)
    }
    return {
        **{name: one.summary for name, one in BUILT_IN.items()},
        **{k: v for k, v in offered.items() if k not in BUILT_IN},
    }


def importer(name: str) -> Callable[..., Scenario]:
    """An importer by name. What goes wrong in one of a package is told with its name.

    Raises:
        UnknownNameError: there is none of that name.
        InvalidScenarioError: the package that offers it cannot be loaded.
    """
    if name in BUILT_IN:
        return BUILT_IN[name].function
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if point.name == name:
            return _guarded(point)
    raise UnknownNameError("importer", name, importers())


def _guarded(point: EntryPoint) -> Callable[..., Scenario]:
    """An importer of a package, whose own errors become ours: whoever imports a file did not write it."""
    try:
        function = cast("Callable[..., object]", point.load())
    except Exception as broken:  # importing it runs the package's own code, which may raise anything
        told = f"cannot be loaded from the package {_package(point)}: {type(broken).__name__}: {broken}"
        raise InvalidScenarioError(point.name, told) from broken

    def guarded(source: str | Path, *, seed: int = 0, **parameters: object) -> Scenario:
        try:
            made = function(source, seed=seed, **parameters)
        except (SlicewrightError, OSError, MemoryError):
            raise
        except Exception as broken:  # whatever else its code raises is its fault
            raise InvalidScenarioError(
                point.name, f"of the package {_package(point)} failed: {type(broken).__name__}: {broken}"
            ) from broken
        if not isinstance(made, Scenario):
            raise InvalidScenarioError(point.name, f"must return a Scenario, not a {type(made).__name__}")
        return made

    return guarded


def import_scenario(source: str | Path, *, seed: int = 0, **parameters: object) -> Scenario:
    """Import by the importer that suits the source.

    Args:
        source: a folder, a file, or the name of a topology.
        seed: of everything that is drawn.
        **parameters: of that importer.

    Raises:
        InvalidScenarioError: no importer takes it, or it breaks a rule of the one that does.
        FileNotFoundError: no such file or folder.
    """
    return importer(suitable(source))(source, seed=seed, **parameters)


def suitable(source: str | Path) -> str:
    """Name of the importer that takes a source.

    Raises:
        InvalidScenarioError: a folder without tables that are known.
        FileNotFoundError: neither a file nor a folder nor the name of a topology.
    """
    path = Path(source)
    if path.is_dir():
        if files_like(path, "site-*.csv") and files_like(path, "users-*.csv"):
            return "eua"
        if tables_in(path, "sites"):
            return "tables"
        raise InvalidScenarioError(
            str(source),
            "is a folder without tables of sites: site-*.csv and users-*.csv, or sites.csv and others",
            fix="name a file of it, or see slicewright scenario import --list",
        )
    if path.is_file():
        return "trace" if path.suffix.lower() in (".csv", ".tsv", ".parquet", ".pq") else "graph"
    if str(source).count("/") == 1 and not path.suffix and not path.parent.exists():
        return "topohub"
    raise FileNotFoundError(2, "no such file or folder", str(source))


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value
