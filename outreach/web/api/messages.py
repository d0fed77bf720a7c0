"""Messages, their news, what patients answered, and what waits for a person. Read only; no name and no number."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from outreach.domain.channel import Channel
from outreach.domain.status import Status
from outreach.store import reading
from outreach.store.seen import Seen
from outreach.web.api import cursors
from outreach.web.api.cursors import After, Cursor, Limit, Page
from outreach.web.api.door import AtDoor
from outreach.web.api.fields import At, Instant, WallOut

router = APIRouter(prefix="/v1", tags=["messages"])
MOST_EVENTS = 500


class MessageOut(BaseModel):
    """A message, planned or sent. Its words have an address of their own."""

    id: UUID
    patient_id: UUID
    course_id: UUID | None
    infusion_id: UUID | None
    step: str = Field(examples=["pre.tomorrow"])
    channel: Channel
    status: Status
    reason: str | None = Field(description="Why it ended, or waits, without being delivered.", examples=["no_consent"])
    due_at: At
    local: WallOut = Field(description="The same on the patient's clock.")
    zone: str
    useful_until: At
    locale: str | None
    wording: str | None
    segments: int = Field(description="Of an SMS that went out; 0 before, and for e-mail.")
    attempts: int
    sent_at: At | None
    ended_at: At | None


class WordsOut(BaseModel):
    """What was sent; empty before."""

    id: UUID
    locale: str | None
    subject: str = Field(description='"" for SMS.')
    text: str


class EventOut(BaseModel):
    """One piece of news, whether or not it moved anything."""

    id: int
    at: At
    source: str = Field(examples=["carrier"])
    word: str = Field(description="The source's own word.", examples=["delivered"])
    status: Status | None
    reason: str | None
    code: str | None


class Events(BaseModel):
    """In the order they came."""

    items: list[EventOut]


class InboundOut(BaseModel):
    """What a patient wrote."""

    id: UUID
    patient_id: UUID | None = Field(description="null: nobody of the clinic is known by that number.")
    channel: Channel
    text: str
    understood: str = Field(examples=["answer"])
    answer: str | None = Field(examples=["1"])
    about_message_id: UUID | None
    needs_person: bool
    received_at: At


class TaskOut(BaseModel):
    """Something that needs a person."""

    id: UUID
    kind: str = Field(examples=["urgent"])
    patient_id: UUID | None
    message_id: UUID | None
    inbound_id: UUID | None
    opened_at: At
    due_at: At
    taken: bool
    closed_at: At | None
    outcome: str


@router.get("/messages")
def listed(
    caller: AtDoor,
    patient_id: UUID | None = None,
    status: Annotated[list[Status] | None, Query(max_length=11, description="Any of these.")] = None,
    channel: Channel | None = None,
    step: Annotated[str | None, Query(max_length=60, pattern=r"^[a-z][a-z0-9_.]*$")] = None,
    due_from: Annotated[Instant | None, Query(description="Due then or later.")] = None,
    due_to: Annotated[Instant | None, Query(description="Due before then.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[MessageOut]:
    """Messages in the order they are due, earliest first.

    A page may hold fewer than `limit`, or none, and still have a `next_cursor`: for one page so many messages are
    looked at and no more. The list ends where `next_cursor` is null.
    """
    wanted = sorted(one.value for one in status or ())
    question = f"messages|{patient_id}|{wanted}|{channel}|{step}|{due_from}|{due_to}"
    vault = caller.out.vault
    with caller.out.sessions() as session:
        found, until = reading.messages(
            session, caller.clinic_id, cursors.read(vault, caller.clinic_id, question, cursor), limit + 1,
            now=caller.out.clock(), patient_id=patient_id, statuses=wanted, channel=channel, step=step,
            due_from=due_from, due_to=due_to,
        )  # fmt: skip
    last = After(found[limit - 1].due_at, found[limit - 1].id) if len(found) > limit else None
    last = last or (After(until, UUID(int=0)) if until else None)
    following = cursors.write(vault, caller.clinic_id, question, last) if last else None
    return Page(items=[shown(one) for one in found[:limit]], next_cursor=following)


@router.get("/messages/{message_id}")
def read(caller: AtDoor, message_id: UUID) -> MessageOut:
    """One message."""
    with caller.out.sessions() as session:
        return shown(reading.message(session, caller.clinic_id, message_id))


@router.get("/messages/{message_id}/words")
def words(caller: AtDoor, message_id: UUID) -> WordsOut:
    """The exact words that were sent."""
    with caller.out.sessions() as session:
        one = reading.message(session, caller.clinic_id, message_id)
    return WordsOut(id=one.id, locale=one.locale, subject=one.subject, text=one.body)


@router.get("/messages/{message_id}/events")
def events(caller: AtDoor, message_id: UUID) -> Events:
    """Everything that was heard of it."""
    with caller.out.sessions() as session:
        reading.message(session, caller.clinic_id, message_id)
        found = reading.events(session, caller.clinic_id, message_id, MOST_EVENTS)
    return Events(
        items=[
            EventOut(id=one.id, at=one.at, source=one.source, word=one.word, reason=one.reason, code=one.code,
                     status=Status(one.status) if one.status else None)
            for one in found
        ]
    )  # fmt: skip


@router.get("/inbound")
def inbound(
    caller: AtDoor,
    patient_id: UUID | None = None,
    needs_person: bool | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[InboundOut]:
    """What patients wrote, newest first."""
    question, vault = f"inbound|{patient_id}|{needs_person}", caller.out.vault
    with caller.out.sessions() as session:
        found = reading.inbound(
            session, caller.clinic_id, cursors.read(vault, caller.clinic_id, question, cursor), limit + 1,
            patient_id=patient_id, needs_person=needs_person,
        )  # fmt: skip
    last = found[limit - 1] if len(found) > limit else None
    following = cursors.write(vault, caller.clinic_id, question, After(last.received_at, last.id)) if last else None
    items = [
        InboundOut(id=one.id, patient_id=one.patient_id, channel=Channel(one.channel), text=one.body,
                   understood=one.understood, answer=one.answer, about_message_id=one.about_message_id,
                   needs_person=one.needs_person, received_at=one.received_at)
        for one in found[:limit]
    ]  # fmt: skip
    return Page(items=items, next_cursor=following)


@router.get("/tasks")
def tasks(
    caller: AtDoor,
    state: Annotated[Literal["open", "closed", "all"], Query(description="Which ones.")] = "open",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[TaskOut]:
    """What needs a person, in the order it is due."""
    question, vault = f"tasks|{state}", caller.out.vault
    wanted = None if state == "all" else state == "open"
    with caller.out.sessions() as session:
        begin = cursors.read(vault, caller.clinic_id, question, cursor)
        found = reading.tasks(session, caller.clinic_id, begin, limit + 1, is_open=wanted)
    last = found[limit - 1] if len(found) > limit else None
    following = cursors.write(vault, caller.clinic_id, question, After(last.due_at, last.id)) if last else None
    items = [
        TaskOut(id=one.id, kind=one.kind, patient_id=one.patient_id, message_id=one.message_id,
                inbound_id=one.inbound_id, opened_at=one.opened_at, due_at=one.due_at, taken=one.taken_by is not None,
                closed_at=one.closed_at, outcome=one.outcome)
        for one in found[:limit]
    ]  # fmt: skip
    return Page(items=items, next_cursor=following)


def shown(one: Seen) -> MessageOut:
    return MessageOut(
        id=one.id, patient_id=one.patient_id, course_id=one.course_id, infusion_id=one.infusion_id, step=one.step,
        channel=one.channel, status=one.status, reason=one.reason, due_at=one.due_at, local=one.wall, zone=one.zone,
        useful_until=one.useful_until, locale=one.locale, wording=one.wording, segments=one.segments,
        attempts=one.attempts, sent_at=one.sent_at, ended_at=one.ended_at,
    )  # fmt: skip
