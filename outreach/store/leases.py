"""Leases that are over: what a claim began and nobody has written down since may be on its way."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from outreach.domain.status import Status
from outreach.store.doubts import turn_all
from outreach.store.traffic import Flight, Message

# What another transaction keeps locked is still `sending`, and stays in its list.
_LANDED = text("""
delete from flight f where f.lease_until < now() and not exists (
  select from unnest(f.messages) as held(id) join message m on m.id = held.id
  where m.status = 'sending' and m.lease_until <= f.lease_until)
""")


def expire_leases(session: Session, at: datetime, limit: int) -> int:
    """Sending rows whose lease is over become unknown: they may be on their way. Returns how many."""
    held = select(func.unnest(Flight.messages).label("id")).where(Flight.lease_until < func.now()).subquery()
    over = (
        select(Message.id)
        .join(held, held.c.id == Message.id)
        .where(Message.status == Status.SENDING.value, Message.lease_until < func.now())
        .limit(limit)
        .with_for_update(of=Message, skip_locked=True)
    )
    turned = turn_all(session, over, Status.SENDING, Status.UNKNOWN, "lease over", None, at)
    session.execute(_LANDED)
    return turned
