"""Open tasks: what needs a person, the most pressing first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from outreach.store.office import Task


@dataclass(frozen=True)
class Todo:
    """A task. kind: urgent, reply, change, call, shared, silence, stop."""

    id: UUID
    patient_id: UUID | None
    kind: str
    opened_at: datetime
    due_at: datetime


_TODO = (Task.id, Task.patient_id, Task.kind, Task.opened_at, Task.due_at)
_OF_CLINIC = (
    select(*_TODO)
    .where(Task.clinic_id == bindparam("clinic_id"), Task.closed_at.is_(None))
    .order_by(Task.due_at, Task.id)
    .limit(bindparam("most"))
)


def of_clinic(session: Session, clinic_id: UUID, limit: int) -> list[Todo]:
    """A clinic's open tasks, those due first first."""
    return [Todo(*row) for row in session.execute(_OF_CLINIC, {"clinic_id": clinic_id, "most": limit})]


def of_patient(session: Session, clinic_id: UUID, patient_id: UUID) -> list[Todo]:
    """A patient's open tasks, newest first."""
    where = Task.clinic_id == clinic_id, Task.patient_id == patient_id, Task.closed_at.is_(None)
    rows = session.execute(select(*_TODO).where(*where).order_by(Task.opened_at.desc(), Task.id))
    return [Todo(*row) for row in rows]
