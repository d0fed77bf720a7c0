"""Jotting down a note about a patient, for staff."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.errors import BadInput, say
from outreach.store import audit, notes, patients

LONGEST = 2000


def jot(session: Session, clinic_id: UUID, patient_id: UUID, body: str, *, staff_id: UUID, now: datetime) -> bool:
    """Keep the note; False when the newest one of this patient says the same already (a form sent twice)."""
    text = body.replace("\r\n", "\n").strip()
    if not text:
        raise BadInput(say("The note is empty."))
    if len(text) > LONGEST:
        raise BadInput(
            say("This has %(n)s characters; a note may have %(most)s. Shorten it.", n=len(text), most=LONGEST)
        )
    patients.lock(session, clinic_id, patient_id)
    newest = notes.of_patient(session, clinic_id, patient_id, limit=1)
    if newest and newest[0].body == text and newest[0].staff_id == staff_id:
        return False
    notes.add(session, clinic_id, patient_id, text, staff_id=staff_id, now=now)
    audit.note(session, clinic_id=clinic_id, at=now, actor_kind="staff", actor_id=staff_id, action="note.added",
               subject="patient", subject_id=patient_id)  # fmt: skip
    return True
