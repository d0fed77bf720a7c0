"""Tasks for people: opened once per occasion, taken, given back, closed. Two who act at once: the second is told."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVarTuple
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, String, Update, cast, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session, aliased

from outreach.domain import deadlines
from outreach.errors import NotFound
from outreach.store.office import Task
from outreach.store.tables import Patient
from outreach.store.traffic import InboundMessage

Columns = TypeVarTuple("Columns")
WHOSE = func.coalesce(
    cast(Task.patient_id, String), func.encode(InboundMessage.sender_index, "hex"), cast(Task.id, String)
)
"""The conversation of a task: a patient's, or an unknown number's, or its own. Only in what `in_inbox` has joined."""


def in_inbox(found: Select[*Columns]) -> Select[*Columns]:
    """Open tasks that the inbox shows, with the message each is about; none of a patient who is a test."""
    messages = found.select_from(Task).outerjoin(InboundMessage, InboundMessage.id == Task.inbound_id)
    whose = messages.outerjoin(Patient, Patient.id == Task.patient_id)
    return whose.where(Task.closed_at.is_(None), Patient.test.is_not(True))


def open_task(
    session: Session,
    *,
    clinic_id: UUID,
    patient_id: UUID | None,
    kind: str,
    occasion: str,
    now: datetime,
    message_id: UUID | None = None,
    inbound_id: UUID | None = None,
    due_at: datetime | None = None,
) -> UUID | None:
    """Open a task; None when this occasion has one of this kind already. `due_at` None: as domain.deadlines says."""
    return session.scalar(
        upsert(Task)
        .values(
            id=uuid4(), clinic_id=clinic_id, patient_id=patient_id, kind=kind, occasion=occasion, message_id=message_id,
            inbound_id=inbound_id, opened_at=now, due_at=due_at or deadlines.due_at(kind, now), outcome="", escalated=0,
        )
        .on_conflict_do_nothing(index_elements=["clinic_id", "kind", "occasion"])
        .returning(Task.id)
    )  # fmt: skip


def open_or_join(
    session: Session,
    *,
    clinic_id: UUID,
    patient_id: UUID | None,
    kind: str,
    occasion: str,
    now: datetime,
    inbound_id: UUID,
    index: bytes,
    message_id: UUID | None = None,
    due_at: datetime | None = None,
) -> UUID | None:
    """open_task, but one of each kind in a conversation: None where one is open, which takes this message in.

    Whoever reads the conversation reads it all. The earlier deadline stays, or comes. `index`: the blind index of the
    number, by which a stranger's conversation is known.
    """
    due = due_at or deadlines.due_at(kind, now)
    theirs = Task.kind == kind, Task.closed_at.is_(None), *_of_thread(clinic_id, patient_id, index)
    same = select(Task.id).where(*theirs).order_by(Task.due_at, Task.id).limit(1).with_for_update()
    if (known := session.scalar(same)) is not None:
        session.execute(
            update(Task).where(Task.id == known, Task.due_at > due).values(due_at=due)
            .execution_options(synchronize_session=False)
        )  # fmt: skip
        return None
    return open_task(session, clinic_id=clinic_id, patient_id=patient_id, kind=kind, occasion=occasion, now=now,
                     message_id=message_id, inbound_id=inbound_id, due_at=due)  # fmt: skip


def urgent_waits(session: Session, clinic_id: UUID, patient_id: UUID | None, index: bytes) -> bool:
    """Whether nobody has taken an urgent task of this patient yet; of this number (blind index) where it is nobody's.

    Another urgent message joins it: whoever takes it reads them all.
    """
    found = select(Task.id).where(*_of_thread(clinic_id, patient_id, index), *_untaken("urgent")).limit(1)
    return session.scalar(found) is not None


def urgent_open(session: Session, clinic_id: UUID, patient_id: UUID) -> bool:
    """Whether something urgent of this patient is not closed, taken or not."""
    found = select(Task.id).where(Task.clinic_id == clinic_id, Task.patient_id == patient_id, Task.kind == "urgent",
                                  Task.closed_at.is_(None)).limit(1)  # fmt: skip
    return session.scalar(found) is not None


def take(session: Session, clinic_id: UUID, task_id: UUID, staff_id: UUID, now: datetime) -> bool:
    """Make the task this person's, which ends its escalation; False when it is closed or somebody else's."""
    mine = update(Task).where(
        Task.clinic_id == clinic_id, Task.id == task_id, Task.closed_at.is_(None),
        Task.taken_by.is_(None) | (Task.taken_by == staff_id),
    )  # fmt: skip
    return _one(session, mine.values(taken_by=staff_id, taken_at=now))


def release(session: Session, clinic_id: UUID, task_id: UUID, staff_id: UUID) -> bool:
    """Give the task back for others to take; False when it is not this person's, or closed."""
    mine = update(Task).where(
        Task.clinic_id == clinic_id, Task.id == task_id, Task.closed_at.is_(None), Task.taken_by == staff_id
    )
    return _one(session, mine.values(taken_by=None, taken_at=None))


def close(session: Session, clinic_id: UUID, task_id: UUID, staff_id: UUID | None, outcome: str, now: datetime) -> bool:
    """Close the task with a reason; False when it is closed already. `staff_id` None: it settled itself."""
    still = update(Task).where(Task.clinic_id == clinic_id, Task.id == task_id, Task.closed_at.is_(None))
    return _one(session, still.values(closed_at=now, closed_by=staff_id, outcome=outcome))


