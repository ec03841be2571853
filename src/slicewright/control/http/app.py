"""The HTTP application: routes, guards and the dashboard on one control plane."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from fastapi import FastAPI
from prometheus_client.core import Metric

from slicewright.control.http.bare_app import bare_app
from slicewright.control.http.gauges import server_gauges
from slicewright.control.http.guards.auth import LOCAL_ONLY, Access
from slicewright.control.http.guards.connections import ConnectionLimits
from slicewright.control.http.guards.limits import DEFAULT_LIMITS, Guard, Limits
from slicewright.control.http.guards.work import Bench, Streams
from slicewright.control.http.pages import add_pages
from slicewright.control.http.routes import networks, operations, plans, requests
from slicewright.control.http.straight import StraightRequests
from slicewright.control.plane.control_plane import ControlPlane
from slicewright.control.views.metrics import Metrics

_DESCRIPTION = """Decides, for every device of an edge network, where its task runs and with what share.

Errors are RFC 9457 problem documents. Shares and ratios are numbers from 0 to 1; all other units are SI."""


def create_app(
    plane: ControlPlane,
    *,
    access: Access = LOCAL_ONLY,
    limits: Limits = DEFAULT_LIMITS,
    connections: ConnectionLimits | None = None,
) -> FastAPI:
    """The application; starting it starts the control plane.

    Args:
        plane: what it serves.
        access: who may do what.
        limits: sizes and rates.
        connections: of the server that it runs in, to be told by the metrics.
    """
    bench, scrapes = Bench(limits.places, limits.waiting, limits.work_s), Bench(1, 16, limits.work_s)

    app = bare_app("slicewright control plane", plane, bench, scrapes, description=_DESCRIPTION)
    app.state.plane, app.state.access, app.state.bench = plane, access, bench
    app.state.scrapes = scrapes
    streams = app.state.streams = {
        "events": Streams(limits.streams, limits.streams_each),
        "log": Streams(limits.logs, limits.logs_each),
    }
    for module in (requests, plans, networks, operations):
        app.include_router(module.router)

    add_pages(app, "index.html")

    def gauges() -> Iterator[Metric]:
        yield from server_gauges(bench, streams, connections, access)

    plane.metrics.also(gauges)

    app.add_middleware(StraightRequests, plane=plane, access=access)
    app.add_middleware(Guard, limits=limits, count=_counting(plane.metrics), access=access)
    return app


def _counting(metrics: Metrics) -> Callable[[str, str, int], None]:
    """What counts answers by method, route and status, of which there are few: looking up costs more than counting."""
    counter = cache(lambda method, route, status: metrics.requests.labels(method, route, str(status)))
    return lambda method, route, status: counter(method, route, status).inc()
