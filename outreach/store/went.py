"""What has gone to one address: how much, and how much of it named the treatment."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.store.counts import OUT
from outreach.store.traffic import Message


class Went(NamedTuple):
    """Messages that went out, or possibly did; `full`: those in words that name the treatment."""

    all: int
    full: int


def to_address(session: Session, clinic_id: UUID, address_id: UUID) -> Went:
    """(0, 0) for an address of another clinic."""
    full = func.count().filter(Message.wording == "full")
    ours = Message.clinic_id == clinic_id, Message.address_id == address_id, Message.status.in_(OUT)
    return Went(*session.execute(select(func.count(), full).where(*ours)).one())
