"""Scenarios from other people's data: positions and topologies are theirs, everything else is named and made up.

Names are loaded on first use: who only reads what an importer has noted of a scenario needs no library for graphs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slicewright.network.importers.eua import EuaParameters, import_eua
    from slicewright.network.importers.graph import GraphParameters, import_graph, scenario_from_graph
    from slicewright.network.importers.registry import import_scenario, importer, importers
    from slicewright.network.importers.report import (
        ImportReport,
        remembered,
        remembered_by_kind,
        report_lines,
    )
    from slicewright.network.importers.tables import TableParameters, import_tables
    from slicewright.network.importers.topohub import import_topohub, topologies
    from slicewright.network.importers.trace import TraceParameters, import_trace

_HOME = {
    "eua": (
        "EuaParameters",
        "import_eua",
    ),
    "graph": (
        "GraphParameters",
        "import_graph",
        "scenario_from_graph",
    ),
    "registry": (
        "import_scenario",
        "importer",
        "importers",
    ),
    "report": (
        "ImportReport",
        "remembered",
        "remembered_by_kind",
        "report_lines",
    ),
    "tables": (
        "TableParameters",
        "import_tables",
    ),
    "topohub": (
        "import_topohub",
        "topologies",
    ),
    "trace": (
        "TraceParameters",
        "import_trace",
    ),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "EuaParameters",
    "GraphParameters",
    "ImportReport",
    "TableParameters",
    "TraceParameters",
    "import_eua",
    "import_graph",
    "import_scenario",
    "import_tables",
    "import_topohub",
    "import_trace",
    "importer",
    "importers",
    "remembered",
    "remembered_by_kind",
    "report_lines",
    "scenario_from_graph",
    "topologies",
]


def __getattr__(name: str) -> object:
    """Load a public name from its home on first use."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
