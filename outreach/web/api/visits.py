"""Infusions: added, moved, cancelled; and what a move would change, before it is made."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from outreach.actions import enrol as enrolling
from outreach.actions import move as moving
from outreach.actions.book import NewVisit, book
from outreach.actions.replan import replan
from outreach.domain.channel import Channel
from outreach.domain.status import Status
from outreach.errors import BadInput
from outreach.store import bookings, choices, enrolments, patients, seen
from outreach.store.bookings import Booked
from outreach.store.kept import Answer
from outreach.store.seen import Seen
from outreach.web.api.courses import InfusionOut, shown
from outreach.web.api.door import (
    AtDoor,
    Caller,
    IdempotencyKey,
    IfMatch,
    changed_meanwhile,
    etag,
    said,
    version_of,
)
from outreach.web.api.enrolments import SequenceName, named, of_course
from outreach.web.api.fields import Asked, At, Minutes, Wall, WallOut, Zone
from outreach.web.api.patients import InfusionIn, ahead
from outreach.web.api.problems import Trouble

router = APIRouter(prefix="/v1", tags=["courses and infusions"])


class VisitIn(InfusionIn):
    """A visit to add."""

    sequence: SequenceName | None = Field(
        None, description="Of the course that begins with this visit. A course that is there already keeps its own."
    )


class InfusionChange(Asked):
    """Another time. What is left out stays."""

    starts: Wall
    minutes: Minutes | None = None
    zone: Zone | None = None


class Replanned(BaseModel):
    """What a change did to the plan."""

    infusion: InfusionOut
    planned: int = Field(description="Messages planned anew.")
    cancelled: int = Field(description="Messages that step aside.")
    noticed: int = Field(description="Messages that tell the patient of the change.")


class Line(BaseModel):
    """A planned message."""

    step: str = Field(examples=["pre.tomorrow"])
    channel: Channel
    due_at: At
    local: WallOut
    zone: str
    status: Status
    reason: str | None


class MovePreview(BaseModel):
    """What a move would change. Nothing is written."""

    leaving: list[Line]
    coming: list[Line]


@router.post("/patients/{patient_id}/infusions", status_code=201, response_model=Replanned)
def add(caller: AtDoor, patient_id: UUID, given: VisitIn, repeat: IdempotencyKey = None) -> Response:
    """Book a visit in the patient's course, which begins with it where there is none, and plan its messages."""

    def act(session: Session) -> Answer:
        now, clinic = caller.out.clock(), caller.clinic(session)
        ahead(caller, session, given, "body.starts")
        person = patients.lock(session, caller.clinic_id, patient_id)
        known = enrolments.active_course(session, clinic.id, patient_id)
        sequence = of_course(caller, session, known) if known or not given.sequence else named(caller, given.sequence)
        if given.sequence not in (None, sequence.name):
            raise Trouble(409, "The patient's course follows another sequence. End that enrolment first.",
                          "body.sequence")  # fmt: skip
        course_id = enrolments.course_for(session, clinic.id, patient_id, now)
        wanted = NewVisit(given.starts, given.minutes, given.external_id, given.zone)
        before = {one.id for one in bookings.visits(session, clinic.id, course_id)}
        if not book(session, clinic, course_id, [wanted], now)[0]:
            raise BadInput("This visit is booked already; move it if its time is another.")
        planning = replan(session, course_id, sequence, now)
        chosen = choices.get(session, clinic.id, sequence.name).of(sequence)
        enrolling.ask(session, clinic, person, patients.addresses(session, clinic.id, patient_id), chosen, now)
        fresh = next(one for one in bookings.visits(session, clinic.id, course_id) if one.id not in before)
        answer = Replanned(infusion=shown(fresh), planned=planning.added, cancelled=planning.cancelled, noticed=0)
        caller.note(session, "visit.added", "visit", fresh.id)
        return said(answer, 201, etag(fresh.revision))

    return caller.change(act)


