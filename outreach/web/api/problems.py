"""What goes wrong, as problem+json (RFC 9457): one shape for every refusal of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import structlog
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError, OperationalError
from starlette.exceptions import HTTPException as StarletteHTTPException

from outreach.errors import BadInput, NotAllowed, NotFound

log = structlog.get_logger()
JSON = "application/problem+json"
KINDS: dict[int, tuple[str, str]] = {
    400: ("bad-request", "This request cannot be read"),
    401: ("no-key", "A key is needed"),
    403: ("not-allowed", "This key may not do that"),
    404: ("not-found", "There is no such thing in this clinic"),
    405: ("no-such-method", "This address does not know that method"),
    409: ("conflict", "It cannot be done as things stand"),
    412: ("changed-meanwhile", "Somebody changed it meanwhile"),
    413: ("too-long", "This is more than we read"),
    422: ("wrong-input", "Something in the request is wrong"),
    428: ("version-needed", "Say which version you change"),
    429: ("too-many", "Too many requests"),
    500: ("our-fault", "Our fault"),
    503: ("away", "The database does not answer just now"),
}


class Fault(BaseModel):
    """One field at fault."""

    field: str = Field(description="Where it stands, as a path such as `body.addresses.sms`.")
    detail: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """A refusal (RFC 9457). `type` names the kind for programs, `detail` is for people."""

    type: str = Field(examples=["urn:outreach:problem:not-found"])
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="In plain words; holds no name and no address.")
    errors: list[Fault] = Field(default_factory=list, description="The fields at fault, if fields are.")


class Trouble(Exception):
    """Raised by a handler: answered as a problem. `field`: the one at fault, such as `query.cursor`."""

    def __init__(self, status: int, detail: str, field: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.field, self.headers = status, detail, field, dict(headers or {})


def problem(
    status: int, detail: str = "", errors: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The answer. A status without a kind of its own is named by its number."""
    kind, title = KINDS.get(status, (str(status), HTTPStatus(status).phrase))
    said = Problem(
        type=f"urn:outreach:problem:{kind}", title=title, status=status, detail=detail or title, errors=list(errors)
    )
    return JSONResponse(said.model_dump(), status, headers=dict(headers or {}), media_type=JSON)


def install(app: FastAPI) -> None:
    """Let every refusal of `app` be told so, bugs too."""
    app.add_exception_handler(Trouble, _trouble)
    app.add_exception_handler(StarletteHTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(BadInput, _bad_input)
    app.add_exception_handler(NotFound, _not_found)
    app.add_exception_handler(NotAllowed, _not_allowed)
    app.add_exception_handler(OperationalError, _away)
    app.add_exception_handler(Exception, _bug)


def _trouble(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Trouble)
    errors = [Fault(field=error.field, detail=error.detail)] if error.field else []
    return problem(error.status, error.detail, errors, error.headers)


def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StarletteHTTPException)
    said = error.detail if isinstance(error, HTTPException) else ""
    return problem(error.status_code, said, headers=error.headers)


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # Never what was sent: the value at fault may be a number or a name, and answers are logged by others.
    faults = [Fault(field=".".join(str(part) for part in one["loc"]), detail=str(one["msg"])) for one in error.errors()]
    return problem(422, f"{len(faults)} of its fields are wrong." if len(faults) > 1 else "One field is wrong.", faults)


def _bad_input(_request: Request, error: Exception) -> JSONResponse:
    return problem(422, str(error))


def _not_found(_request: Request, _error: Exception) -> JSONResponse:
    return problem(404)


def _not_allowed(_request: Request, error: Exception) -> JSONResponse:
    return problem(403, str(error))


def _away(_request: Request, error: Exception) -> JSONResponse:
    log.error("database away", route="api", error=type(error).__name__)
    return problem(503, "The database does not answer just now. Try again in a minute.", headers={"Retry-After": "30"})


def _bug(request: Request, error: Exception) -> JSONResponse:
    place = getattr(error, "orig", None) if isinstance(error, DBAPIError) else None
    route = getattr(request.scope.get("route"), "path", "?")
    log.error("a request failed", route=route, error=type(place or error).__name__, exc_info=error)
    return problem(500, "This is a fault of ours, not of your request. It has been written down.")
