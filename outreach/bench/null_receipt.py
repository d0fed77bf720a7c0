"""A server for `uvicorn --factory` that checks a receipt's signature and keeps nothing: the floor of receipts."""

from __future__ import annotations

from starlette.types import ASGIApp

from outreach.settings import load_settings
from outreach.web.hooks.status import null_route
from outreach.wiring import build


def create() -> ASGIApp:
    return null_route(build(load_settings()))
