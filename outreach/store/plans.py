"""What is planned of a course and has not gone out: read under a lock, and put aside when the plan changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.status import Status
from outreach.errors import Reason
from outreach.store.messages import note, of_course
from outreach.store.traffic import Message

NEVER_WENT_OUT = (Status.SCHEDULED, Status.EXPIRED, Status.SUPPRESSED)


@dataclass(frozen=True)
class Unsent:
    """A planned row that never left: everything by which a new plan is compared with it."""

    id: UUID
    clinic_id: UUID
    step: str
    channel: Channel
    infusion_id: UUID | None
    revision: int
    address_id: UUID | None
    wall: datetime
    zone: str
    tz_version: str
    due_at: datetime
    useful_until: datetime
    status: Status
    reason: str | None


_UNSENT = (Message.id, Message.clinic_id, Message.step, Message.channel, Message.infusion_id, Message.revision,
           Message.address_id, Message.wall, Message.zone, Message.tz_version, Message.due_at, Message.useful_until,
           Message.status, Message.reason)  # fmt: skip


def unsent(session: Session, course_id: UUID) -> list[Unsent]:
    """The planned rows of a course that never went out, locked against the pump while a new plan is compared."""
    rows = session.execute(
        select(*_UNSENT)
        .where(
            *of_course(course_id),
            Message.occasion.is_(None),
            Message.status.in_([status.value for status in NEVER_WENT_OUT]),
        )
        .order_by(Message.id)
        .with_for_update()
    ).mappings()
    return [Unsent(**dict(row) | {"channel": Channel(row["channel"]), "status": Status(row["status"])}) for row in rows]


def put_aside(session: Session, leaving: Mapping[UUID, tuple[UUID, Reason]], now: datetime) -> None:
    """Cancel rows that a new plan replaces: message id → (clinic id, reason).

    Also rows that had expired or were suppressed: their visit has a new date, nothing of them went out, and the new
    row needs their place in the unique key. Like revive(), a decision of ours and not news; the event keeps the past.
    """
    if not leaving:
        return
    table = Message.__table__
    session.connection().execute(
        update(table)  # type: ignore[arg-type]
        .where(table.c.id == bindparam("m_id"))
        .values(status=Status.CANCELLED.value, reason=bindparam("m_reason"), ended_at=now),
        [{"m_id": message_id, "m_reason": reason.value} for message_id, (_, reason) in leaving.items()],
    )
    note(
        session,
        [
            {"clinic_id": clinic_id, "message_id": message_id, "source": "plan", "word": "put aside",
             "status": Status.CANCELLED.value, "reason": reason.value, "at": now}
            for message_id, (clinic_id, reason) in leaving.items()
        ],
    )  # fmt: skip
