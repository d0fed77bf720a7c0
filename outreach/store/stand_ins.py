"""Those who stand for members of staff: a patient's row, in no list and no figure, by which tests go the usual way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.store.tables import Patient, Staff
from outreach.store.traffic import Message
from outreach.store.vault import vault_of

OCCASION = "test:"


@dataclass(frozen=True)
class Own:
    """What a member of staff is reached by. Never log one. `stand_in`: the row that stands for them, if any."""

    name: str
    reach: dict[Channel, str]
    stand_in: UUID | None


def own(session: Session, clinic_id: UUID, staff_id: UUID, *, lock: bool = False) -> Own:
    """The person's own phone and mailbox. `lock`: two tests at once take turns, and one row stands for one person."""
    asked = select(Staff).where(Staff.clinic_id == clinic_id, Staff.id == staff_id)
    person = session.scalars(asked.with_for_update() if lock else asked).one()
    vault = vault_of(session)
    reach = {Channel.EMAIL: vault.open(person.email_sealed, "staff.email", clinic_id, staff_id)}
    if person.phone_sealed:
        reach[Channel.SMS] = vault.open(person.phone_sealed, "staff.phone", clinic_id, staff_id)
    name = vault.open(person.name_sealed, "staff.name", clinic_id, staff_id)
    return Own(name, reach, person.test_patient_id)


def appoint(session: Session, clinic_id: UUID, staff_id: UUID, patient_id: UUID) -> None:
    """Let this patient's row stand for the person from now on."""
    session.execute(
        update(Patient).where(Patient.clinic_id == clinic_id, Patient.id == patient_id)
        .values(test=True, search=[]).execution_options(synchronize_session=False)
    )  # fmt: skip
    session.execute(
        update(Staff).where(Staff.clinic_id == clinic_id, Staff.id == staff_id)
        .values(test_patient_id=patient_id).execution_options(synchronize_session=False)
    )  # fmt: skip


def sent_since(session: Session, patient_id: UUID, since: datetime) -> int:
    """How many tests were asked for since then."""
    theirs = (Message.patient_id == patient_id, Message.occasion.startswith(OCCASION), Message.planned_at >= since)
    return session.scalar(select(func.count()).where(*theirs)) or 0