@router.patch("/infusions/{infusion_id}", response_model=Replanned)
def move(caller: AtDoor, infusion_id: UUID, given: InfusionChange, if_match: IfMatch = None) -> Response:
    """Move a visit. Who heard of the old time is told; what is unsent is planned anew."""
    version = version_of(if_match)

    def act(session: Session) -> Answer:
        old = _locked(session, caller, infusion_id)
        if old.revision != version:
            raise changed_meanwhile()
        done = _move(session, caller, old, given)
        return _replanned(session, caller, infusion_id, done, "visit.moved", old.revision)

    return caller.change(act)


@router.post("/infusions/{infusion_id}/cancel", response_model=Replanned)
def cancel(caller: AtDoor, infusion_id: UUID, repeat: IdempotencyKey = None) -> Response:
    """Cancel a visit. A cancelled one stays as it is."""

    def act(session: Session) -> Answer:
        old = _locked(session, caller, infusion_id)
        sequence, now = of_course(caller, session, old.course_id), caller.out.clock()
        done = moving.cancel(session, infusion_id, sequence, now, clinic_id=caller.clinic_id)
        return _replanned(session, caller, infusion_id, done, "visit.cancelled", old.revision)

    return caller.change(act)


@router.post("/infusions/{infusion_id}/preview")
def preview(caller: AtDoor, infusion_id: UUID, given: InfusionChange) -> MovePreview:
    """What moving it would change: done in full, read back, and taken back. It cannot say anything else."""
    with caller.out.sessions() as session:
        try:
            old = _locked(session, caller, infusion_id)
            before = Counter(_lines(session, caller, old.patient_id))
            _move(session, caller, old, given)
            after = Counter(_lines(session, caller, old.patient_id))
        finally:
            session.rollback()
    leaving, coming = (sorted(one.elements(), key=lambda line: line[2]) for one in (before - after, after - before))
    return MovePreview(leaving=[_line(one) for one in leaving], coming=[_line(one) for one in coming])


def _locked(session: Session, caller: Caller, infusion_id: UUID) -> Booked:
    """The visit, its patient and course locked: two who change it take turns."""
    found = bookings.visit(session, caller.clinic_id, infusion_id)
    patients.lock(session, caller.clinic_id, found.patient_id)
    enrolments.lock_course(session, found.course_id)
    return bookings.visit(session, caller.clinic_id, infusion_id)


def _move(session: Session, caller: Caller, old: Booked, given: InfusionChange) -> moving.Moved:
    starts: datetime = given.starts
    if (starts, given.zone or old.zone) != (old.starts, old.zone):
        ahead(caller, session, InfusionIn(starts=f"{starts:%Y-%m-%dT%H:%M}", zone=given.zone or old.zone),
              "body.starts")  # fmt: skip
    return moving.move(
        session, old.id, starts, given.zone or old.zone, of_course(caller, session, old.course_id), caller.out.clock(),
        minutes=given.minutes, clinic_id=caller.clinic_id,
    )  # fmt: skip


def _replanned(
    session: Session, caller: Caller, infusion_id: UUID, done: moving.Moved, action: str, before: int
) -> Answer:
    now_is = bookings.visit(session, caller.clinic_id, infusion_id)
    if now_is.revision != before:
        caller.note(session, action, "visit", infusion_id, version=now_is.revision)
    answer = Replanned(infusion=shown(now_is), planned=done.planning.added, cancelled=done.planning.cancelled,
                       noticed=done.noticed)  # fmt: skip
    return said(answer, 200, etag(now_is.revision))


_Line = tuple[str, Channel, datetime, datetime, str, Status, str | None]


def _lines(session: Session, caller: Caller, patient_id: UUID) -> list[_Line]:
    rows: list[Seen] = seen.timeline(session, caller.clinic_id, patient_id)
    return [
        (one.step, one.channel, one.due_at, one.wall, one.zone, one.status, one.reason)
        for one in rows
        if one.status is not Status.CANCELLED
    ]


def _line(one: _Line) -> Line:
    step, channel, due_at, wall, zone, status, reason = one
    return Line(step=step, channel=channel, due_at=due_at, local=wall, zone=zone, status=status, reason=reason)
