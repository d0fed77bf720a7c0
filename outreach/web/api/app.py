"""The API: an application of its own under /api, so that every refusal there is a problem and none a page."""

from __future__ import annotations

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outreach.web.api import problems
from outreach.web.api.document import document
from outreach.web.api.rates import Rates
from outreach.web.forms import LIMIT, readable
from outreach.wiring import Outreach

VERSION = "/v1"


def create(out: Outreach, parts: tuple[APIRouter, ...]) -> FastAPI:
    """The application; mount it at /api."""
    app = FastAPI(openapi_url=f"{VERSION}/openapi.json", docs_url=None, redoc_url=None, root_path_in_servers=False,
                  redirect_slashes=False, dependencies=[Depends(readable)])  # fmt: skip
    app.state.outreach = out
    app.state.rates = Rates(out.settings.redis_url)
    app.add_middleware(Frame)
    problems.install(app)
    for part in parts:
        app.include_router(part)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    return app


class Frame:
    """ASGI middleware: bodies end at LIMIT bytes, and answers say how much a key may still ask."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        read = 0

        async def at_most() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > LIMIT:
                raise HTTPException(413, f"A request may have {LIMIT // 1024} KiB.")
            return message

        async def told(message: Message) -> None:
            allowance = scope.get("state", {}).get("allowance")
            if message["type"] == "http.response.start" and allowance is not None:
                MutableHeaders(scope=message).update(allowance.headers())
            await send(message)

        await self.app(scope, at_most, told)
