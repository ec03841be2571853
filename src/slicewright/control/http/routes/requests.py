"""Requests of devices: ask, withdraw, report measurements."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Header, Path, Request, Response

from slicewright.control.http.conditional import UNCHANGED, IfNoneMatch, tag_of, unchanged
from slicewright.control.http.context import Plane, ReaderDesk, Requester
from slicewright.control.http.guards.auth import Caller
from slicewright.control.http.guards.work import GoOn
from slicewright.control.http.problems import responses
from slicewright.control.http.routes.schemas import (
    Admission,
    DeviceList,
    DeviceView,
    NewMeasurement,
    NewRequests,
)
from slicewright.control.messages.keys import measurement_key
from slicewright.control.messages.measurement import MEASUREMENT
from slicewright.control.plane.control_plane import ControlPlane
from slicewright.control.requests.commands import UnknownDeviceError, admit, remove, standing_for
from slicewright.control.requests.owners import on_behalf, refuse_foreign
from slicewright.control.state.device import FIRST_LIFE
from slicewright.control.state.state import OrchestratorState
from slicewright.control.views.documents import device_document, is_granted, settlement_document
from slicewright.control.views.picture import Picture

router = APIRouter(tags=["requests"])
PATH = "/v1/requests"
DevicePath = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
KEY_PATTERN, MOST_OF_A_KEY = r"^[\x21-\x7e]+$", 200
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=MOST_OF_A_KEY,
        pattern=KEY_PATTERN,
        description="of the caller's choice: a request that comes again with it is applied once",
    ),
]


def _admission(plane: ControlPlane, state: OrchestratorState, ids: tuple[str, ...]) -> Admission:
    known = [device for device in ids if device in state.devices]
    settled = plane.orchestrator.settled
    if settled is not None and settled[1] == state.epoch:
        documents = [settlement_document(settled[0], state, device) for device in known]
    else:
        picture = Picture(state, "desired")
        documents = [device_document(picture, device) for device in known]
    granted = all(is_granted(state, device) for device in known)
    return Admission(
        devices=[DeviceView.model_validate(document) for document in documents],
        epoch=state.epoch,
        decided=not state.dirty,
        granted=granted and not state.dirty,
    )


class Asked(NamedTuple):
    """What came of a request.

    Attributes:
        ids: of its devices. answer: what is told. repeated: its Idempotency-Key stood for it already.
    """

    ids: tuple[str, ...]
    answer: Admission
    repeated: bool

    @property
    def status(self) -> int:
        """HTTP status."""
        if self.repeated:
            return 200
        return 201 if self.answer.decided else 202

    @property
    def headers(self) -> dict[str, str]:
        """Of the answer."""
        replayed = {"Idempotency-Replayed": "true"} if self.repeated else {}
        return {**replayed, "Location": f"{PATH}/{self.ids[0]}"} if len(self.ids) == 1 else replayed


async def ask(
    plane: ControlPlane, caller: Caller, body: NewRequests, written: bytes, *, key: str | None, prefer: str
) -> Asked:
    """Have devices admitted.

    Args:
        plane: that decides.
        caller: who asks.
        body: what for; ``written``: as it came, which is what an Idempotency-Key stands for.
        key: Idempotency-Key. prefer: header of that name.

    Raises:
        SlicewrightError: refused, or not recorded; see ``problems.of_error``.
    """
    digest = hashlib.sha256(written).hexdigest()
    scoped = None if key is None else f"{caller.name}:{key}"
    devices = tuple(new.device() for new in body.devices)
    now_s = plane.clock.now()
    repeated = standing_for(plane.orchestrator.state, scoped, now_s) is not None
    change = on_behalf(
        partial(
            admit, devices=devices, most=plane.options.most_devices, key=scoped, digest=digest, now_s=now_s
        ),
        by=caller.name,
        admin=caller.admin,
        devices=[device.id for device in devices],
    )
    state = await plane.orchestrator.submit(change, wait="respond-async" not in prefer)
    known = state.keys.get(scoped or "")
    ids = tuple(d.id for d in devices) if known is None else known.devices
    return Asked(ids, _admission(plane, state, ids), repeated)


@router.post(
    PATH,
    status_code=201,
    response_model=Admission,
    responses={
        200: {"model": Admission, "description": "Answered before: same Idempotency-Key, same request"},
        202: {"model": Admission, "description": "Recorded; decided with the next epoch"},
        **responses(401, 403, 409, 413, 415, 422, 429, 503, 507),
    },
)
async def request_service(
    body: NewRequests,
    request: Request,
    response: Response,
    plane: Plane,
    caller: Requester,
    key: Key = None,
    prefer: Annotated[str, Header(description="respond-async: do not wait for the decision")] = "",
) -> Admission:
    """Ask for service for one or many devices. A known id gets new details, if the caller asked for it before.

    The answer comes with the decision; `Prefer: respond-async` returns as soon as the request is on disk. What
    cannot be served runs locally, with a reason.
    """
    asked = await ask(plane, caller, body, await request.body(), key=key, prefer=prefer)
    response.status_code = asked.status
    response.headers.update(asked.headers)
    return asked.answer


@router.get("/v1/requests/{device}", response_model=DeviceView, responses=responses(401, 403, 404, 422, 429))
async def read_request(device: DevicePath, plane: Plane, desk: ReaderDesk) -> DeviceView:
    """One device: where it is served, or why not."""
    picture = plane.picture()
    if device not in picture.state.devices:
        raise UnknownDeviceError(f"there is no device {device!r}")
    return await desk.do(lambda _: DeviceView.model_validate(device_document(picture, device)))


@router.delete(
    "/v1/requests/{device}", status_code=204, responses=responses(401, 403, 404, 422, 429, 503, 507)
)
async def withdraw(device: DevicePath, plane: Plane, caller: Requester) -> Response:
    """Withdraw an own request; what it used is free again once its slice has released it."""
    change = on_behalf(partial(remove, device=device), by=caller.name, admin=caller.admin, devices=[device])
    await plane.orchestrator.submit(change, wait=True)
    return Response(status_code=204)


@router.put(
    "/v1/measurements/{device}", status_code=202, responses=responses(401, 403, 404, 413, 415, 422, 429, 503)
)
async def report_measurement(
    device: DevicePath, body: NewMeasurement, plane: Plane, caller: Requester
) -> Response:
    """Report what changed about a device. Its slice manager adapts at once, the orchestrator with the next epoch."""
    if device not in plane.orchestrator.state.devices:
        raise UnknownDeviceError(f"there is no device {device!r}")
    refuse_foreign(plane.orchestrator.state, [device], by=caller.name, admin=caller.admin)
    life = plane.orchestrator.state.lives.get(device, FIRST_LIFE)
    measured = body.measurement(device, life.generation)
    await plane.transport.put(measurement_key(device), MEASUREMENT.dump_json(measured))
    return Response(status_code=202)


@router.get(
    "/v1/devices",
    response_model=DeviceList,
    responses={**UNCHANGED, **responses(401, 403, 422, 429)},
)
async def list_devices(
    plane: Plane, desk: ReaderDesk, response: Response, if_none_match: IfNoneMatch = None
) -> Response:
    """All devices, in the order of their requests."""
    picture = plane.picture()
    if known := unchanged(tag_of(plane), if_none_match, response):
        return known

    def work(go_on: GoOn) -> Response:
        views = []
        for device in picture.state.devices:
            go_on()
            views.append(DeviceView.model_validate(device_document(picture, device)))
        answer = DeviceList(devices=views, epoch=picture.state.epoch)
        return Response(
            answer.model_dump_json(), headers=dict(response.headers), media_type="application/json"
        )

    return await desk.do(work)
