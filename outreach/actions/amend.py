"""Amending one thing of a patient for other software: own data or an address; the plan follows at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions import enrol, fallback
from outreach.actions.replan import replan
from outreach.domain import contact
from outreach.domain.channel import Channel
from outreach.domain.sequence import Sequence
from outreach.store import choices, clinics, enrolments, patients


def change_patient(
    session: Session,
    clinic_id: UUID,
    patient_id: UUID,
    news: Mapping[str, str | bool],
    sequence: Sequence,
    now: datetime,
) -> None:
    """Set some of name, locale, zone, wording, active. Another zone means other hours; inactive means none."""
    person = patients.lock(session, clinic_id, patient_id)
    patients.change(session, person, news)
    if "zone" in news or "active" in news:
        _plan_anew(session, clinic_id, patient_id, sequence, now)


def give_address(
    session: Session,
    clinic_id: UUID,
    patient_id: UUID,
    channel: Channel,
    value: str,
    sequence: Sequence,
    now: datetime,
) -> tuple[UUID, bool, int]:
    """Make this the patient's address of the channel: (its id, whether that is news, requests for consent queued).

    Consent belongs to the address, so a new one is asked; BadInput for what cannot be one.
    """
    clinic = clinics.by_id(session, clinic_id)
    person = patients.lock(session, clinic_id, patient_id)
    is_phone = channel is Channel.SMS
    normal = contact.phone(value, clinic.country, lenient=True) if is_phone else contact.email(value)
    address_id, news = patients.set_address(session, clinic_id, patient_id, channel, normal, now)
    if not news:
        return address_id, False, 0
    patients.change(session, person, {})
    fallback.corrected(session, clinic_id, patient_id, now)
    _plan_anew(session, clinic_id, patient_id, sequence, now)
    chosen = choices.get(session, clinic_id, sequence.name).of(sequence)
    reach = patients.addresses(session, clinic_id, patient_id)
    asked = enrol.ask(session, clinic, person, {channel: reach[channel]}, chosen, now)
    return address_id, True, asked


def _plan_anew(session: Session, clinic_id: UUID, patient_id: UUID, sequence: Sequence, now: datetime) -> None:
    course_id = enrolments.active_course(session, clinic_id, patient_id)
    if course_id is not None:
        replan(session, course_id, sequence, now)
