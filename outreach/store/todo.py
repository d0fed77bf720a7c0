"""Open tasks: what needs a person, the most pressing first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from outreach.store.office import Task
from outreach.store.tasks import WHOSE, in_inbox


@dataclass(frozen=True)
class Todo:
    """A task. kind: urgent, reply, change, call, shared, silence, stop."""

    id: UUID
    patient_id: UUID | None
    kind: str
    opened_at: datetime
    due_at: datetime


_TODO = (Task.id, Task.patient_id, Task.kind, Task.opened_at, Task.due_at)
_PRESSING = Task.kind != "urgent", Task.due_at, Task.id
_PLACED = in_inbox(
    select(*_TODO, func.row_number().over(partition_by=WHOSE, order_by=_PRESSING).label("place"))
).where(Task.clinic_id == bindparam("clinic_id")).subquery()  # fmt: skip
_OF_CLINIC = (
    select(_PLACED.c.id, _PLACED.c.patient_id, _PLACED.c.kind, _PLACED.c.opened_at, _PLACED.c.due_at)
    .where(_PLACED.c.place == 1)
    .order_by(_PLACED.c.kind != "urgent", _PLACED.c.due_at, _PLACED.c.id)
    .limit(bindparam("most"))
)


def of_clinic(session: Session, clinic_id: UUID, limit: int) -> list[Todo]:
    """The most pressing open task of each conversation in the inbox: what is urgent first, then what is due first."""
    return [Todo(*row) for row in session.execute(_OF_CLINIC, {"clinic_id": clinic_id, "most": limit})]


def of_patient(session: Session, clinic_id: UUID, patient_id: UUID) -> list[Todo]:
    """A patient's open tasks, newest first."""
    where = Task.clinic_id == clinic_id, Task.patient_id == patient_id, Task.closed_at.is_(None)
    rows = session.execute(select(*_TODO).where(*where).order_by(Task.opened_at.desc(), Task.id))
    return [Todo(*row) for row in rows]
