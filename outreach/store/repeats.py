"""What a number keeps saying, and how often it was given the same answer: by this two machines are known."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.store.inbox import Sender
from outreach.store.traffic import InboundMessage, Message
from outreach.store.vault import vault_of


def said_since(session: Session, clinic_id: UUID, index: bytes, since: datetime, most: int) -> list[str]:
    """The last messages from a number since then, `most` of them: opened here, to see whether they repeat."""
    vault = vault_of(session)
    rows = session.execute(
        select(InboundMessage.id, InboundMessage.body_sealed)
        .where(InboundMessage.clinic_id == clinic_id, InboundMessage.sender_index == index,
               InboundMessage.received_at > since)
        .order_by(InboundMessage.received_at.desc())
        .limit(most)
    )  # fmt: skip
    return [vault.open(row.body_sealed, "inbound.body", clinic_id, row.id) for row in rows]


def given(session: Session, people: Collection[Sender], step: str, since: datetime) -> list[datetime]:
    """When this answer was given to these people since then."""
    theirs = (
        Message.patient_id.in_({one.patient_id for one in people}),
        Message.address_id.in_({one.address_id for one in people}),
    )
    return list(session.scalars(select(Message.due_at).where(*theirs, Message.step == step, Message.due_at > since)))
