"""Where the vertices of a graph are: by their attributes, or by a spring layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.network.importers.geography import Origin, to_plane_m
from slicewright.types import FloatArray

if TYPE_CHECKING:
    import networkx as nx

LAYOUT_SIDE_M = 1000.0
_LATITUDES, _LONGITUDES = ("latitude", "lat"), ("longitude", "lon", "lng")


class Places(NamedTuple):
    """(V, 2) m, and how they were found: ``x, y``, ``pos``, ``latitude, longitude`` or ``spring layout``."""

    xy_m: FloatArray
    rule: str


def place_vertices(graph: nx.Graph, names: Sequence[str], *, area_m: float, seed: int) -> Places:
    """Places of all vertices: attributes if every vertex has them, else a spring layout.

    Args:
        graph: the vertices, in order.
        names: their names, for messages.
        area_m: scale the longer side to this; 0 keeps metres and degrees as they are.
        seed: of the spring layout.

    Raises:
        InvalidScenarioError: a position that is no number, or degrees off the globe.
    """
    every = [{str(key).lower(): value for key, value in data.items()} for _, data in graph.nodes(data=True)]
    found = _by_degrees(every, names) or _by_metres(every, names) or _by_springs(graph, seed)
    side = area_m or (LAYOUT_SIDE_M if found.rule == "spring layout" else 0.0)
    xy = found.xy_m - found.xy_m.min(axis=0)
    longer = float(xy.max(initial=0.0))
    if side and longer > 0:
        xy *= side / longer
    return Places(np.round(xy, 2), found.rule)


def _by_degrees(every: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Places | None:
    latitude = next((key for key in _LATITUDES if all(key in data for data in every)), None)
    longitude = next((key for key in _LONGITUDES if all(key in data for data in every)), None)
    if latitude is None or longitude is None:
        return None
    bounds = ((latitude, 90.0), (longitude, 180.0))
    degrees = np.array(
        [
            [_number(data[key], names[v], v, key, bound=bound) for key, bound in bounds]
            for v, data in enumerate(every)
        ]
    )
    return Places(to_plane_m(degrees, Origin(*degrees.mean(axis=0).tolist())), "latitude, longitude")


def _by_metres(every: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Places | None:
    if all("x" in data and "y" in data for data in every):
        pairs, rule = [(data["x"], data["y"]) for data in every], "x, y"
    elif all(isinstance(data.get("pos"), (list, tuple)) and len(data["pos"]) == 2 for data in every):
        pairs, rule = [tuple(data["pos"]) for data in every], "pos"
    else:
        return None
    numbers = [[_number(value, names[v], v, rule) for value in pair] for v, pair in enumerate(pairs)]
    return Places(np.array(numbers), rule)


def _by_springs(graph: nx.Graph, seed: int) -> Places:
    import networkx as nx

    layout = nx.spring_layout(graph, seed=seed)
    return Places(np.array([layout[vertex] for vertex in graph.nodes], dtype=np.float64), "spring layout")


def _number(value: Any, name: str, v: int, attribute: str, bound: float = np.inf) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not (np.isfinite(number) and abs(number) <= bound):
        rule = "a number" if np.isinf(bound) else f"a number from {-bound:g} to {bound:g} degrees"
        raise InvalidScenarioError(f"nodes[{v}].{attribute}", f"of {name!r} must be {rule}", value=value)
    return number
