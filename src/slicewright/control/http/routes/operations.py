"""For operators: health, metrics, events, the decision log, methods, and placements (problem two)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from slicewright.control.http.context import Admin, Desk, Plane, Reader, ReaderDesk, streams_of
from slicewright.control.http.guards.auth import Access, Caller, Scope
from slicewright.control.http.guards.work import GoOn
from slicewright.control.http.problems import responses
from slicewright.control.http.routes.documents import tasks_of
from slicewright.control.http.routes.quick_methods import quick_placement_method
from slicewright.control.http.routes.schemas import Health, MethodChange
from slicewright.control.http.streams import CountedStream, log_stream
from slicewright.control.journal.feed import CursorTooOldError, PublicEvent
from slicewright.control.plane.control_plane import ControlPlane
from slicewright.control.requests.commands import change_method
from slicewright.control.requests.owners import on_behalf
from slicewright.types import Document

router = APIRouter(tags=["operations"])
After = Annotated[int, Query(ge=0, lt=2**62, description="records after this one")]
KEEP_ALIVE_S = 15.0
TRIAL_DECISIONS = 20
TRIAL_COST_RATIO = 1.02


def _health(plane: ControlPlane) -> Health:
    o = plane.orchestrator
    faults = plane.faults
    return Health(
        status="not ready" if faults else "ok",
        faults=faults,
        leading=o.leading,
        leader=o.state.leader,
        epoch=o.state.epoch,
        sequence=o.position.sequence,
    )


@router.get("/livez", response_model=Health, responses=responses(429))
async def live(plane: Plane) -> Health:
    """Answers while the process runs."""
    return _health(plane)


@router.get(
    "/readyz",
    response_model=Health,
    responses={503: {"model": Health, "description": "Not ready"}, **responses(429)},
)
async def ready(plane: Plane) -> Response:
    """200 when requests can be accepted or forwarded knowledge served, 503 with the faults otherwise."""
    health = _health(plane)
    return JSONResponse(health.model_dump(), 503 if health.faults else 200)


@router.get("/metrics", response_class=Response, responses=responses(401, 403, 429))
async def metrics(request: Request, plane: Plane, caller: Reader) -> Response:
    """Prometheus exposition."""
    # On a bench of its own: whoever watches must see that the other one is full.
    desk = Desk(request, caller, request.app.state.scrapes)
    text = await desk.do(lambda _: plane.metrics.text())
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _lines(item: PublicEvent) -> str:
    data = json.dumps({"time_s": item.time_s, **item.data}, separators=(",", ":"))
    return f"id: {item.id}\nevent: {item.kind}\ndata: {data}\n\n"


@router.get(
    "/v1/events",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "Server-sent events"},
        **responses(401, 403, 410, 422, 429),
    },
)
async def events(
    request: Request,
    plane: Plane,
    caller: Reader,
    after: Annotated[int | None, Query(ge=0, lt=2**62, description="resume after this id")] = None,
    most: Annotated[int | None, Query(ge=0, le=10_000, description="end after so many events")] = None,
    last_event_id: Annotated[str | None, Header(max_length=20, description="the same as after")] = None,
) -> StreamingResponse:
    """Everything that happens, as server-sent events. Resume with `Last-Event-ID` or `after`; ids survive restarts.

    410 `cursor-too-old` when events since that id are no longer kept: read the present state, then start anew. A stream
    ends with its caller's token.
    """
    feed = plane.orchestrator.feed
    access: Access = request.app.state.access
    if last_event_id is not None and last_event_id.isdecimal():
        cursor = int(last_event_id)
    else:
        cursor = feed.newest if after is None else after
    feed.after(cursor)

    async def stream() -> AsyncIterator[str]:
        here, left = cursor, most
        yield f"retry: 1000\n: from {here}\n\n"
        # Asked before every piece: who reads slowly while much happens never comes to wait.
        while not feed.closed and (left is None or left > 0) and access.still(request.headers, Scope.READ):
            try:
                items = feed.after(here)[:left]
            except CursorTooOldError as error:
                yield f"event: cursor-too-old\ndata: {json.dumps({'oldest': error.oldest})}\n\n"
                return
            for item in items:
                here = item.id
                yield _lines(item)
            if left is not None:
                left -= len(items)
            if items or left == 0:
                continue
            await feed.wait(KEEP_ALIVE_S)
            if feed.newest == here:
                yield ": still here\n\n"
            if await request.is_disconnected():
                return

    return CountedStream(stream(), "text/event-stream", streams_of(request, "events").take(caller.name))


@router.get(
    "/v1/log",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {"application/x-ndjson": {}},
            "description": "Journal records, one JSON document a line",
        },
        **responses(401, 403, 422, 429),
    },
)
async def log(request: Request, plane: Plane, caller: Admin, after: After = 0) -> StreamingResponse:
    """The hash-chained decision log; `slicewright replay` reads it. It is cut short when its caller's token ends."""
    access: Access = request.app.state.access
    allowed = partial(access.still, request.headers, Scope.ADMIN)
    taken = streams_of(request, "log").take(caller.name)
    return await log_stream(plane.journal, after, taken, allowed=allowed)


