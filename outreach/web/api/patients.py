"""Patients: enrolled, read, searched, changed."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, model_validator
from sqlalchemy.orm import Session

from outreach.actions.amend import change_patient
from outreach.actions.enrol import Enrol, NewVisit, enrol, take_turn
from outreach.actions.load import SEQUENCE
from outreach.actions.recognise import recognised
from outreach.domain import contact
from outreach.domain.access import Scope
from outreach.domain.channel import Channel
from outreach.domain.window import moment
from outreach.store import patients as people
from outreach.store import reading
from outreach.store.kept import Answer
from outreach.store.reading import Listed
from outreach.web.api import cursors
from outreach.web.api.cursors import Cursor, Limit, Page
from outreach.web.api.door import AtDoor, Caller, IdempotencyKey, IfMatch, changed_meanwhile, etag, said, version_of
from outreach.web.api.enrolments import SequenceName, named, of_patient
from outreach.web.api.fields import Asked, At, External, Locale, Mail, Minutes, Name, Phone, Wall, Zone
from outreach.web.api.problems import Trouble

router = APIRouter(prefix="/v1", tags=["patients"])
Wording = Literal["full", "neutral"]
WordingIn = Annotated[
    Wording | None, Field(description="neutral: messages that say nothing of the treatment. The clinic's, if left out.")
]


class PatientOut(BaseModel):
    """A patient."""

    id: UUID
    external_id: str | None = Field(description="Your own identifier.", examples=["MRN-1042"])
    name: str = Field(examples=["Ana Sample"])
    locale: str = Field(examples=["es"])
    zone: str = Field(examples=["America/Chicago"])
    wording: Wording
    active: bool = Field(description="false: nothing is sent to this patient.")
    version: int = Field(description="Counts changes; the ETag holds it too.")
    created_at: At


class InfusionIn(Asked):
    """A visit to book."""

    starts: Wall
    minutes: Minutes = 60
    zone: Zone | None = Field(None, description="Of `starts`; the clinic's, if left out.")
    external_id: External | None = None
    history: bool = Field(
        False, description="true: `starts` may be past. The visit is kept for the record, and of what comes after it, "
        "what is still ahead is sent; nothing that is over."
    )  # fmt: skip


class PatientIn(Asked):
    """A patient to enrol: a number, a mailbox, or both. Consent is recorded by itself, or the patient is asked."""

    name: Name
    locale: Locale
    zone: Zone | None = Field(None, description="Where the patient lives; the clinic's, if left out.")
    external_id: External | None = None
    wording: WordingIn = None
    phone: Phone | None = None
    email: Mail | None = None
    infusions: list[InfusionIn] = Field(
        default_factory=list, max_length=60, description="The scope visits:write is needed for these."
    )
    sequence: SequenceName = SEQUENCE

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not self.phone and not self.email:
            raise ValueError("give a phone number, an e-mail address, or both")
        return self


class EnrolledOut(BaseModel):
    """What enrolling did."""

    patient: PatientOut
    course_id: UUID
    planned: int = Field(description="Messages planned.")
    asked: int = Field(description="Requests for consent that were queued.")


class SearchIn(Asked):
    """One of the three. In a body and not in an address, because addresses are logged on the way."""

    external_id: External | None = None
    phone: Phone | None = None
    email: Mail | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(one is not None for one in (self.external_id, self.phone, self.email)) != 1:
            raise ValueError("give exactly one of external_id, phone and email")
        return self


class PatientChange(Asked):
    """What is to be different; what is left out stays."""

    name: Name | None = None
    locale: Locale | None = None
    zone: Zone | None = None
    wording: Wording | None = None
    active: bool | None = None


@router.get("/patients")
def listed(caller: AtDoor, limit: Limit = 50, cursor: Cursor = None) -> Page[PatientOut]:
    """The clinic's patients, newest first."""
    out, clinic_id = caller.out, caller.clinic_id
    after = cursors.read(out.vault, clinic_id, "patients", cursor)
    with out.sessions() as session:
        found = reading.patients(session, clinic_id, after, limit + 1)
    more = len(found) > limit
    last = found[limit - 1] if more else None
    following = (
        cursors.write(out.vault, clinic_id, "patients", cursors.After(last.created_at, last.id)) if last else None
    )
    return Page(items=[shown(one) for one in found[:limit]], next_cursor=following)


@router.post("/patients/search")
def search(caller: AtDoor, given: SearchIn) -> Page[PatientOut]:
    """Patients by your identifier, or by the number or mailbox they have now. A family may share one."""
    with caller.out.sessions() as session:
        country = caller.clinic(session).country
        if given.external_id:
            found = reading.search(session, caller.clinic_id, external=given.external_id)
        elif given.phone:
            number = contact.phone(given.phone, country, lenient=True)
            found = reading.search(session, caller.clinic_id, channel=Channel.SMS, address=number)
        else:
            found = reading.search(session, caller.clinic_id, channel=Channel.EMAIL, address=given.email or "")
    return Page(items=[shown(one) for one in found], next_cursor=None)


