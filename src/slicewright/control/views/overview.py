"""Everything the dashboard shows, in one document of columns rather than names: small enough for ten a second."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np

from slicewright.control.messages.status import Status
from slicewright.control.views.documents import slice_documents
from slicewright.control.views.picture import Picture
from slicewright.drawing.web import column
from slicewright.slicing.loads import loads_of
from slicewright.slicing.open_gap import WORTH_SAYING, explain_gap
from slicewright.types import Document, FloatArray


def overview(
    picture: Picture, statuses: Mapping[str, Status], away: Mapping[str, str], leader: str, known: str = ""
) -> Document:
    """The present, for the dashboard; its shape may change with the dashboard.

    Args:
        picture: what to show.
        statuses: of slice managers.
        away: slices without a manager, and why.
        leader: name of the instance that decides.
        known: ``tag`` of the devices that the caller has: their names are not sent again if it still holds.
    """
    state, network, plan, split = picture.state, picture.situation.network, picture.plan, picture.split
    last = state.last
    return {
        "epoch": state.epoch,
        "network_revision": state.network_revision,
        "method": state.methods.active,
        "leader": leader,
        "path": [] if last is None else [f"{a.method}: {a.result}" for a in last.attempts],
        "duration_s": None if last is None else last.duration_s,
        "cost_s": None if plan is None else plan.cost_s,
        "gap": None if last is None else last.gap,
        "gap_reason": _gap_reason(picture),
        "broken": [] if plan is None else list(plan.violations.broken),
        "slices": list(network.slice_names),
        "access_points": list(network.access_points),
        "access_point_m": _positions(network.access_point_m, len(network.access_points)),
        "node_m": _positions(network.node_m, len(network.nodes)),
        "nodes": [
            {"name": name, "kind": kind, "use": row}
            for name, kind, row in zip(network.nodes, network.node_kinds, _node_use(picture), strict=True)
        ],
        "requested": [] if split is None else split.requested.tolist(),
        "percent": [] if split is None else split.percent.tolist(),
        "realised": [] if split is None else split.realised.tolist(),
        "managers": [
            {
                "name": s["name"],
                "state": s["state"],
                "detail": s["detail"],
                "devices": s["devices"],
                "held_revision": s["held_revision"],
                "instance": None if s["manager"] is None else s["manager"]["instance"],
                "shares": None if s["manager"] is None else s["manager"]["shares"]["path"],
                "shares_reason": "" if s["manager"] is None else s["manager"]["shares"]["reason"],
            }
            for s in slice_documents(picture, statuses, away)
        ],
        "devices": _devices(picture, known),
    }


def _gap_reason(picture: Picture) -> str | None:
    """Why the proven gap is large; asked only where it is known to be, since asking proves it again."""
    last, plan = picture.state.last, picture.plan
    if plan is None or last is None or last.gap is None or last.gap <= WORTH_SAYING:
        return None
    return explain_gap(plan)


def _node_use(picture: Picture) -> list[list[float]]:
    """(J, N) as a plan's page has it: see :class:`~slicewright.slicing.loads.Loads`."""
    network = picture.situation.network
    if picture.plan is None:
        return [[0.0] * len(network.slice_names) for _ in network.nodes]
    use: list[list[float]] = loads_of(picture.plan).utilisation.tolist()
    return use


def _positions(array: FloatArray | None, count: int) -> list[list[float] | None]:
    return [None] * count if array is None else [list(map(float, row)) for row in array]


def _devices(picture: Picture, known: str) -> Document:
    """All devices as columns, in one order: 100,000 of them are 2 MB, and their names 1 MB more where they are new."""
    devices = picture.state.devices
    place = np.full((3, len(devices)), -1)
    if picture.plan is not None:
        d, row = picture.plan.decisions, picture.row
        index = np.fromiter((row.get(device, -1) for device in devices), np.int64, len(devices))
        here = np.flatnonzero(index >= 0)
        here = here[~d.local[index[here]]]
        place[:, here] = [x[index[here]] for x in (d.access_point, d.node, d.slice)]
    names = list(devices)
    reasons: dict[str, int] = {}
    why = np.full(len(devices), -1)
    for i in np.flatnonzero(place[0] < 0).tolist():
        why[i] = reasons.setdefault(picture.reason(names[i]) or "", len(reasons))
    nowhere = (np.nan, np.nan)
    position = [nowhere if d.position_m is None else d.position_m for d in devices.values()]
    xy = np.array(position, dtype=np.float64).reshape(-1, 2)
    tag = f"{zlib.crc32(chr(0).join(names).encode()):08x}-{len(names)}"
    return {
        "tag": tag,
        "names": None if known == tag else names,
        "x": column(xy[:, 0]),
        "y": column(xy[:, 1]),
        "point": column(place[0], "index"),
        "node": column(place[1], "index"),
        "slice": column(place[2], "index"),
        "reason": column(why, "index"),
        "reasons": list(reasons),
    }
