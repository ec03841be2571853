"""Graphs in the files of other tools: each format is a function from text to a graph and what was noted on the way."""

from slicewright.network.importers.formats.detect import FORMATS, ReadGraph, read_graph
from slicewright.network.importers.formats.node_link import graph_from_document

__all__ = ["FORMATS", "ReadGraph", "graph_from_document", "read_graph"]
