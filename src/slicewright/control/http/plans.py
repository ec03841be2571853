"""Plans: read, try out, explain."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from slicewright.control.http.context import Plane, Reader
from slicewright.control.http.problems import responses
from slicewright.control.http.requests import DevicePath
from slicewright.control.http.schemas import DryRun
from slicewright.control.plane.control_plane import ControlPlane
from slicewright.control.state.commands import NoNetworkError, UnknownDeviceError, admit
from slicewright.control.state.network import Network
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


@router.get("/v1/plan", responses=responses(401, 403, 409, 422, 429))
async def read_plan(
    plane: Plane, _: Reader, response: Response, view: WhichView = "granted"
) -> dict[str, Any]:
    """The plan, `slicewright/plan/v1`. Its indices are those of `/v1/scenario` and of `index` in `/v1/devices`."""
    picture = picture_of(plane, view)
    response.headers["ETag"] = f'"{plane.orchestrator.position.sequence}"'
    return await asyncio.to_thread(plan_document, picture)


@router.get("/v1/scenario", responses=responses(401, 403, 404, 409, 429))
async def read_scenario(plane: Plane, _: Reader) -> dict[str, Any]:
    """The problem that the plan answers, `slicewright/scenario/v1`."""
    picture = picture_of(plane)
    if picture.plan is None:
        raise UnknownDeviceError("there are no devices, so there is no scenario")
    return scenario_to_dict(picture.plan.scenario)


@router.post("/v1/plan:dryRun", responses=responses(401, 403, 404, 409, 413, 415, 422, 429))
async def try_out(body: DryRun, plane: Plane, _: Reader) -> dict[str, Any]:
    """What would happen: the plan, what would change, and whether every new device could be served."""
    state = picture_of(plane).state
    devices = tuple(new.device() for new in body.devices)
    for name in body.remove:
        if name not in state.devices:
            raise UnknownDeviceError(f"there is no device {name!r}")
    network = None if body.network is None else Network.from_document(body.network)
    if devices and network is None:
        admit(
            state, devices, most=plane.options.most_devices
        )  # refuses what a real request would be refused for
    return await asyncio.to_thread(
        dry_run,
        state,
        add=devices,
        remove=tuple(body.remove),
        network=network,
        method=body.method or state.methods.active,
        options=plane.options,
    )


@router.get("/v1/devices/{device}/explain", responses=responses(401, 403, 404, 409, 422, 429))
async def explain_device(
    device: DevicePath,
    plane: Plane,
    _: Reader,
    alternatives: Annotated[int, Query(ge=1, le=10_000)] = 25,
    view: WhichView = "desired",
) -> Document:
    """Why a device is where it is: the alternatives, what each would cost the system, and why not."""
    picture = picture_of(plane, view)
    if device not in picture.state.devices:
        raise UnknownDeviceError(f"there is no device {device!r}")
    return await asyncio.to_thread(explain, picture, device, most=alternatives)
