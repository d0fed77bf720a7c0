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


class News(BadInput):
    """Something has come in that whoever closes it has not seen; nothing was changed."""


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
    session: Session, clinic_id: UUID, task: Known, outcome: str, remark: str, now: datetime, *, by: UUID,
    read_until: datetime | None = None,
) -> None:  # fmt: skip
    """Close it for one of OUTCOMES; `remark` becomes a note about the patient. TooLate: it is closed already.

    `read_until`: the newest message that stood on the page. News: another has come in, and joined this task.
    """
    if outcome not in OUTCOMES:
        raise BadInput(say("Choose how it ended."))
    if task.patient_id is not None:
        patients.lock(session, clinic_id, task.patient_id)  # before the task, as answering does
    if not tasks.close(session, clinic_id, task.id, by, outcome, now):
        raise TooLate(say("Somebody else has closed this task already."))
    # Asked once the task is ours: what comes in from here on waits for it, and then opens its own.
    if read_until is not None and talk.needs_reading(session, clinic_id, _whose(session, clinic_id, task), read_until):
        raise News(say("Something new has come in. Read it, then close."))
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


def _whose(session: Session, clinic_id: UUID, task: Known) -> UUID | Stranger:
    if task.patient_id is not None or task.inbound_id is None:
        return task.patient_id or task.id  # a task of nobody, about nothing: no message is its
    return talk.stranger(session, clinic_id, task.inbound_id)


def _note(
    session: Session, clinic_id: UUID, action: str, task: Known, now: datetime, by: UUID, outcome: str = ""
) -> None:
    detail = {"kind": task.kind} | ({"outcome": outcome} if outcome else {})
    audit.note(session, clinic_id=clinic_id, at=now, actor_kind="staff", actor_id=by, action=action, subject="task",
               subject_id=task.id, detail=detail)  # fmt: skip
