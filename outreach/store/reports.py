"""Counts: where a clinic's messages stand, and whether they add up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.domain.status import ENDS, Status
from outreach.store.traffic import Event, Message


@dataclass(frozen=True)
class Balance:
    """planned = sum of ends + still to come. `ends` by status, `open` by status."""

    planned: int
    ends: dict[Status, int]
    open: dict[Status, int]

    @property
    def holds(self) -> bool:
        """Every planned message is in exactly one end, or still to come."""
        return self.planned == sum(self.ends.values()) + sum(self.open.values())

    @property
    def finished(self) -> bool:
        return self.holds and not any(self.open.values())


def balance(session: Session) -> Balance:
    """The balance of everything stored. `planned` counts the planning events, the rest the rows: two witnesses."""
    planned = (
        session.scalar(select(func.count()).select_from(Event).where(Event.source == "plan", Event.word == "planned"))
        or 0
    )
    rows = session.execute(select(Message.status, func.count()).group_by(Message.status)).all()
    counts = {Status(row[0]): int(row[1]) for row in rows}
    return Balance(
        planned,
        {status: counts.get(status, 0) for status in sorted(ENDS)},
        {status: counts.get(status, 0) for status in Status if status not in ENDS},
    )


@dataclass(frozen=True)
class Pending:
    """What a rehearsal waits for: due and not begun, with a carrier, texts without a last word, unsettled."""

    due: int
    sending: int
    texts_open: int
    overdue: int
    next_due: datetime | None
    open: int
    ended: int
    unknown: int


def pending(session: Session, now: datetime, settled_before: datetime) -> Pending:
    """Counts in one scan."""
    scheduled = Message.status == Status.SCHEDULED.value
    carried = Message.status.in_([Status.ACCEPTED.value, Status.SENT.value])
    row = session.execute(
        select(
            func.count().filter(scheduled, Message.due_at <= now),
            func.count().filter(Message.status == Status.SENDING.value),
            func.count().filter(Message.channel == "sms", carried),
            func.count().filter(carried, Message.sent_at <= settled_before),
            func.min(Message.due_at).filter(scheduled, Message.due_at > now),
            func.count().filter(Message.status.not_in([end.value for end in ENDS])),
            func.count().filter(Message.status.in_([end.value for end in ENDS])),
            func.count().filter(Message.status == Status.UNKNOWN.value),
        )
    ).one()
    return Pending(*row)
