"""Scenarios from other people's data: positions and topologies are theirs, everything else is named and made up."""

from slicewright.network.importers.eua import EuaParameters, import_eua
from slicewright.network.importers.graph import GraphParameters, import_graph, scenario_from_graph
from slicewright.network.importers.topohub import import_topohub, topologies

__all__ = [
    "EuaParameters",
    "GraphParameters",
    "import_eua",
    "import_graph",
    "import_topohub",
    "scenario_from_graph",
    "topologies",
]
