"""HTTP for a city: requests answered with their decision, from what each event touches."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from slicewright.control.city.followed import Change
from slicewright.control.city.overview import overview
from slicewright.control.city.service import CityControl
from slicewright.control.http.bare_app import bare_app
from slicewright.control.http.guards.auth import LOCAL_ONLY, Access, Caller, Scope
from slicewright.control.http.guards.limits import DEFAULT_LIMITS, Guard, Limits
from slicewright.control.http.guards.work import Bench, Streams
from slicewright.control.http.pages import add_pages
from slicewright.control.http.problems import responses
from slicewright.control.http.routes.schemas import NewDevice
from slicewright.control.http.streams import log_stream
from slicewright.control.state.device import PlaceName
from slicewright.control.state.events.city import Capacity, CityDevice
from slicewright.files.documents import finite

router = APIRouter()
DevicePath = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
Key = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")
]


class NewCityDevice(NewDevice):
    """A device and its task; ``nodes`` that it may use, by default those in reach of its position."""

    nodes: list[PlaceName] | None = None

    def city_device(self) -> CityDevice:
        """The request, with an id of our own if it came without."""
        known = NewDevice.model_validate(self.model_dump(exclude={"nodes"}))
        return CityDevice(known.device(), None if self.nodes is None else tuple(self.nodes))


class NewCityRequests(BaseModel):
    """One or many devices."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    devices: Annotated[list[NewCityDevice], Field(min_length=1, max_length=5000)]


class NewCapacity(BaseModel):
    """Speed of a node by slice, cycle/s; zeros for one that is lost."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    capacity_hz: Annotated[list[Capacity], Field(min_length=1)]


# Coroutines: the framework would run plain functions in a thread each, which costs more than they do.
async def _control(request: Request) -> CityControl:
    control: CityControl = request.app.state.control
    return control


async def _reader(request: Request) -> Caller:
    return _caller(request, Scope.READ)


async def _requester(request: Request) -> Caller:
    return _caller(request, Scope.REQUEST)


async def _admin(request: Request) -> Caller:
    return _caller(request, Scope.ADMIN)


def _caller(request: Request, scope: Scope) -> Caller:
    access: Access = request.app.state.access
    return access.caller(request.headers, scope)


Control = Annotated[CityControl, Depends(_control)]


def create_city_app(
    control: CityControl, *, access: Access = LOCAL_ONLY, limits: Limits = DEFAULT_LIMITS
) -> FastAPI:
    """The application; starting it starts the city."""
    bench = Bench(limits.places, limits.waiting, limits.work_s)

    app = bare_app("slicewright city", control, bench)
    app.state.control, app.state.access, app.state.bench = control, access, bench
    app.state.logs = Streams(limits.logs, limits.logs_each)
    app.include_router(router)
    add_pages(app, "city.html")
    app.add_middleware(Guard, limits=limits, count=lambda method, route, status: None, access=access)
    return app


@router.post(
    "/v1/requests", status_code=201, responses=responses(401, 403, 409, 413, 415, 422, 429, 503, 507)
)
async def request_service(
    body: NewCityRequests,
    request: Request,
    response: Response,
    control: Control,
    caller: Annotated[Caller, Depends(_requester)],
    key: Key = None,
) -> dict[str, Any]:
    """Ask for service for one or many devices; a known id gets new details. The answer holds all that has changed."""
    digest = hashlib.sha256(await request.body()).hexdigest()
    change = Change(
        admitted=tuple(new.city_device() for new in body.devices),
        by=caller.name,
        admin=caller.admin,
        key=None if key is None else f"{caller.name}:{key}",
        request_digest=digest,
        asked_s=0.0 if key is None else control.clock.now(),
    )
    answer = await control.submit(change)
    if answer.event is None:
        response.status_code = 200
        response.headers["Idempotency-Replayed"] = "true"
    return answer.document


@router.get("/v1/requests/{device}", responses=responses(401, 403, 404, 422, 429, 503))
async def read_request(
    device: DevicePath, control: Control, caller: Annotated[Caller, Depends(_reader)]
) -> dict[str, Any]:
    """One device: where it is served, and with what shares."""
    return (await control.read()).document(device)


@router.delete("/v1/requests/{device}", responses=responses(401, 403, 404, 422, 429, 503, 507))
async def withdraw(
    device: DevicePath, control: Control, caller: Annotated[Caller, Depends(_requester)]
) -> dict[str, Any]:
    """Withdraw a request; others may take up what it leaves."""
    return (await control.submit(Change(withdrawn=(device,), by=caller.name, admin=caller.admin))).document


@router.put("/v1/nodes/{node}", responses=responses(401, 403, 413, 415, 422, 429, 503, 507))
async def set_capacity(
    node: Annotated[str, Path(max_length=128)],
    body: NewCapacity,
    control: Control,
    caller: Annotated[Caller, Depends(_admin)],
) -> dict[str, Any]:
    """A node is lost, comes back, or gets another capacity; its devices are placed anew."""
    change = Change(capacity_hz={node: tuple(body.capacity_hz)}, by=caller.name, admin=caller.admin)
    return (await control.submit(change)).document


@router.get("/v1/plan", responses=responses(401, 403, 429, 503))
async def read_plan(control: Control, caller: Annotated[Caller, Depends(_reader)]) -> dict[str, Any]:
    """What the city costs and what is proven."""
    city = await control.read()
    live = city.live
    return {
        "devices": len(city.slots),
        "cost_s": live.cost_s,
        "lower_bound_s": live.bound_s,
        "gap": finite(live.gap),
        "sequence": control.sequence,
    }


@router.get("/v1/overview", responses=responses(401, 403, 429, 503))
async def read_overview(
    request: Request, control: Control, caller: Annotated[Caller, Depends(_reader)], known: str = ""
) -> Response:
    """What the dashboard shows; its shape may change, programs should use the other operations.

    `known` is the tag of the devices of an earlier answer: their names are left out while it holds.
    """
    bench: Bench = request.app.state.bench
    moment = await control.moment()
    return await bench.do(request, caller.name, lambda _: JSONResponse(overview(moment, known)))


@router.get("/v1/log", responses=responses(401, 403, 422, 429))
async def read_log(
    request: Request,
    control: Control,
    caller: Annotated[Caller, Depends(_admin)],
    after: Annotated[int, Query(ge=0, lt=2**62)] = 0,
) -> StreamingResponse:
    """The journal as JSON lines, each with its hash. It is cut short when its caller's token ends."""
    logs: Streams = request.app.state.logs
    access: Access = request.app.state.access
    allowed = partial(access.still, request.headers, Scope.ADMIN)
    return await log_stream(control.journal, after, logs.take(caller.name), allowed=allowed)


@router.get("/livez")
async def livez(control: Control) -> dict[str, Any]:
    """Whether it works."""
    return {"ok": not control.fatal, "sequence": control.sequence, "ready": control.city is not None}


@router.get("/readyz", responses={503: {"description": "Not ready"}})
async def readyz(control: Control) -> Response:
    """200 once requests can be answered, 503 before and after."""
    ready = control.city is not None and not control.fatal
    return JSONResponse(
        {"status": "ok" if ready else "not ready", "sequence": control.sequence}, 200 if ready else 503
    )
