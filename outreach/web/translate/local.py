"""The workbench alone: the same pages over checked-out files, for one person, on this machine, without an account."""

from __future__ import annotations

import secrets
from pathlib import Path

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from outreach.content.workbench import Workbench
from outreach.errors import NotFound, OutreachError, say
from outreach.web import translate
from outreach.web.forms import language_of, readable
from outreach.web.headers import Headers
from outreach.web.translate.seat import Alone
from outreach.web.views import STATIC, page

log = structlog.get_logger()
HOSTS = ("127.0.0.1", "localhost", "[::1]")


class Loopback:
    """ASGI middleware: answers only who asked for this machine by its own name, and changes things only for pages of
    ours. Any web page could otherwise send a browser here, or point a name of its own at 127.0.0.1."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _from_here(Request(scope)):
            refused = PlainTextResponse("This workbench answers only this machine's own browser.\n", 403)
            await refused(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _from_here(request: Request) -> bool:
    host = request.headers.get("host", "")
    name, colon, _ = host.rpartition(":")
    if (name if colon and not host.endswith("]") else host) not in HOSTS:
        return False
    if request.method in ("GET", "HEAD"):
        return True  # a link from elsewhere may lead here; what it shows, only this machine's browser sees
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
    # "null" is what a form of ours sends under no-referrer; one within somebody's frame says so too, but is cross-site.
    return origin in (None, "null", f"http://{host}") and site == "same-origin"


def create(root: Path, name: str) -> ASGIApp:
    """The application for `name`, who translates the files under `root`."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False,
                  dependencies=[Depends(readable)])  # fmt: skip
    app.state.workbench = Workbench(root)
    app.state.alone = Alone(name, secrets.token_urlsafe(24))
    app.get("/")(_first)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.include_router(translate.router)
    app.exception_handler(NotFound)(_not_found)
    app.exception_handler(HTTPException)(_said_no)
    app.exception_handler(OutreachError)(_refused)
    app.exception_handler(Exception)(_bug)
    return Loopback(Headers(app, secure=False))


def _first() -> Response:
    return RedirectResponse("/translate", 303)


def _not_found(request: Request, _error: Exception) -> Response:
    return _trouble(request, 404, say("Not found"), say("There is no such page."))


def _said_no(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return _not_found(request, error)
    return _trouble(request, error.status_code, say("That did not work"), error.detail)


def _refused(request: Request, error: Exception) -> Response:
    """A template or a table that somebody has just broken: said as it is, to whoever can mend it."""
    return _trouble(request, 409, say("That did not work"), str(error))


def _bug(request: Request, error: Exception) -> Response:
    log.error("a request failed", route=request.url.path.split("/")[1], error=type(error).__name__, exc_info=error)
    return _trouble(request, 500, say("That did not work"), say("This is a fault of ours, not of what you did."))


def _trouble(request: Request, status: int, title: str, text: str) -> Response:
    return page("translate/trouble.html", status, staff_locale=language_of(request), title=title, text=text)
