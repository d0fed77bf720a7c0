"""What is known of messages, as their events tell it: for whoever asks why nothing came."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.errors import Reason
from outreach.store.traffic import Event


@dataclass(frozen=True)
class News:
    """One event. source: plan, us, carrier, staff. `reason` in our words, `code` the carrier's own."""

    source: str
    word: str
    status: str
    reason: Reason | None
    code: str
    at: datetime


def of_messages(session: Session, clinic_id: UUID, message_ids: Collection[UUID]) -> dict[UUID, list[News]]:
    """The events of these messages of the clinic, in their order, in one query."""
    found: dict[UUID, list[News]] = {}
    if not message_ids:
        return found
    rows = session.execute(
        select(Event.message_id, Event.source, Event.word, Event.status, Event.reason, Event.code, Event.at)
        .where(Event.message_id.in_(message_ids), Event.clinic_id == clinic_id)
        .order_by(Event.id)
    )
    for row in rows:
        reason = Reason(row.reason) if row.reason in set(Reason) else None
        news = News(row.source, row.word, row.status or "", reason, row.code or "", row.at)
        found.setdefault(row.message_id, []).append(news)
    return found
