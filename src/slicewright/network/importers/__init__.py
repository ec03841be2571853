"""Scenarios from other people's data: positions and topologies are theirs, everything else is named and made up."""

from slicewright.network.importers.eua import EuaParameters, import_eua

__all__ = ["EuaParameters", "import_eua"]
