"""Plans: read, try out, explain."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from slicewright.control.http.conditional import UNCHANGED, IfNoneMatch, tag_of, unchanged
from slicewright.control.http.context import Plane, ReaderDesk
from slicewright.control.http.guards.work import GoOn
from slicewright.control.http.problems import responses
from slicewright.control.http.routes.documents import network_of
from slicewright.control.http.routes.quick_methods import quick_method
from slicewright.control.http.routes.requests import DevicePath
from slicewright.control.http.routes.schemas import DryRun
from slicewright.control.plane.control_plane import ControlPlane
from slicewright.control.requests.commands import NoNetworkError, UnknownDeviceError, admit
from slicewright.control.views.documents import plan_document
from slicewright.control.views.dry_run import dry_run
from slicewright.control.views.explain import explain
from slicewright.control.views.picture import Picture, View
from slicewright.network.scenario_file import scenario_to_dict
from slicewright.types import Document

router = APIRouter(tags=["plan"])
WhichView = Annotated[View, Query(description="what slices hold now, or what they are to end up with")]


def picture_of(plane: ControlPlane, view: View = "granted") -> Picture:
    """The picture, once there is a network."""
    if plane.orchestrator.state.network is None:
        raise NoNetworkError("there is no network yet; PUT /v1/network first")
    return plane.picture(view)


@router.get(
    "/v1/plan",
    response_model=dict[str, Any],
    responses={**UNCHANGED, **responses(401, 403, 409, 422, 429)},
)
async def read_plan(
    plane: Plane,
    desk: ReaderDesk,
    response: Response,
    view: WhichView = "granted",
    if_none_match: IfNoneMatch = None,
) -> Response | Document:
    """The plan, `slicewright/plan/v1`. Its indices are those of `/v1/scenario` and of `index` in `/v1/devices`.

    Its ETag is that of `/v1/scenario` and `/v1/devices` at the same moment; `If-None-Match` with it answers 304.
    """
    picture = picture_of(plane, view)
    if known := unchanged(tag_of(plane), if_none_match, response):
        return known
    return await desk.do(lambda _: plan_document(picture))


@router.get(
    "/v1/scenario",
    response_model=dict[str, Any],
    responses={**UNCHANGED, **responses(401, 403, 404, 409, 422, 429)},
)
async def read_scenario(
    plane: Plane, desk: ReaderDesk, response: Response, if_none_match: IfNoneMatch = None
) -> Response | Document:
    """The problem that the plan answers, `slicewright/scenario/v1`."""
    picture = picture_of(plane)

    def work(_: GoOn) -> Document:
        if picture.plan is None:
            raise UnknownDeviceError("there are no devices, so there is no scenario")
        return scenario_to_dict(picture.plan.scenario)

    if known := unchanged(tag_of(plane), if_none_match, response):
        return known
    return await desk.do(work)


@router.post("/v1/plan:dryRun", responses=responses(401, 403, 404, 409, 413, 415, 422, 429))
async def try_out(body: DryRun, plane: Plane, desk: ReaderDesk) -> dict[str, Any]:
    """What would happen: the plan, what would change, and whether every new device could be served.

    `method` must be in use here, or one that is quick however many devices there are.
    """
    state = picture_of(plane).state
    method = quick_method(body.method or state.methods.active, state.methods)
    devices = tuple(new.device() for new in body.devices)
    for name in body.remove:
        if name not in state.devices:
            raise UnknownDeviceError(f"there is no device {name!r}")

    def work(go_on: GoOn) -> Document:
        network = None if body.network is None else network_of(body.network)
        if devices:  # refuses what a real request would be refused for
            there = state if network is None else replace(state, network=network)
            admit(there, devices, most=plane.options.most_devices)
        return dry_run(
            state,
            add=devices,
            remove=tuple(body.remove),
            network=network,
            method=method,
            options=plane.options,
            go_on=go_on,
        )

    return await desk.do(work)


@router.get("/v1/devices/{device}/explain", responses=responses(401, 403, 404, 409, 422, 429))
async def explain_device(
    device: DevicePath,
    plane: Plane,
    desk: ReaderDesk,
    alternatives: Annotated[
        int, Query(ge=1, le=10_000, description="how many are told, the best first")
    ] = 25,
    view: WhichView = "desired",
) -> Document:
    """Why a device is where it is: the alternatives, what each would cost the system, and why not."""
    picture = picture_of(plane, view)
    if device not in picture.state.devices:
        raise UnknownDeviceError(f"there is no device {device!r}")
    return await desk.do(lambda go_on: explain(picture, device, most=alternatives, go_on=go_on))
