"""Whether patients get two answers to STOP and HELP: the carrier's own, and ours."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.store import clinics, senders


def answered_twice(session: Session, clinic_id: UUID, by_themselves: Collection[str]) -> bool:
    """`by_themselves`: carriers that answer unless it was switched off with them. The setting says that they do not."""
    if clinics.by_id(session, clinic_id).carrier_answers != "none":
        return False
    texts = (one for one in senders.listing(session, clinic_id) if one.active and one.channel is Channel.SMS)
    return any(one.carrier in by_themselves for one in texts)
