"""Everything the dashboard shows, in one document of indices rather than names: small enough for ten a second."""

from __future__ import annotations

from collections.abc import Mapping

from slicewright.control.messages.status import Status
from slicewright.control.state.device import Device
from slicewright.control.views.documents import node_documents, slice_documents
from slicewright.control.views.picture import Picture
from slicewright.slicing.open_gap import WORTH_SAYING, explain_gap
from slicewright.types import Document, FloatArray


def overview(
    picture: Picture, statuses: Mapping[str, Status], away: Mapping[str, str], leader: str
) -> Document:
    """The present, for the dashboard; its shape may change with the dashboard."""
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
            {"name": n["name"], "kind": n["kind"], "load": [s["load"] for s in n["slices"].values()]}
            for n in node_documents(picture)
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
        "devices": [_device(picture, device) for device in state.devices.values()],
    }


def _gap_reason(picture: Picture) -> str | None:
    """Why the proven gap is large; asked only where it is known to be, since asking proves it again."""
    last, plan = picture.state.last, picture.plan
    if plan is None or last is None or last.gap is None or last.gap <= WORTH_SAYING:
        return None
    return explain_gap(plan)


def _positions(array: FloatArray | None, count: int) -> list[list[float] | None]:
    return [None] * count if array is None else [list(map(float, row)) for row in array]


def _device(picture: Picture, device: Device) -> Document:
    index, plan = picture.row.get(device.id), picture.plan
    local = plan is None or index is None or bool(plan.decisions.local[index])
    place: tuple[int | None, int | None, int | None] = (None, None, None)
    if not local and plan is not None and index is not None:
        d = plan.decisions
        place = int(d.access_point[index]), int(d.node[index]), int(d.slice[index])
    return {
        "id": device.id,
        "position_m": device.position_m,
        "reason": picture.reason(device.id),
        "access_point": place[0],
        "node": place[1],
        "slice": place[2],
    }
