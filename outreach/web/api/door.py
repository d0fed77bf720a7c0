"""The one door of the API: whose key is it, may it do that, has it asked too often; and what was asked twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel
from sqlalchemy.orm import Session

from outreach.domain.access import Scope
from outreach.store import audit, clinics, kept, keys
from outreach.store.kept import Answer
from outreach.store.keys import Key
from outreach.store.tables import Clinic
from outreach.web.access import SIGNED, who_may
from outreach.web.api.problems import Trouble
from outreach.web.api.rates import Rates
from outreach.web.forms import Wired
from outreach.wiring import Outreach

MOUNT = "/api"
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]+$",
        description="Any text of yours, new for each thing to be done. The same request again within 24 hours is"
        " answered as the first time, and nothing is done twice.",
    ),
]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=40, description="The `ETag` that you last read. Needed: 428 without it."),
]


@dataclass(frozen=True)
class Caller:
    """A key that may pass, at its clinic. Every query of the API is by `clinic_id`."""

    key: Key
    out: Outreach = field(repr=False)
    request_hash: bytes = b""
    repeat_key: str | None = None

    @property
    def clinic_id(self) -> UUID:
        return self.key.clinic_id

    @property
    def actor(self) -> str:
        """For ledgers that name an actor as text."""
        return f"key:{self.key.id}"

    def may(self, scope: Scope) -> bool:
        return scope in self.key.scopes

    def needs(self, scope: Scope) -> None:
        """For what only some requests to an address ask for. Trouble 403."""
        if not self.may(scope):
            raise Trouble(403, f"This needs a key with the scope {scope.value}.")

    def clinic(self, session: Session) -> Clinic:
        return clinics.by_id(session, self.clinic_id)

    def note(self, session: Session, action: str, subject: str, subject_id: object, **detail: object) -> None:
        """One row of audit; last in its transaction."""
        audit.note(
            session, clinic_id=self.clinic_id, at=self.out.clock(), actor_kind="key", actor_id=self.key.id,
            action=action, subject=subject, subject_id=subject_id, detail=detail,
        )  # fmt: skip

    def change(self, act: Callable[[Session], Answer]) -> Response:
        """Do it in one transaction, and with an Idempotency-Key once only: what was answered is kept beside it.

        A refusal changes nothing and is not kept: the same request may go well later.
        """
        with self.out.sessions.begin() as session:
            if self.repeat_key is None:
                return _response(act(session))
            known = self._known(session, self.repeat_key)
            if known is not None:
                return _response(known, repeated=True)
            answer = act(session)
            kept.keep(session, self.clinic_id, self.key.id, self.repeat_key, self.request_hash, answer,
                      self.out.clock())  # fmt: skip
            return _response(answer)

    def _known(self, session: Session, repeat_key: str) -> Answer | None:
        if not kept.take(session, self.key.id, repeat_key):
            raise Trouble(409, "A request with this Idempotency-Key is being done right now. Ask again in a second.",
                          headers={"Retry-After": "1"})  # fmt: skip
        found = kept.find(session, self.key.id, repeat_key, self.out.clock())
        if found is None:
            return None
        if found[0] != self.request_hash:
            raise Trouble(422, "This Idempotency-Key was used for another request. Take a new one.",
                          "header.Idempotency-Key")  # fmt: skip
        return found[1]


def said(body: BaseModel, status: int = 200, etag: str = "") -> Answer:
    """An answer that can be kept."""
    return Answer(status, body.model_dump_json(), etag)


def version_of(if_match: str | None) -> int:
    """The number in an If-Match header such as "v3". Trouble 428 without one, 412 for what is no version of ours."""
    if not if_match:
        raise Trouble(428, "Send If-Match with the ETag that you last read, so that nobody's change is lost.",
                      "header.If-Match")  # fmt: skip
    digits = if_match.strip().strip('"').removeprefix("v")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise Trouble(412, "This is no ETag of ours. Read it anew.", "header.If-Match")
    return int(digits)


def changed_meanwhile() -> Trouble:
    return Trouble(412, "Somebody changed it since you read it. Read it anew, then decide.", "header.If-Match")


def etag(version: int) -> str:
    return f'"v{version}"'


async def at_door(
    request: Request, out: Wired, authorization: Annotated[str | None, Header(include_in_schema=False)] = None
) -> Caller:
    """Whoever holds a good key with the scope that the table of doors names for this route. 401, 403, 429 else."""
    body = await request.body()
    repeat_key = request.headers.get("Idempotency-Key")
    key = await run_in_threadpool(_known_key, out, authorization or "", request)
    where = f"{request.method} {request.url.path}?{request.url.query}\n"
    digest = hashlib.sha256(where.encode() + body).digest()
    return Caller(key, out, digest, repeat_key if request.method == "POST" else None)


def _known_key(out: Outreach, authorization: str, request: Request) -> Key:
    scheme, _, bearer = authorization.partition(" ")
    with out.sessions.begin() as session:
        key = keys.by_bearer(session, bearer.strip(), out.clock()) if scheme.lower() == "bearer" else None
    if key is None:
        raise Trouble(401, "Send a key that is good: Authorization: Bearer ork_…",
                      headers={"WWW-Authenticate": "Bearer"})  # fmt: skip
    rates = request.app.state.rates
    assert isinstance(rates, Rates)
    allowance = rates.take(key.id)
    request.state.allowance = allowance
    if allowance.over:
        raise Trouble(429, f"This key may ask {allowance.limit} times a minute.", headers=allowance.headers())
    needed = who_may(request.method, MOUNT + request.scope["route"].path)
    if needed is not SIGNED and needed not in key.scopes:
        raise Trouble(403, f"This needs a key with the scope {getattr(needed, 'value', needed)}.")
    return key


AtDoor = Annotated[Caller, Depends(at_door)]


def _response(answer: Answer, repeated: bool = False) -> Response:
    headers = {"ETag": answer.etag} if answer.etag else {}
    if repeated:
        headers["Idempotency-Replayed"] = "true"
    body = answer.body if answer.status != 204 else None
    return Response(body, answer.status, headers, media_type="application/json")
