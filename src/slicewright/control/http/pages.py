"""Dashboards: a page at the root of an API, and the files that it loads."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, Response

from slicewright.control.http.problems import Problem
from slicewright.drawing.web import colours_style, part, part_names, settings_script

DASHBOARD = Path(__file__).parent / "dashboard"
_MEDIA = {".js": "text/javascript", ".css": "text/css"}
_FILES = {file.name for file in DASHBOARD.iterdir() if file.suffix in _MEDIA}
_MADE = {"settings.js": settings_script, "colours.css": colours_style}
"""What pages share, besides the parts of :mod:`slicewright.drawing`."""
_POLICY = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def add_pages(app: FastAPI, name: str) -> None:
    """Serve a page of the dashboard folder, and what it loads.

    Args:
        app: the application.
        name: of the page's file.
    """

    @app.get("/", include_in_schema=False)
    async def dashboard() -> FileResponse:
        return FileResponse(DASHBOARD / name, headers={"Content-Security-Policy": _POLICY})

    @app.get("/dashboard/{name}", include_in_schema=False)
    async def dashboard_file(name: str) -> Response:
        kind = _MEDIA.get(Path(name).suffix)
        if kind and name in _FILES:
            return FileResponse(DASHBOARD / name, media_type=kind)
        if kind and name in part_names():
            return Response(part(name), media_type=kind)
        if name not in _MADE:
            raise Problem(404, "not-found", "there is no such file")
        return Response(_MADE[name](), media_type=kind)
