"""The web application: `create()` puts the rooms together; nothing here knows a patient."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from starlette.exceptions import HTTPException

from outreach import collector
from outreach.errors import NotFound, say
from outreach.settings import load_settings
from outreach.web import api, console, hooks, patient, translate
from outreach.web.api.problems import problem
from outreach.web.console.desk import NotYours, SignInFirst
from outreach.web.forms import Wired, language_of, readable
from outreach.web.headers import PATIENTS_PATHS, Headers
from outreach.web.hooks.status import StatusRoute
from outreach.web.views import STATIC, page
from outreach.wiring import Outreach, build

log = structlog.get_logger()


def create(outreach: Outreach | None = None) -> StatusRoute:
    """The application over `outreach`; built from the environment's settings, and closed again, when None."""
    wired = outreach or build(load_settings())

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        wired.lexicon.watch(collector.settle)  # here and not when it is wired: after the process was forked
        collector.settle()
        with collector.calm():
            yield
        await to_thread(front.close)
        if outreach is None:
            wired.close()

    # No redirects of slashes: they would lead to whatever Host a request names.
    app = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False,
                  dependencies=[Depends(readable)])  # fmt: skip
    app.state.outreach = wired
    app.get("/healthz")(health)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.mount("/api", api.create(wired))
    app.state.workbench = wired.bench
    for room in (hooks, patient, console, translate):
        app.include_router(room.router)
    app.exception_handler(SignInFirst)(_to_sign_in)
    app.exception_handler(NotFound)(_not_found)
    app.exception_handler(patient.NotShown)(patient.not_shown)
    app.exception_handler(HTTPException)(_said_no)
    app.exception_handler(RequestValidationError)(_nonsense)
    app.exception_handler(OperationalError)(_database_away)
    app.exception_handler(Exception)(_bug)
    # Around the application, not within it: the framework answers bugs outside of all its middleware.
    front = StatusRoute(Headers(app, secure=wired.settings.public_url.startswith("https:")), wired)
    return front


def health(out: Wired) -> PlainTextResponse:
    """200 only while the database answers."""
    with out.sessions() as session:
        session.execute(text("select 1"))
    return PlainTextResponse("ok\n")


def _to_sign_in(_request: Request, _error: Exception) -> Response:
    return RedirectResponse("/sign-in", 303)


def _not_found(request: Request, _error: Exception) -> Response:
    return _trouble(request, 404, say("Not found"), say("There is no such page, or it is not your clinic's."))


def _said_no(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400 and request.url.path.startswith(PATIENTS_PATHS):
        return patient.gone(request.app.state.outreach)  # a link cut off or made up, as any other
    if error.status_code == 404:
        return _not_found(request, error)
    if isinstance(error, NotYours):
        if error.instead:
            return RedirectResponse(error.instead, 303)
        return _trouble(request, error.status_code, say("This is not for your role"), error.detail)
    return _trouble(request, error.status_code, say("That did not work"), error.detail)


def _nonsense(request: Request, _error: Exception) -> Response:
    """A page, and never the framework's JSON, where an address says "abc" and a number belongs there."""
    text = say("Something in this address is not what belongs there. Begin anew on this page, or on another one.")
    return _trouble(request, 400, say("That did not work"), text, again=request.url.path)


def _database_away(request: Request, error: Exception) -> Response:
    """503, so that a carrier calls again and a person knows to wait."""
    route = request.scope.get("route")
    log.error("database away", route=getattr(route, "path", "?"), error=type(error).__name__)
    text = say("The database does not answer just now. Nothing is lost. Try again in a minute.")
    return _trouble(request, 503, say("One moment"), text)


def _bug(request: Request, error: Exception) -> Response:
    """500 without a word of what went wrong: that is logged, by route and kind. Its values may be a patient's."""
    place = getattr(error, "orig", None) if isinstance(error, DBAPIError) else None
    route = request.scope.get("route")
    log.error("a request failed", route=getattr(route, "path", "?"), error=type(place or error).__name__,
              exc_info=error)  # fmt: skip
    if request.url.path.startswith("/api/"):
        return problem(500, "This is a fault of ours, not of your request. It has been written down.")
    text = say("This is a fault of ours, not of what you did. It has been written down. Try again in a minute.")
    return _trouble(request, 500, say("That did not work"), text)


def _trouble(request: Request, status: int, title: str, text: str, again: str = "") -> Response:
    home = getattr(request.state, "may_see_patients", True)
    return page("console/trouble.html", status, staff_locale=language_of(request), title=title, text=text, home=home,
                again=again)  # fmt: skip