@router.post("/patients", status_code=201, response_model=EnrolledOut)
def enrolled(caller: AtDoor, given: PatientIn, repeat: IdempotencyKey = None) -> Response:
    """Enrol a patient: addresses, a course, its visits and the plan of messages. Asks for consent where there is none.

    409 when a patient with this `external_id` is there already, or one of this name with this number or mailbox.
    """
    sequence = named(caller, given.sequence)
    if given.infusions:
        caller.needs(Scope.VISITS_WRITE)

    def act(session: Session) -> Answer:
        form = _form(caller, given)
        for number, one in enumerate(given.infusions):
            ahead(caller, session, one, f"body.infusions.{number}.starts")
        take_turn(session, form)
        if given.external_id and people.by_external(session, caller.clinic_id, given.external_id):
            raise Trouble(409, "A patient with this external_id is there already. Read or change that one.",
                          "body.external_id")  # fmt: skip
        if recognised(session, caller.clinic(session), form):
            raise Trouble(409, "A patient of this name with this number or mailbox is there already. Read or change "
                               "that one.", "body.phone" if given.phone else "body.email")  # fmt: skip
        done = enrol(session, form, sequence, caller.out.clock())
        patient = reading.patient(session, caller.clinic_id, done.patient_id)
        answer = EnrolledOut(
            patient=shown(patient), course_id=done.course_id, planned=done.planning.added, asked=done.asked
        )
        caller.note(session, "patient.enrolled", "patient", patient.id, visits=len(given.infusions))
        return said(answer, 201, etag(patient.version))

    return caller.change(act)


@router.get("/patients/{patient_id}")
def read(caller: AtDoor, patient_id: UUID, response: Response) -> PatientOut:
    """One patient. The ETag is what a change needs."""
    with caller.out.sessions() as session:
        found = reading.patient(session, caller.clinic_id, patient_id)
    response.headers["ETag"] = etag(found.version)
    return shown(found)


def shown(one: Listed) -> PatientOut:
    return PatientOut.model_validate(
        {"id": one.id, "external_id": one.external or None, "name": one.name, "locale": one.locale, "zone": one.zone,
         "wording": one.wording, "active": one.active, "version": one.version, "created_at": one.created_at}
    )  # fmt: skip


@router.patch("/patients/{patient_id}", response_model=PatientOut)
def change(caller: AtDoor, patient_id: UUID, given: PatientChange, if_match: IfMatch = None) -> Response:
    """Change a patient's own data; the plan follows. Addresses have a way of their own."""
    version = version_of(if_match)

    def act(session: Session) -> Answer:
        before = reading.patient(session, caller.clinic_id, patient_id, lock=True)
        if before.version != version:
            raise changed_meanwhile()
        wanted = given.model_dump(exclude_none=True)
        if "locale" in wanted:
            wanted["locale"] = _offered(caller, wanted["locale"])
        news = {name: value for name, value in wanted.items() if getattr(before, name) != value}
        if news:
            change_patient(
                session,
                caller.clinic_id,
                patient_id,
                news,
                of_patient(caller, session, patient_id),
                caller.out.clock(),
            )
            caller.note(session, "patient.changed", "patient", patient_id, fields=sorted(news))
        after = reading.patient(session, caller.clinic_id, patient_id)
        return said(shown(after), 200, etag(after.version))

    return caller.change(act)


def _offered(caller: Caller, tag: str) -> str:
    """A language that the clinic has approved as a whole, by what it was called. BadInput."""
    with caller.out.sessions() as session:
        return caller.out.speakers.of(session, caller.clinic_id, caller.out.words).resolve(tag)


def ahead(caller: Caller, session: Session, visit: InfusionIn, field: str) -> None:
    """Trouble 422 for a visit whose time is over, unless it is said to be history."""
    start = moment(visit.starts, visit.zone or caller.clinic(session).zone).at
    if start <= caller.out.clock() and not visit.history:
        raise Trouble(422, "This time is over. Give one that is still to come, or say history: true.", field)


def _form(caller: Caller, given: PatientIn) -> Enrol:
    visits = tuple(
        NewVisit(starts=one.starts, minutes=one.minutes, external=one.external_id, zone=one.zone)
        for one in given.infusions
    )
    return Enrol(
        clinic_id=caller.clinic_id, name=given.name, locale=_offered(caller, given.locale), visits=visits,
        zone=given.zone, phone=given.phone or "", email=given.email or "", external=given.external_id or "",
        wording=given.wording, actor=caller.actor,
    )  # fmt: skip
