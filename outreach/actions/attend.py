"""Attending to what waits in the inbox: taking a task, giving it back, closing it, marking what was read."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.jot import jot
from outreach.errors import BadInput, say
from outreach.store import audit, patients, talk, tasks
from outreach.store.talk import Stranger
from outreach.store.tasks import Known

OUTCOMES = (
    "called", "answered", "visit_changed", "passed_on", "not_reached", "sorted_out", "false_alarm", "nothing_to_do",
)  # fmt: skip
"""Why a task can be closed. Stored; never rename a value."""


class TooLate(BadInput):
    """Somebody else was quicker; nothing was changed."""


def take(session: Session, clinic_id: UUID, task: Known, now: datetime, *, by: UUID) -> None:
    """Make it this person's. TooLate: it is somebody else's, or closed."""
    if not tasks.take(session, clinic_id, task.id, by, now):
        raise TooLate(say("Somebody else has taken or closed this task already."))
    if task.taken_by != by:
        _note(session, clinic_id, "task.taken", task, now, by)


def take_free(session: Session, clinic_id: UUID, patient_id: UUID, by: UUID, now: datetime) -> int:
    """Whoever answers a patient takes what nobody has: nobody else is told of it any more. Returns how many."""
    free = [one for one in tasks.of_patient(session, clinic_id, patient_id)
            if one.closed_at is None and one.taken_by is None]  # fmt: skip
    taken = [one for one in free if tasks.take(session, clinic_id, one.id, by, now)]
    for one in taken:
        _note(session, clinic_id, "task.taken", one, now, by)
    return len(taken)


def give_back(session: Session, clinic_id: UUID, task: Known, now: datetime, *, by: UUID) -> None:
    """Let others take it. TooLate: it is not this person's any more."""
    if not tasks.release(session, clinic_id, task.id, by):
        raise TooLate(say("This task is not yours any more."))
    _note(session, clinic_id, "task.given_back", task, now, by)


def close(
    session: Session, clinic_id: UUID, task: Known, outcome: str, remark: str, now: datetime, *, by: UUID
) -> None:
    """Close it for one of OUTCOMES; `remark` becomes a note about the patient. TooLate: it is closed already."""
    if outcome not in OUTCOMES:
        raise BadInput(say("Choose how it ended."))
    if task.patient_id is not None:
        patients.lock(session, clinic_id, task.patient_id)  # before the task, as answering does
    if not tasks.close(session, clinic_id, task.id, by, outcome, now):
        raise TooLate(say("Somebody else has closed this task already."))
    if remark.strip() and task.patient_id is not None:
        jot(session, clinic_id, task.patient_id, remark, staff_id=by, now=now)
    _note(session, clinic_id, "task.closed", task, now, by, outcome)


def mark_read(
    session: Session, clinic_id: UUID, whose: UUID | Stranger, until: datetime, now: datetime, *, by: UUID
) -> int:
    """Note that what came up to `until` was read. Returns how much of it was news."""
    marked = talk.mark_read(session, clinic_id, whose, until, by, now)
    if marked:
        known = isinstance(whose, UUID)
        audit.note(
            session, clinic_id=clinic_id, at=now, actor_kind="staff", actor_id=by, action="inbox.read",
            subject="patient" if known else "", subject_id=whose if known else "", detail={"count": marked},
        )  # fmt: skip
    return marked


def _note(
    session: Session, clinic_id: UUID, action: str, task: Known, now: datetime, by: UUID, outcome: str = ""
) -> None:
    detail = {"kind": task.kind} | ({"outcome": outcome} if outcome else {})
    audit.note(session, clinic_id=clinic_id, at=now, actor_kind="staff", actor_id=by, action=action, subject="task",
               subject_id=task.id, detail=detail)  # fmt: skip
