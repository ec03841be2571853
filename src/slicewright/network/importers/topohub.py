"""Topologies of topohub: Topology Zoo, SNDlib and others, offline, by the extra ``topologies``.

Node names, geography and links are real; what they are used for here is not. Such networks span countries, so the map
is scaled down (``area_m``) to a size where devices reach access points: distances keep their proportions, no more.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

from slicewright.errors import MissingExtraError, UnknownNameError
from slicewright.network.importers.formats import graph_from_document
from slicewright.network.importers.graph import scenario_from_graph
from slicewright.network.importers.report import ImportReport
from slicewright.network.scenario import Scenario

DEFAULT_AREA_M = 2000.0


def import_topohub(name: str, *, seed: int = 0, **parameters: object) -> Scenario:
    """A scenario on the vertices of a topohub topology.

    Args:
        name: group and name, such as ``topozoo/Abilene`` or ``sndlib/polska``.
        seed: of everything that is drawn.
        **parameters: any field of :class:`~slicewright.network.importers.graph.GraphParameters`; ``area_m`` is
            2,000 unless given.

    Raises:
        MissingExtraError: topohub is not installed.
        UnknownNameError: no such topology; names the nearest.
        InvalidScenarioError: a parameter breaks a rule.
    """
    known = topologies()
    if name not in known:
        raise UnknownNameError("topology", name, known)
    document = json.loads((_data() / f"{name}.json").read_text(encoding="utf-8"))
    for vertex in document["nodes"]:  # topohub's pos is longitude, latitude
        vertex["longitude"], vertex["latitude"] = vertex.pop("pos")
    report = ImportReport()
    graph = graph_from_document(document, name, report)
    report.note("read", f"{graph.number_of_nodes()} vertices and {graph.number_of_edges()} edges of {name}")
    parameters.setdefault("area_m", DEFAULT_AREA_M)
    return scenario_from_graph(
        graph,
        source={"importer": "topohub", "topology": name},
        seed=seed,
        foreign=False,
        report=report,
        **parameters,
    )


def topologies() -> list[str]:
    """Names of all topologies that the installed topohub holds.

    Raises:
        MissingExtraError: topohub is not installed.
    """
    data = _data()
    return sorted(file.relative_to(data).with_suffix("").as_posix() for file in data.rglob("*.json"))


def _data() -> Path:
    """Where topohub keeps its files. Its own reader leaves them open, so they are read directly."""
    spec = find_spec("topohub")
    if spec is None or spec.origin is None:
        raise MissingExtraError("importing topohub topologies", "topologies")
    return Path(spec.origin).parent / "data"
