"""Trying out: one message to the member of staff who asks, the way every message goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from outreach.actions.envisage import facts_of
from outreach.actions.replan import quiet_of
from outreach.actions.stand_for import must_be_own, stand_in
from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentKind
from outreach.domain.sequence import Step
from outreach.domain.window import tz_version, wall_at
from outreach.errors import BadInput, say
from outreach.store import audit, clinics, consents, enrolments, infusions, messages, patients, stand_ins
from outreach.store.stand_ins import OCCASION, Own
from outreach.store.tables import Clinic

AN_HOUR = 5
"""Tests to one person in an hour: enough to look at a text twice, too few to plague anybody with."""
USEFUL = timedelta(hours=12)


@dataclass(frozen=True)
class Wanted:
    """Which words, to which of the person's own addresses."""

    step: Step
    channel: Channel
    locale: str
    wording: Literal["full", "neutral"]


def try_out(session: Session, clinic_id: UUID, staff_id: UUID, wanted: Wanted, now: datetime) -> datetime:
    """Queue the message, and return when it is due: now, or when the clinic's quiet hours are over.

    A patient's row that stands for the person goes along with it: consent, pump, carrier, receipts are those of every
    message. BadInput: no such address of one's own, one that a patient has or that said STOP, or too many tests.
    """
    clinic = clinics.by_id(session, clinic_id)
    person = stand_ins.own(session, clinic_id, staff_id, lock=True)
    if wanted.channel not in person.reach:
        raise BadInput(say("There is no phone number of your own yet. Add it under My account."))
    must_be_own(session, clinic_id, person, wanted.channel, now)
    patient_id = stand_in(session, clinic, staff_id, person, now)
    if stand_ins.sent_since(session, patient_id, now - timedelta(hours=1)) >= AN_HOUR:
        raise BadInput(say("You have sent yourself %(n)s tests in the last hour. Wait a little.", n=AN_HOUR))
    known = patients.get(session, clinic_id, patient_id)
    patients.change(session, known, {"locale": wanted.locale, "zone": clinic.zone, "wording": wanted.wording})
    address_id = _address(session, clinic, staff_id, patient_id, wanted.channel, person, now)
    due = quiet_of(clinic).next_open(now, clinic.zone)
    message_id = _queue(session, clinic, patient_id, address_id, wanted, due, now)
    audit.note(
        session, clinic_id=clinic_id, at=now, actor_kind="staff", actor_id=staff_id, action="test.sent",
        subject="message", subject_id=message_id or "",
        detail={"step": wanted.step.key, "channel": wanted.channel.value, "locale": wanted.locale},
    )  # fmt: skip
    return due


def _address(
    session: Session, clinic: Clinic, staff_id: UUID, patient_id: UUID, channel: Channel, person: Own, now: datetime
) -> UUID:
    """The person's own address as one of a patient, with their agreement: who sends themselves a test has agreed.

    Once per address: a STOP from it is the later word, and stays.
    """
    address_id, _ = patients.set_address(session, clinic.id, patient_id, channel, person.reach[channel], now)
    consents.add(
        session, clinic_id=clinic.id, patient_id=patient_id, address_id=address_id, channel=channel,
        kind=ConsentKind.AGREED, method="staff", actor=f"staff:{staff_id}", at=now, evidence=f"{OCCASION}{staff_id}",
        warned=True,
    )  # fmt: skip
    return address_id


def _queue(
    session: Session, clinic: Clinic, patient_id: UUID, address_id: UUID, wanted: Wanted, due: datetime, now: datetime
) -> UUID | None:
    """About an example of a visit: two weeks from now, at ten."""
    course_id = enrolments.course_for(session, clinic.id, patient_id, now)
    starts = datetime.combine(wall_at(now, clinic.zone).date() + timedelta(days=14), time(10))
    known = {visit.starts: visit for visit in infusions.of_course(session, course_id)}
    if starts not in known:
        infusions.add(
            session, clinic_id=clinic.id, course_id=course_id, starts=starts, zone=clinic.zone, minutes=60, now=now
        )
        known = {visit.starts: visit for visit in infusions.of_course(session, course_id)}
    return messages.add_occasion(
        session, clinic_id=clinic.id, patient_id=patient_id, address_id=address_id, channel=wanted.channel,
        step=wanted.step.key, occasion=f"{OCCASION}{uuid4()}", zone=clinic.zone, due_at=due, useful_until=due + USEFUL,
        wall=wall_at(due, clinic.zone), tz_version=tz_version(), facts=facts_of(wanted.step, known[starts]),
        locale=wanted.locale, course_id=course_id, rule="a test",
    )  # fmt: skip
