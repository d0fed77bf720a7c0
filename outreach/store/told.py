"""Who on call was told of something urgent, by what and when, and what became of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, and_, cast, select
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.status import Status
from outreach.errors import Reason
from outreach.store.office import Audit
from outreach.store.tables import Staff
from outreach.store.traffic import Message

TOLD = "task.escalated"
"""The action by which the audit keeps each telling."""


@dataclass(frozen=True)
class Told:
    """One message to one person. `at`: when it left, or was to leave; `status` says which."""

    to: UUID
    channel: Channel
    at: datetime
    status: Status
    reason: Reason | None


def of_tasks(session: Session, clinic_id: UUID, task_ids: Collection[UUID], step: str) -> dict[UUID, list[Told]]:
    """The tellings of each task, the first one first. One message may tell of several: it is found by its moment.

    `step`: of the messages that tell.
    """
    if not task_ids:
        return {}
    rows = session.execute(
        select(Audit.subject_id, Staff.id, Message.channel, Message.sent_at, Message.due_at, Message.status,
               Message.reason)
        .join(Staff, and_(Staff.clinic_id == Audit.clinic_id, Staff.id == cast(Audit.detail["to"].astext, Uuid)))
        .join(Message, and_(Message.patient_id == Staff.test_patient_id, Message.step == step,
                            Message.due_at == Audit.at))
        .where(Audit.clinic_id == clinic_id, Audit.subject == "task", Audit.action == TOLD,
               Audit.subject_id.in_([str(one) for one in task_ids]))
        .order_by(Audit.seq, Message.channel.desc())
    )  # fmt: skip
    found: dict[UUID, list[Told]] = {}
    for task, to, channel, sent_at, due_at, status, reason in rows:
        one = Told(to, Channel(channel), sent_at or due_at, Status(status), Reason(reason) if reason else None)
        found.setdefault(UUID(task), []).append(one)
    return found