@dataclass(frozen=True)
class Waiting:
    """An open task that nobody has taken. `escalated`: how often somebody was to be told of it."""

    id: UUID
    clinic_id: UUID
    escalated: int
    opened_at: datetime


def waiting(session: Session, kind: str, since: datetime) -> list[Waiting]:
    """Tasks of all clinics that nobody has taken, locked, oldest first; none of a clinic that was told after `since`.

    So all of a clinic go in one round. Those that another worker deals with just now are passed over.
    """
    other = aliased(Task)
    told = select(other.id).where(other.clinic_id == Task.clinic_id, other.kind == kind, other.closed_at.is_(None),
                                  other.taken_by.is_(None), other.escalated_at > since)  # fmt: skip
    rows = session.execute(
        select(Task.id, Task.clinic_id, Task.escalated, Task.opened_at)
        .where(*_untaken(kind), ~told.exists())
        .order_by(Task.opened_at, Task.id)
        .with_for_update(of=Task, skip_locked=True)
    )
    return [Waiting(*row) for row in rows]


def untaken(session: Session, kind: str) -> list[tuple[UUID, UUID]]:
    """(clinic, task) of every open task of this kind that nobody has taken."""
    return [(row[0], row[1]) for row in session.execute(select(Task.clinic_id, Task.id).where(*_untaken(kind)))]


@dataclass(frozen=True)
class Known:
    """A task as staff see it. Open while `closed_at` is None; `outcome`: why it was closed."""

    id: UUID
    patient_id: UUID | None
    inbound_id: UUID | None
    kind: str
    opened_at: datetime
    due_at: datetime
    taken_by: UUID | None
    closed_at: datetime | None
    closed_by: UUID | None
    outcome: str


_KNOWN = (Task.id, Task.patient_id, Task.inbound_id, Task.kind, Task.opened_at, Task.due_at, Task.taken_by,
          Task.closed_at, Task.closed_by, Task.outcome)  # fmt: skip


def get(session: Session, clinic_id: UUID, task_id: UUID) -> Known:
    """One task of the clinic, or NotFound."""
    row = session.execute(select(*_KNOWN).where(Task.clinic_id == clinic_id, Task.id == task_id)).one_or_none()
    if row is None:
        raise NotFound("no such task in this clinic")
    return Known(**row._mapping)


def of_patient(session: Session, clinic_id: UUID, patient_id: UUID, limit: int = 20) -> list[Known]:
    """A patient's tasks, open ones first and of them those due first; then those closed last."""
    return _known(session, [Task.clinic_id == clinic_id, Task.patient_id == patient_id], limit)


def of_stranger(session: Session, clinic_id: UUID, index: bytes, limit: int = 20) -> list[Known]:
    """The same of an unknown number, by its blind index."""
    return _known(session, _of_thread(clinic_id, None, index), limit)


def _of_thread(clinic_id: UUID, patient_id: UUID | None, index: bytes) -> list[ColumnElement[bool]]:
    """The tasks of a patient; where there is none, those of an unknown number."""
    if patient_id is not None:
        return [Task.clinic_id == clinic_id, Task.patient_id == patient_id]
    return [Task.clinic_id == clinic_id, Task.patient_id.is_(None), Task.inbound_id.in_(_heard_from(clinic_id, index))]


def _heard_from(clinic_id: UUID, index: bytes) -> Select[UUID]:
    return select(InboundMessage.id).where(
        InboundMessage.clinic_id == clinic_id, InboundMessage.sender_index == index, InboundMessage.patient_id.is_(None)
    )


def _known(session: Session, where: list[ColumnElement[bool]], limit: int) -> list[Known]:
    order = Task.closed_at.is_not(None), Task.closed_at.desc(), Task.due_at, Task.id
    return [
        Known(**row._mapping) for row in session.execute(select(*_KNOWN).where(*where).order_by(*order).limit(limit))
    ]


@dataclass(frozen=True)
class Waits:
    """Conversations of a clinic with an open task, and of how many one is urgent, overdue, mine: as the inbox lists."""

    open: int
    urgent: int
    overdue: int
    mine: int


def waits(session: Session, clinic_id: UUID, staff_id: UUID, now: datetime) -> Waits:
    each = func.count(WHOSE.distinct())
    counts = (each, each.filter(Task.kind == "urgent"), each.filter(Task.due_at <= now),
              each.filter(Task.taken_by == staff_id))  # fmt: skip
    return Waits(*session.execute(in_inbox(select(*counts)).where(Task.clinic_id == clinic_id)).one())


def escalated(session: Session, task_ids: Collection[UUID], now: datetime) -> None:
    """Somebody was told of them, once more."""
    session.execute(
        update(Task).where(Task.id.in_(task_ids)).values(escalated=Task.escalated + 1, escalated_at=now)
        .execution_options(synchronize_session=False)
    )  # fmt: skip


def _untaken(kind: str) -> list[ColumnElement[bool]]:
    return [Task.kind == kind, Task.closed_at.is_(None), Task.taken_by.is_(None)]


def _one(session: Session, change: Update) -> bool:
    return session.scalar(change.returning(Task.id).execution_options(synchronize_session=False)) is not None
