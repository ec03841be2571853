"""An HTTP application without a route: it starts what it serves, and tells problems as documents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from fastapi import FastAPI

from slicewright.control.http.guards.work import Bench
from slicewright.control.http.problems import install
from slicewright.version import __version__


class Served(Protocol):
    """What an application is in front of."""

    async def start(self) -> None:
        """Begin; nothing where that was done already."""
        ...

    async def stop(self) -> None:
        """End."""
        ...


def bare_app(title: str, served: Served, *benches: Bench, description: str = "") -> FastAPI:
    """An application that lives as long as what it serves; its benches are closed first."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await served.start()
        try:
            yield
        finally:
            for bench in benches:
                bench.close()
            await served.stop()

    app = FastAPI(
        title=title,
        version=__version__,
        description=description,
        lifespan=lifespan,
        docs_url=None,  # the bundled pages load scripts from elsewhere; /openapi.json is enough
        redoc_url=None,
        # Looking for tracers that nobody has set up takes a tenth of a request; /metrics tells what is to be known.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    install(app)
    return app
