"""Patients: the list, the search by a whole number or address, and one patient's timeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from outreach.content.formats import phone as readable
from outreach.domain import contact
from outreach.domain.channel import Channel
from outreach.domain.consent import State, may_contact
from outreach.domain.plan import Visit
from outreach.errors import BadInput, NotFound
from outreach.store import consents, enrolments, inbox, infusions, patients, seen
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.console.timeline import items
from outreach.web.forms import Wired

router = APIRouter()
PAGE = 50
SAVED = {
    "enrolled": "Enrolled. Below is what will be sent, and when.",
    "moved": "The visit was moved and its messages were planned anew.",
    "cancelled": "The visit was cancelled, and with it the messages that had not gone out.",
}


@dataclass(frozen=True)
class Contact:
    """A patient's address as a line of the page."""

    channel: Channel
    shown: str
    state: State
    usable: bool


@router.get("/patients")
def listed(desk: AtDesk, out: Wired, page: int = 1) -> HTMLResponse:
    """The clinic's patients by name, a page at a time."""
    with out.sessions() as session:
        people = patients.listing(session, desk.clinic.id)
    pages = max(1, -(-len(people) // PAGE))
    number = min(max(page, 1), pages)
    return _list(desk, out, people[(number - 1) * PAGE : number * PAGE], number=number, pages=pages)


@router.post("/patients")
def found(desk: AtDesk, form: Checked, out: Wired) -> HTMLResponse:
    """Whoever has exactly this number, address or identifier. A POST: what is looked for stays out of every log."""
    wanted = form.fields.get("find", "").strip()
    if not wanted:
        return listed(desk, out)
    with out.sessions() as session:
        people = _find(session, desk, wanted)
    return _list(desk, out, people, find=wanted)


@router.get("/patients/{patient_id}")
def shown(patient_id: str, desk: AtDesk, out: Wired, saved: str = "") -> HTMLResponse:
    """One patient: visits, everything planned and sent, what they wrote, what they agreed to."""
    now, clinic_id = out.clock(), desk.clinic.id
    with out.sessions() as session:
        person = patients.get(session, clinic_id, id_of(patient_id))
        return desk.page(
            "patient.html",
            person=person,
            reaches=_contacts(session, clinic_id, person.id, now),
            visits=_visits(session, clinic_id, person.id),
            items=items(session, out, seen.timeline(session, clinic_id, person.id), desk.clinic.zone, now),
            heard=inbox.heard_from(session, clinic_id, person.id),
            proofs=consents.history(session, clinic_id, person.id),
            language=lambda locale: language_name(out, locale),
            saved=SAVED.get(saved, ""),
        )


def id_of(text: str) -> UUID:
    """An id from a path; what is none is not found."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("no such id") from None


def language_name(out: Wired, locale: str) -> str:
    """Spanish for es; the code itself for a language that is no longer loaded."""
    voice = out.words.voices.get(locale)
    return voice.language.name if voice else locale


def _list(
    desk: Desk, out: Wired, people: list[patients.Person], find: str = "", number: int = 1, pages: int = 1
) -> HTMLResponse:
    return desk.page(
        "patients.html", people=people, find=find, number=number, pages=pages,
        language=lambda locale: language_name(out, locale),
    )  # fmt: skip


def _find(session: Session, desk: Desk, wanted: str) -> list[patients.Person]:
    own = patients.by_external(session, desk.clinic.id, wanted)
    ids = {own.id} if own else set[UUID]()
    for channel, normal in _normal(wanted, desk.country):
        ids |= {one.patient_id for one in inbox.senders(session, desk.clinic.id, channel, normal)}
    people = [patients.get(session, desk.clinic.id, patient_id) for patient_id in ids]
    return sorted(people, key=lambda person: person.name.casefold())


def _normal(wanted: str, country: str) -> list[tuple[Channel, str]]:
    """The forms under which `wanted` may be indexed."""
    try:
        if "@" in wanted:
            return [(Channel.EMAIL, contact.index_form(Channel.EMAIL, wanted))]
        return [(Channel.SMS, contact.index_form(Channel.SMS, contact.phone(wanted, country, lenient=True)))]
    except BadInput:
        return []


def _contacts(session: Session, clinic_id: UUID, patient_id: UUID, now: datetime) -> list[Contact]:
    reaches = patients.addresses(session, clinic_id, patient_id)
    ledgers = consents.ledgers(session, [reach.id for reach in reaches.values()])
    return [
        Contact(
            channel,
            readable(reach.value) if channel is Channel.SMS else reach.value,
            may_contact(ledgers.get(reach.id, []), now).state,
            reach.usable,
        )
        for channel, reach in sorted(reaches.items(), reverse=True)
    ]


def _visits(session: Session, clinic_id: UUID, patient_id: UUID) -> list[Visit]:
    course = enrolments.active_course(session, clinic_id, patient_id)
    return infusions.of_course(session, course) if course else []
