"""A plan in the dialects of those who would carry it out. Files only: nothing here talks to a radio or a cluster."""

from slicewright.enforcement.export.document import Export, ExportOptions
from slicewright.enforcement.export.inspection import Inspection, inspect_export
from slicewright.enforcement.export.read_back import ReadBack, read_back
from slicewright.enforcement.export.registry import TARGETS, export_plan, write_export

__all__ = [
    "TARGETS",
    "Export",
    "ExportOptions",
    "Inspection",
    "ReadBack",
    "export_plan",
    "inspect_export",
    "read_back",
    "write_export",
]
