"""Correcting a patient: name, language, clock, wording, activity, number and mailbox; the plan follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions import fallback
from outreach.actions.enrol import ask
from outreach.actions.replan import replan
from outreach.domain.channel import Channel
from outreach.domain.sequence import Sequence
from outreach.errors import BadInput, NotAllowed, say
from outreach.store import audit, clinics, enrolments, patients
from outreach.store.people import Person

OF_PATIENT = ("name", "locale", "zone", "wording", "active")


@dataclass(frozen=True)
class Wish:
    """How the patient's data should be, all of it. Addresses in normal form; "" for none."""

    name: str
    locale: str
    zone: str
    wording: str
    active: bool
    phone: str = ""
    email: str = ""


def now_is(session: Session, person: Person) -> Wish:
    """How they are."""
    reach = patients.addresses(session, person.clinic_id, person.id)
    phone, email = (reach[one].value if one in reach else "" for one in (Channel.SMS, Channel.EMAIL))
    return Wish(person.name, person.locale, person.zone, person.wording, person.active, phone, email)


def correct(
    session: Session,
    clinic_id: UUID,
    patient_id: UUID,
    wish: Wish,
    version: int,
    sequences: Mapping[str, Sequence],
    *,
    staff_id: UUID,
    now: datetime,
) -> tuple[str, ...]:
    """Make it so; returns what changed, by the names of Wish. An address that is new begins without agreement.

    NotAllowed: somebody changed the patient since `version`. BadInput: nobody could be reached any more.
    """
    person = patients.lock(session, clinic_id, patient_id)
    if person.version != version:
        raise NotAllowed(say("Somebody changed this patient while you were typing. Nothing of yours is saved yet."))
    if not wish.phone and not wish.email:
        raise BadInput(say("Give a mobile number or an e-mail address."))
    before = now_is(session, person)
    changed = tuple(name for name in wish.__dataclass_fields__ if getattr(wish, name) != getattr(before, name))
    if not changed:
        return ()
    patients.change(session, person, {name: getattr(wish, name) for name in changed if name in OF_PATIENT})
    if _addresses(session, person, wish, changed, now):
        fallback.corrected(session, clinic_id, patient_id, now)
    _follow(session, clinic_id, patient_id, sequences, now)
    audit.note(session, clinic_id=clinic_id, at=now, actor_kind="staff", actor_id=staff_id, action="patient.changed",
               subject="patient", subject_id=patient_id,
               detail={"changed": list(changed), "version": person.version + 1})  # fmt: skip
    return changed


def _addresses(session: Session, person: Person, wish: Wish, changed: tuple[str, ...], now: datetime) -> bool:
    """Whether a new one took an old one's place."""
    news = False
    for name, channel in (("phone", Channel.SMS), ("email", Channel.EMAIL)):
        if name not in changed:
            continue
        value = getattr(wish, name)
        if value:
            news = patients.set_address(session, person.clinic_id, person.id, channel, value, now)[1] or news
        else:
            patients.drop_address(session, person.clinic_id, person.id, channel)
    return news


def _follow(
    session: Session, clinic_id: UUID, patient_id: UUID, sequences: Mapping[str, Sequence], now: datetime
) -> None:
    """Plan the courses anew, and ask a new address whether we may write."""
    clinic, person = clinics.by_id(session, clinic_id), patients.get(session, clinic_id, patient_id)
    reach = patients.addresses(session, clinic_id, patient_id)
    for course_id, name in enrolments.of_patient(session, clinic_id, patient_id):
        if name not in sequences:
            continue
        replan(session, course_id, sequences[name], now)
        if person.active:
            ask(session, clinic, person, reach, sequences[name], now)
