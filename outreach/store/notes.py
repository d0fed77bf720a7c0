"""Notes that staff keep about a patient: sealed, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from outreach.store.office import Note
from outreach.store.tables import Staff
from outreach.store.vault import vault_of


@dataclass(frozen=True)
class Jotted:
    """A note, opened. `by`: the name of who wrote it, "" when nobody is known."""

    id: UUID
    staff_id: UUID | None
    by: str
    body: str
    at: datetime


def add(
    session: Session, clinic_id: UUID, patient_id: UUID, body: str, *, staff_id: UUID | None, now: datetime
) -> UUID:
    note_id = uuid4()
    sealed = vault_of(session).seal(body, "note.body", clinic_id, note_id)
    session.execute(
        insert(Note).values(id=note_id, clinic_id=clinic_id, patient_id=patient_id, staff_id=staff_id,
                            body_sealed=sealed, at=now)
    )  # fmt: skip
    return note_id


def of_patient(session: Session, clinic_id: UUID, patient_id: UUID, limit: int = 100) -> list[Jotted]:
    """A patient's notes, newest first."""
    vault = vault_of(session)
    rows = session.execute(
        select(Note.id, Note.staff_id, Note.body_sealed, Note.at, Staff.name_sealed)
        .outerjoin(Staff, (Staff.id == Note.staff_id) & (Staff.clinic_id == Note.clinic_id))
        .where(Note.clinic_id == clinic_id, Note.patient_id == patient_id)
        .order_by(Note.at.desc(), Note.id)
        .limit(limit)
    )
    return [
        Jotted(
            row.id, row.staff_id,
            vault.open(row.name_sealed, "staff.name", clinic_id, row.staff_id) if row.name_sealed else "",
            vault.open(row.body_sealed, "note.body", clinic_id, row.id), row.at,
        )
        for row in rows
    ]  # fmt: skip
