"""Standing for somebody of the staff: the patient's row by which messages to them go the way of every message."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain import contact
from outreach.domain.channel import Channel
from outreach.domain.consent import may_ask, may_contact
from outreach.errors import BadInput, say
from outreach.store import consents, inbox, patients, stand_ins
from outreach.store.stand_ins import Own
from outreach.store.tables import Clinic


def stand_in(session: Session, clinic: Clinic, staff_id: UUID, person: Own, now: datetime) -> UUID:
    """The row that stands for the person, made when there is none; `person` was read with its row locked."""
    if person.stand_in is not None:
        return person.stand_in
    patient_id = patients.add(
        session, clinic_id=clinic.id, name=person.name, locale=clinic.locale, zone=clinic.zone, wording="full", now=now
    )
    stand_ins.appoint(session, clinic.id, staff_id, patient_id)
    return patient_id


def must_be_own(session: Session, clinic_id: UUID, person: Own, channel: Channel, now: datetime) -> None:
    """BadInput when a patient has or had the person's number or mailbox, or somebody else said STOP from it.

    One sentence for all of it: whoever may not see patients must not learn who one is by typing numbers.
    """
    form = contact.index_form(channel, person.reach[channel])
    others = [one for one in inbox.senders(session, clinic_id, channel, form) if one.patient_id != person.stand_in]
    known = patients.named(session, clinic_id, {one.patient_id for one in others}).values()
    said = consents.ledgers(session, [one.address_id for one in others]).values()
    no = any(not may_contact(events, now).allowed and not may_ask(events, now) for events in said)
    if no or any(not one.test for one in known) or inbox.stopped_before(session, clinic_id, channel, form):
        raise BadInput(say("No test can go to this number or mailbox. Use one that is yours alone."))
