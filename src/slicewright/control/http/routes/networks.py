"""The network and what is going on in it: slices, nodes, access points."""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import JSONResponse

from slicewright.control.http.context import Admin, Plane, Reader, ReaderDesk
from slicewright.control.http.problems import Problem, responses
from slicewright.control.http.routes.documents import network_of
from slicewright.control.http.routes.plans import picture_of
from slicewright.control.requests.commands import NoNetworkError, set_network
from slicewright.control.requests.owners import on_behalf
from slicewright.control.views.documents import node_documents, radio_documents, slice_documents
from slicewright.control.views.overview import overview
from slicewright.slicing.rrm import Plmn, Profile

router = APIRouter(tags=["network"])
_ETAG = re.compile(r'(?:W/)?"(\d{1,15})"')


@router.get("/v1/network", responses=responses(401, 403, 409, 429))
async def read_network(plane: Plane, _: Reader, response: Response) -> dict[str, Any]:
    """The network, `slicewright/network/v1`; its ETag is needed to replace it."""
    state = plane.orchestrator.state
    if state.network is None:
        raise NoNetworkError('there is no network yet; PUT /v1/network with If-Match: "0"')
    response.headers["ETag"] = f'"{state.network_revision}"'
    return state.network.document


@router.put("/v1/network", responses=responses(401, 403, 412, 413, 415, 422, 428, 429, 503, 507))
async def replace_network(
    body: dict[str, Any],
    plane: Plane,
    caller: Admin,
    response: Response,
    if_match: Annotated[str | None, Header(description="ETag of the network that is replaced")] = None,
) -> dict[str, Any]:
    """Replace the network. `If-Match` must name the version that the caller has seen (`*` for any, `"0"` for none)."""
    if if_match is None:
        raise Problem(428, "if-match-needed", "send If-Match with the ETag of GET /v1/network")
    match = _ETAG.fullmatch(if_match.strip())
    if match is None and if_match.strip() != "*":
        raise Problem(412, "network-has-changed", "If-Match does not name a version of the network")
    network = network_of(body)
    revision = None if match is None else int(match.group(1))
    state = await plane.orchestrator.submit(
        on_behalf(partial(set_network, network=network, if_revision=revision), by=caller.name), wait=True
    )
    response.headers["ETag"] = f'"{state.network_revision}"'
    return {} if state.network is None else state.network.document


@router.get("/v1/overview", responses=responses(401, 403, 409, 422, 429))
async def read_overview(plane: Plane, desk: ReaderDesk, known: str = "") -> Response:
    """What the dashboard shows; its shape may change, programs should use the other operations.

    `known` is the tag of the devices of an earlier answer: their names are left out while it holds.
    """
    picture = picture_of(plane, "desired")
    o = plane.orchestrator
    statuses, away, leader = dict(o.statuses), plane.away(), o.state.leader
    return await desk.do(lambda _: JSONResponse(overview(picture, statuses, away, leader, known)))


@router.get("/v1/slices", responses=responses(401, 403, 409, 429))
async def list_slices(plane: Plane, desk: ReaderDesk) -> dict[str, Any]:
    """Slices: what each holds, and how its manager is."""
    picture, statuses, away = picture_of(plane), dict(plane.orchestrator.statuses), plane.away()
    return await desk.do(lambda _: {"slices": slice_documents(picture, statuses, away)})


@router.get("/v1/nodes", responses=responses(401, 403, 409, 429))
async def list_nodes(plane: Plane, desk: ReaderDesk) -> dict[str, Any]:
    """Nodes: capacity, devices, arrivals and shares in each slice."""
    picture = picture_of(plane)
    return await desk.do(lambda _: {"nodes": node_documents(picture)})


@router.get("/v1/access-points", responses=responses(401, 403, 409, 422, 429))
async def list_access_points(
    plane: Plane,
    desk: ReaderDesk,
    profile: Profile = "hard",
    mcc: Annotated[str, Query(pattern=r"^[0-9]{3}$", description="mobile country code")] = "001",
    mnc: Annotated[str, Query(pattern=r"^[0-9]{2,3}$", description="mobile network code")] = "01",
) -> dict[str, Any]:
    """Access points with their 3GPP RRMPolicyRatio (TS 28.541): requested, quantised and realised shares."""
    picture, plmn = picture_of(plane), Plmn(mcc, mnc)
    return await desk.do(lambda _: {"access_points": radio_documents(picture, profile=profile, plmn=plmn)})