def _methods(plane: ControlPlane) -> Document:
    from slicewright.policies.slicing import policies

    trial = plane.orchestrator.fallback_chain.trial
    return {
        **asdict(plane.orchestrator.state.methods),
        "trial": None if trial is None else asdict(trial),
        "available": policies(),
    }


@router.get("/v1/methods", responses=responses(401, 403, 429))
async def read_methods(plane: Plane, _: Reader) -> dict[str, Any]:
    """Who decides: active, previous and canary, and how the canary does on shadow traffic."""
    return _methods(plane)


async def _change(plane: ControlPlane, action: str, body: MethodChange, caller: Caller) -> Document:
    trial = plane.orchestrator.fallback_chain.trial
    candidate = body.method or plane.orchestrator.state.methods.canary
    proven = body.force or (
        trial is not None
        and trial.method == candidate
        and trial.decisions >= TRIAL_DECISIONS
        and trial.failures == 0
        and trial.cost_ratio <= TRIAL_COST_RATIO
    )
    if action in ("canary", "switch") and candidate is not None:
        await plane.orchestrator.fallback_chain.load(candidate)
    change = partial(change_method, action=action, method=body.method, proven=proven, reason=body.reason)
    await plane.orchestrator.submit(on_behalf(change, by=caller.name), wait=False)
    return _methods(plane)


_PROBLEMS = responses(401, 403, 409, 413, 415, 422, 429, 503, 507)


@router.post("/v1/methods:canary", responses=_PROBLEMS)
async def start_canary(body: MethodChange, plane: Plane, caller: Admin) -> dict[str, Any]:
    """Load a method and show it every situation, without effect."""
    return await _change(plane, "canary", body, caller)


@router.post("/v1/methods:dropCanary", responses=_PROBLEMS)
async def drop_canary(body: MethodChange, plane: Plane, caller: Admin) -> dict[str, Any]:
    """End the trial."""
    return await _change(plane, "drop-canary", body, caller)


@router.post("/v1/methods:switch", responses=_PROBLEMS)
async def switch_method(body: MethodChange, plane: Plane, caller: Admin) -> dict[str, Any]:
    """Let the canary (or a named method, with `force`) decide from now on."""
    return await _change(plane, "switch", body, caller)


@router.post("/v1/methods:rollBack", responses=_PROBLEMS)
async def roll_back(body: MethodChange, plane: Plane, caller: Admin) -> dict[str, Any]:
    """Return to the method before."""
    return await _change(plane, "roll-back", body, caller)


@router.post("/v1/placements", responses=responses(401, 403, 413, 415, 422, 429))
async def place_tasks(
    body: dict[str, Any],
    desk: ReaderDesk,
    method: Annotated[str, Query(max_length=100, description="who places")] = "auto",
    budget_s: Annotated[float, Query(gt=0, le=5.0, description="s of wall time to use")] = 0.05,
    seed: Annotated[int, Query(ge=0, lt=2**32, description="of everything random")] = 0,
) -> dict[str, Any]:
    """Place divisible tasks (problem two): `slicewright/tasks/v1` in, `slicewright/placement/v1` out.

    `exact` is for the command line: it ends when it has proven its answer.
    """
    from slicewright.placement import place

    chosen = quick_placement_method(method)

    def work(go_on: GoOn) -> Document:
        tasks = tasks_of(body)
        go_on()
        return place(tasks, chosen, budget_s=budget_s, seed=seed).to_dict()

    return await desk.do(work)
