"""Standing for somebody of the staff: the patient's row by which messages to them go the way of every message."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.store import patients, stand_ins
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
