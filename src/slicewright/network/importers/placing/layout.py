"""Where the vertices of a graph are: by their attributes, beside their neighbours, or by a spring layout."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from slicewright.errors import InvalidScenarioError
from slicewright.files.fields import as_number
from slicewright.network.importers.placing.geography import FAR_M, like_degrees, middle, next_m, to_plane_m
from slicewright.network.importers.report import ImportReport, listed
from slicewright.types import BoolArray, FloatArray

if TYPE_CHECKING:
    import networkx as nx

LAYOUT_SIDE_M = 1000.0
MOST_BY_SPRINGS = 5_000
"""A spring layout takes time with the square of the vertices."""
WIDE_M = 100e3
"""A map wider than this is no city: devices reach the access point that they sit at, and no other."""
OUTLYING, _FEW_PLACES = 20.0, 3
"""A vertex is far from all others at so many times the usual distance to the next, where there are so many."""
_LATITUDES, _LONGITUDES = ("latitude", "lat"), ("longitude", "lon", "lng", "long")


_PLACE_KEY = re.compile(
    r"(?:(?:geo|gps|v|node|site|cell|pos|position|coord|loc|location)_?)?"
    r"(latitude|lat|longitude|lon|lng|long|x|y)"
    r"(?:_?(?:deg|degrees|pos|position|coord|coordinate|m))?"
)
"""Names of single coordinates: ``geo_lat``, ``posX``, ``x_m``, ``lat_deg``."""


class Places(NamedTuple):
    """(V, 2) m, and how they were found: ``x, y``, ``pos``, ``latitude, longitude`` or ``spring layout``."""

    xy_m: FloatArray
    rule: str


def place_vertices(
    graph: nx.Graph, names: Sequence[str], *, area_m: float, seed: int, report: ImportReport | None = None
) -> Places:
    """Places of all vertices: by attributes; those without, beside their neighbours; without any, a spring layout.

    Args:
        graph: the vertices, in order.
        names: their names, for messages.
        area_m: scale the longer side to this; 0 keeps metres and degrees as they are.
        seed: of the spring layout.
        report: where is noted whose places are made up.

    Raises:
        InvalidScenarioError: a position that is no number, or degrees off the globe.
    """
    report = report or ImportReport()
    every = [_attributes(data) for _, data in graph.nodes(data=True)]
    found = _by_attributes(graph, every, names, report)
    if found is None:
        found = _by_springs(graph, seed)
        report.note("made_up", f"positions of all {len(names)} vertices: a spring layout", remember=True)
    wide, high = np.ptp(found.xy_m, axis=0)
    if found.rule != "spring layout":
        unit = (
            " m"
            if found.rule.startswith("lat")
            else ", taken as metres"
            if not area_m
            else " units of the file"
        )
        report.note("read", f"positions from {found.rule}: {wide:,.6g} by {high:,.6g}{unit}")
        if not found.rule.startswith("lat") and not area_m and (told := like_degrees(found.xy_m)):
            report.note("odd", told)
    side = area_m or (LAYOUT_SIDE_M if found.rule == "spring layout" else 0.0)
    xy = found.xy_m - found.xy_m.min(axis=0)
    longer = float(xy.max(initial=0.0))
    if side and longer > 0:
        xy *= side / longer
    elif longer > WIDE_M:
        report.note(
            "odd",
            f"the map is {longer / 1000:,.0f} km wide: a device reaches the access point it is at, and hardly another; "
            "area_m scales the map",
        )
    return Places(np.round(xy, 2), found.rule)


def place_key(key: str) -> str:
    """An attribute in lower case, by its usual name where it is a coordinate."""
    plain = key.strip().lower()
    match = _PLACE_KEY.fullmatch(plain)
    return match.group(1) if match else plain


def _attributes(data: Mapping[Any, Any]) -> dict[str, Any]:
    """Attributes in lower case, and coordinates by their usual names where nothing else has them."""
    found = {str(key).lower(): value for key, value in data.items()}
    return {**{place_key(key): value for key, value in found.items()}, **found}


def places_by(graph: nx.Graph) -> str:
    """What tells most positions: ``x, y``, ``pos`` or ``latitude, longitude``; empty where nothing does."""
    every = [_attributes(data) for _, data in graph.nodes(data=True)]
    best = _best(every)
    return "" if best is None else best[0]


def _best(every: Sequence[Mapping[str, Any]]) -> tuple[str, list[tuple[Any, Any] | None]] | None:
    """The attributes that most vertices have, the first of equals, and their values."""
    counted = [(sum(pair is not None for pair in pairs), rule, pairs) for rule, pairs in _pairs(every)]
    count, rule, pairs = max(counted, key=lambda one: one[0])
    return (rule, pairs) if count else None


def _pairs(every: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[tuple[Any, Any] | None]]]:
    """What may tell positions, with the two values of every vertex."""
    return [
        ("latitude, longitude", [_pair(data, _LATITUDES, _LONGITUDES) for data in every]),
        ("x, y", [_pair(data, ("x",), ("y",)) for data in every]),
        ("pos", [_position(data.get("pos")) for data in every]),
    ]


def _by_attributes(
    graph: nx.Graph, every: Sequence[Mapping[str, Any]], names: Sequence[str], report: ImportReport
) -> Places | None:
    """Places by the attributes that most vertices have; the others are placed beside their neighbours.

    None where no vertex has a place, or a single one is all that is known: others would be put on the same spot.
    """
    best = _best(every)
    if best is None:
        return None
    rule, pairs = best
    others = [other for other, found in _pairs(every) if other != rule and any(found)]
    if others:
        report.note("dropped", f"positions from {' and '.join(others)}: those from {rule} are taken")
    known = np.array([pair is not None for pair in pairs], dtype=bool)
    xy = np.zeros((len(names), 2))
    if rule == "latitude, longitude":
        degrees = np.array([_degrees(pair, names[v], v) for v, pair in enumerate(pairs) if pair is not None])
        xy[known] = to_plane_m(degrees, middle(degrees))
        _tell_odd_degrees(degrees, [names[int(v)] for v in np.flatnonzero(known)], report)
    else:
        xy[known] = [
            [_number(value, names[v], v, rule) for value in pair]
            for v, pair in enumerate(pairs)
            if pair is not None
        ]
    if not known.all() and not np.ptp(xy[known], axis=0).any():
        alone = [names[int(v)] for v in np.flatnonzero(known)]
        report.note("dropped", f"the position of {listed(alone)}: a single place makes no map", remember=True)
        return None
    if not known.all():
        xy = _beside_neighbours(graph, xy, known)
        missing = [names[int(v)] for v in np.flatnonzero(~known)]
        report.note(
            "made_up",
            f"positions of {len(missing)} of {len(names)} vertices, placed among their neighbours, or in the middle "
            f"of all where no edge leads to them: {listed(missing)}",
            remember=True,
        )
    return Places(xy, rule)


def _tell_odd_degrees(degrees: FloatArray, names: Sequence[str], report: ImportReport) -> None:
    """Positions at 0, 0, which is what programs write for none, and single ones that are a continent away."""
    nowhere = [names[int(v)] for v in np.flatnonzero((degrees == 0).all(axis=1))]
    if nowhere and len(nowhere) < len(names):
        report.note("odd", f"vertices at latitude and longitude 0: {listed(nowhere)}")
    if len(degrees) < _FEW_PLACES:
        return
    away_m = next_m(degrees)
    far = np.flatnonzero(away_m > max(FAR_M, OUTLYING * float(np.median(away_m))))
    if far.size:
        worst = int(far[np.argmax(away_m[far])])
        report.note(
            "odd",
            f"{far.size} of {len(names)} vertices are far from every other, which may have latitude and longitude "
            f"exchanged; the nearest one of {names[worst]!r} is {away_m[worst] / 1000:,.0f} km away",
        )


def _beside_neighbours(graph: nx.Graph, xy: FloatArray, known: BoolArray) -> FloatArray:
    """Every vertex without a place in the middle of its neighbours, which may be such vertices themselves.

    What no edge joins to a known place goes to the middle of all known ones.
    """
    from scipy.sparse import csr_array, eye_array
    from scipy.sparse.linalg import spsolve

    index = {vertex: v for v, vertex in enumerate(graph.nodes)}
    placed = np.where(known[:, None], xy, xy[known].mean(axis=0))
    reached: BoolArray = known.copy()
    waiting: list[int] = np.flatnonzero(known).tolist()
    vertices = list(graph.nodes)
    while waiting:
        for other in graph.neighbors(vertices[waiting.pop()]):
            if not reached[index[other]]:
                reached[index[other]] = True
                waiting.append(index[other])
    free = np.flatnonzero(reached & ~known)
    if free.size == 0:
        return placed
    row = {int(v): k for k, v in enumerate(free)}
    right, entries = np.zeros((free.size, 2)), []
    for v in free:
        others = [index[other] for other in graph.neighbors(vertices[v])]
        for u in others:
            if known[u]:
                right[row[int(v)]] += xy[u] / len(others)
            else:
                entries.append((row[int(v)], row[u], -1.0 / len(others)))
    coupled = csr_array((free.size, free.size))
    if entries:
        i, j, weight = (np.array(part) for part in zip(*entries, strict=True))
        coupled = csr_array((weight, (i, j)), shape=(free.size, free.size))
    placed[free] = spsolve((eye_array(free.size) + coupled).tocsc(), right).reshape(-1, 2)
    return placed


def _by_springs(graph: nx.Graph, seed: int) -> Places:
    import networkx as nx

    if len(graph) > MOST_BY_SPRINGS:
        raise InvalidScenarioError(
            "nodes",
            f"are {len(graph):,} vertices without positions; a layout is made up for at most {MOST_BY_SPRINGS:,}",
            fix="give them x and y, or latitude and longitude",
        )
    layout = nx.spring_layout(graph, seed=seed)
    return Places(np.array([layout[vertex] for vertex in graph.nodes], dtype=np.float64), "spring layout")


def _pair(data: Mapping[str, Any], first: Sequence[str], second: Sequence[str]) -> tuple[Any, Any] | None:
    """Two attributes that both must be there; empty ones are not, nor two that are no numbers (GML's NAN)."""
    values = [
        next((data[key] for key in keys if data.get(key) not in (None, "")), None) for keys in (first, second)
    ]
    if values[0] is None or values[1] is None or all(isinstance(v, float) and np.isnan(v) for v in values):
        return None
    return values[0], values[1]


def _position(value: object) -> tuple[Any, Any] | None:
    """The first two of a list of two or three: a height is left out."""
    return (value[0], value[1]) if isinstance(value, (list, tuple)) and len(value) in (2, 3) else None


def _degrees(pair: tuple[Any, Any], name: str, v: int) -> list[float]:
    try:
        return [
            _number(value, name, v, attribute, bound=bound)
            for value, attribute, bound in zip(pair, ("latitude", "longitude"), (90.0, 180.0), strict=True)
        ]
    except InvalidScenarioError as refused:
        try:
            _number(pair[0], name, v, "latitude", bound=180.0)
            _number(pair[1], name, v, "longitude", bound=90.0)
        except InvalidScenarioError:
            raise refused from None
        fix = "latitude and longitude may be exchanged"
        raise InvalidScenarioError(refused.field, refused.rule, value=refused.value, fix=fix) from None


def _number(value: Any, name: str, v: int, attribute: str, bound: float = np.inf) -> float:
    number = as_number(value)
    if number is None or not (np.isfinite(number) and abs(number) <= min(bound, 1e12)):
        rule = "a number" if np.isinf(bound) else f"a number from {-bound:g} to {bound:g} degrees"
        field = f"nodes[{v}].{attribute}"
        raise InvalidScenarioError(
            field, f"of {name!r} must be {rule}", value=value, fix=_advice(value, bound)
        )
    return number


def _advice(value: object, bound: float) -> str:
    """What to do about a number as others write it."""
    number = as_number(value)
    if isinstance(value, str) and as_number(value.replace(",", ".")) is not None and number is None:
        return "write a point where it has a decimal comma"
    if bound == 180.0 and number is not None and 180.0 < number <= 360.0:
        return "take 360 from longitudes that go from 0 to 360"
    if isinstance(value, str) and re.search("[°'\"NSEWO]", value):
        return "write degrees as decimal numbers, south and west with a minus"
    return ""
