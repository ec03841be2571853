"""What the dashboard of a city shows: copies of one moment, taken between two changes, and the document made of them.

Taking the copies of 100,000 devices keeps the loop for some 10 ms; the rest is done beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from slicewright.control.city.followed import FollowedCity
from slicewright.control.state.events.city import CityChanged, CityProven
from slicewright.control.state.network import Network
from slicewright.drawing.web import column
from slicewright.files.documents import finite
from slicewright.slicing.decisions import Decisions
from slicewright.types import Document, FloatArray, IntArray

Recent = tuple[int, CityChanged | CityProven]
"""A record's number, and what it tells."""
MOST_CHANGES = 40


@dataclass(frozen=True, eq=False)
class Moment:
    """A city between two changes.

    Attributes:
        network: nodes, slices and access points.
        names: slot to name.
        slots: (k,) of the devices that are there.
        decisions: of these.
        position_m: (k, 2) m; not a number where unknown.
        node_use, band_use: see :class:`~slicewright.slicing.city.live_slots.LiveSlots`.
        cost_s, bound_s, gap: what the plan costs, and what is proven.
        sequence: of the newest record.
        recent: the last changes, the newest last.
        crowd: another text whenever somebody has come or left.
    """

    network: Network
    names: Mapping[int, str]
    slots: IntArray
    decisions: Decisions
    position_m: FloatArray
    node_use: FloatArray
    band_use: FloatArray
    cost_s: float
    bound_s: float
    gap: float
    sequence: int
    recent: Sequence[Recent]
    crowd: str


def moment_of(city: FollowedCity, sequence: int, recent: Iterable[Recent]) -> Moment:
    """Copies of what is shown of a city, at the record ``sequence``."""
    live, slots = city.live, np.flatnonzero(city.live.present)
    return Moment(
        network=city.network,
        names=dict(city.names),
        slots=slots,
        decisions=live.places(slots),
        position_m=city.position_m[slots],
        node_use=live.node_use(),
        band_use=live.band_use(),
        cost_s=live.cost_s,
        bound_s=live.bound_s,
        gap=live.gap,
        sequence=sequence,
        recent=tuple(recent),
        crowd=city.crowd,
    )


def overview(moment: Moment, known: str = "") -> Document:
    """The moment as the dashboard reads it; its shape may change with the dashboard.

    Args:
        moment: what to show.
        known: ``tag`` of the devices that the caller has: their names are not sent again while it holds.
    """
    network, d = moment.network, moment.decisions
    nodes = zip(network.nodes, network.node_kinds, moment.node_use.tolist(), strict=True)
    return {
        "sequence": moment.sequence,
        "cost_s": moment.cost_s,
        "lower_bound_s": moment.bound_s,
        "gap": finite(moment.gap),
        "network_revision": 0,  # places stay where they are
        "slices": list(network.slice_names),
        "access_points": list(network.access_points),
        "access_point_m": _places(network.access_point_m, len(network.access_points)),
        "node_m": _places(network.node_m, len(network.nodes)),
        "nodes": [{"name": name, "kind": kind, "use": use} for name, kind, use in nodes],
        "percent": np.round(100.0 * moment.band_use, 1).tolist(),
        "devices": {
            "tag": moment.crowd,
            "names": None
            if known == moment.crowd
            else [moment.names[slot] for slot in moment.slots.tolist()],
            "x": column(moment.position_m[:, 0]),
            "y": column(moment.position_m[:, 1]),
            "point": column(d.access_point, "index"),
            "node": column(d.node, "index"),
            "slice": column(d.slice, "index"),
            "reason": column(np.zeros(moment.slots.size), "index"),
            "reasons": [""],
        },
        "changes": [_change(sequence, event) for sequence, event in moment.recent],
    }


def _places(position_m: FloatArray | None, count: int) -> list[list[float] | None]:
    return [None] * count if position_m is None else [list(row) for row in position_m.tolist()]


def _change(sequence: int, event: CityChanged | CityProven) -> Document:
    if isinstance(event, CityProven):
        return {"sequence": sequence, "proven": True, "cost_s": event.cost_s, "moved": len(event.places)}
    asked = [new.device.id for new in event.admitted]
    return {
        "sequence": sequence,
        "proven": False,
        "asked": asked[0] if len(asked) == 1 else len(asked),
        "withdrawn": event.withdrawn[0] if len(event.withdrawn) == 1 else len(event.withdrawn),
        "nodes": list(event.capacity_hz),
        "moved": len(event.moved),
        "cost_s": event.cost_s,
        "duration_s": event.duration_s,
    }
