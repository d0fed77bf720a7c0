"""What patients answered to a message that asked, by text or with a button of their page."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from outreach.store.seen import Seen
from outreach.store.traffic import InboundMessage


class Answer(NamedTuple):
    """`digit`: 1 or 2. `id`: the inbound row that holds it."""

    id: UUID
    digit: str


def page_id(message_id: UUID) -> str:
    """What stands where a carrier's id would: one button press for a message, ever."""
    return f"page:{message_id}"


def to(session: Session, message: Seen) -> Answer | None:
    """The newest answer to this message."""
    row = session.execute(
        select(InboundMessage.id, InboundMessage.answer)
        .where(
            InboundMessage.clinic_id == message.clinic_id,
            InboundMessage.received_at >= message.due_at,
            InboundMessage.answer.is_not(None),
            or_(InboundMessage.about_message_id == message.id, InboundMessage.carrier_id == page_id(message.id)),
        )
        .order_by(InboundMessage.received_at.desc())
        .limit(1)
    ).one_or_none()
    return Answer(row.id, row.answer) if row else None
