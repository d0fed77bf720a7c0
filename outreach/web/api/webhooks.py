"""Webhooks, for software that sets itself up: registered, changed, looked at, made to tell again."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from outreach.domain.news import Kind
from outreach.providers.listener import place
from outreach.store import calls, webhooks
from outreach.store.kept import Answer
from outreach.store.webhooks import Hook
from outreach.web.api import cursors
from outreach.web.api.cursors import After, Cursor, Limit, Page
from outreach.web.api.door import AtDoor, IdempotencyKey, said
from outreach.web.api.fields import Asked, At
from outreach.web.api.problems import Trouble

router = APIRouter(prefix="/v1", tags=["webhooks"])
Url = Annotated[
    str,
    Field(min_length=1, max_length=2000, description="https, reachable from the internet.",
          examples=["https://ehr.example.org/outreach"]),
]  # fmt: skip
Kinds = Annotated[list[Kind], Field(min_length=1, max_length=len(Kind), description="What it is to be told.")]


class WebhookIn(Asked):
    """Where you listen, and for what."""

    url: Url
    kinds: Kinds


class WebhookChange(Asked):
    """What is left out stays. Switching on makes the calls that waited."""

    url: Url | None = None
    kinds: Kinds | None = None
    active: bool | None = None


class WebhookOut(BaseModel):
    """A webhook."""

    id: UUID
    url: str
    kinds: list[Kind]
    active: bool = Field(description="false: switched off, by somebody or after three days of failures.")
    failures: int = Field(description="Rounds of calls that failed since the last that went well.")
    failing_since: At | None
    created_at: At


class WebhookMade(WebhookOut):
    """The same with its secret, which is shown this once."""

    secret: str = Field(description="Signs the calls, by the Standard Webhooks specification.")


class Webhooks(BaseModel):
    """Oldest first."""

    items: list[WebhookOut]


class CallOut(BaseModel):
    """One piece of news for the webhook."""

    id: UUID
    kind: str
    state: Literal["due", "told", "given_up"]
    attempts: int
    status_code: int | None = Field(description="Of the last answer; null: there was none.")
    note: str
    created_at: At
    due_at: At
    done_at: At | None


@router.get("/webhooks")
def listed(caller: AtDoor) -> Webhooks:
    """The clinic's webhooks."""
    with caller.out.sessions() as session:
        return Webhooks(items=[shown(one) for one in webhooks.listing(session, caller.clinic_id)])


@router.post("/webhooks", status_code=201, response_model=WebhookMade)
def made(caller: AtDoor, given: WebhookIn, repeat: IdempotencyKey = None) -> Response:
    """Register a webhook. Keep the secret: it is not shown again."""
    place(given.url, caller.out.settings.demo)

    def act(session: Session) -> Answer:
        if len(webhooks.listing(session, caller.clinic_id)) >= webhooks.MOST:
            raise Trouble(409, f"There are {webhooks.MOST} webhooks already. Take one away first.")
        webhook_id, secret = webhooks.add(session, caller.clinic_id, given.url, set(given.kinds), caller.out.clock())
        hook = webhooks.get(session, caller.clinic_id, webhook_id)
        caller.note(session, "webhook.added", "webhook", webhook_id, kinds=sorted(given.kinds))
        return said(WebhookMade(**shown(hook).model_dump(), secret=secret), 201)

    return caller.change(act)


@router.get("/webhooks/{webhook_id}")
def read(caller: AtDoor, webhook_id: UUID) -> WebhookOut:
    """One webhook."""
    with caller.out.sessions() as session:
        return shown(webhooks.get(session, caller.clinic_id, webhook_id))


@router.patch("/webhooks/{webhook_id}", response_model=WebhookOut)
def change(caller: AtDoor, webhook_id: UUID, given: WebhookChange) -> Response:
    """Change where it points, what it is told, or whether it is on."""
    if given.url is not None:
        place(given.url, caller.out.settings.demo)

    def act(session: Session) -> Answer:
        hook = webhooks.get(session, caller.clinic_id, webhook_id)
        kinds = set(given.kinds) if given.kinds is not None else None
        webhooks.change(session, hook, caller.out.clock(), url=given.url, kinds=kinds, active=given.active)
        after = shown(webhooks.get(session, caller.clinic_id, webhook_id))
        caller.note(session, "webhook.changed", "webhook", webhook_id, active=after.active)
        return said(after)

    return caller.change(act)


@router.delete("/webhooks/{webhook_id}", status_code=204, response_class=Response)
def removed(caller: AtDoor, webhook_id: UUID) -> Response:
    """Take it away with the history of its calls."""

    def act(session: Session) -> Answer:
        webhooks.remove(session, caller.clinic_id, webhook_id, caller.out.clock())
        caller.note(session, "webhook.removed", "webhook", webhook_id)
        return Answer(204, "")

    return caller.change(act)


@router.get("/webhooks/{webhook_id}/calls")
def history(caller: AtDoor, webhook_id: UUID, limit: Limit = 50, cursor: Cursor = None) -> Page[CallOut]:
    """Its calls of the last thirty days, newest first."""
    question, vault = f"calls|{webhook_id}", caller.out.vault
    with caller.out.sessions() as session:
        webhooks.get(session, caller.clinic_id, webhook_id)
        begin = cursors.read(vault, caller.clinic_id, question, cursor)
        found = calls.history(session, caller.clinic_id, webhook_id, limit + 1, begin)
    last = found[limit - 1] if len(found) > limit else None
    following = cursors.write(vault, caller.clinic_id, question, After(last.created_at, last.id)) if last else None
    return Page(items=[CallOut.model_validate(vars(one)) for one in found[:limit]], next_cursor=following)


@router.post("/webhooks/{webhook_id}/calls/{call_id}/replay", status_code=202, response_model=WebhookOut)
def again(caller: AtDoor, webhook_id: UUID, call_id: UUID, repeat: IdempotencyKey = None) -> Response:
    """Make a call once more, with the same webhook-id. 409 while it is due anyway."""

    def act(session: Session) -> Answer:
        hook = webhooks.get(session, caller.clinic_id, webhook_id)
        if not calls.replay(session, caller.clinic_id, webhook_id, call_id, caller.out.clock()):
            raise Trouble(409, "This call is due anyway.")
        caller.note(session, "webhook.replayed", "webhook", webhook_id, call=call_id)
        return said(shown(hook), 202)

    return caller.change(act)


def shown(one: Hook) -> WebhookOut:
    return WebhookOut(id=one.id, url=one.url, kinds=list(one.kinds), active=one.active, failures=one.failures,
                      failing_since=one.failing_since, created_at=one.created_at)  # fmt: skip
