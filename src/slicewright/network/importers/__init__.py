"""Scenarios from other people's data: positions and topologies are theirs, everything else is named and made up."""

from slicewright.network.importers.eua import EuaParameters, import_eua
from slicewright.network.importers.graph import GraphParameters, import_graph, scenario_from_graph
from slicewright.network.importers.registry import import_scenario, importer, importers
from slicewright.network.importers.report import ImportReport, remembered, remembered_by_kind, report_lines
from slicewright.network.importers.tables import TableParameters, import_tables
from slicewright.network.importers.topohub import import_topohub, topologies
from slicewright.network.importers.trace import TraceParameters, import_trace

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
