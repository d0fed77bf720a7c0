"""Senders of clinics: adding, and reading them for a claim under a lock that other workers skip."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.sender import Sender as Value
from outreach.store.traffic import Sender

CARRIERS = {Channel.SMS: "twilio", Channel.EMAIL: "smtp"}
"""The carrier of a sender that names none."""

_COLUMNS = (Sender.id, Sender.clinic_id, Sender.channel, Sender.address, Sender.carrier, Sender.weight,
            Sender.per_second, Sender.burst, Sender.free_at)  # fmt: skip


def add(
    session: Session,
    clinic_id: UUID,
    channel: Channel,
    address: str,
    *,
    carrier: str = "",
    weight: int = 1,
    per_second: float | None = None,
    burst: float = 1.0,
) -> UUID:
    """Add a sender; `per_second` in segments (SMS) or mails, None without a limit."""
    sender_id = uuid4()
    session.execute(
        insert(Sender).values(
            id=sender_id, clinic_id=clinic_id, channel=channel.value, address=address,
            carrier=carrier or CARRIERS[channel], weight=weight, per_second=per_second, burst=burst, active=True,
        )
    )  # fmt: skip
    return sender_id


def of_clinics(session: Session, clinic_ids: Collection[UUID]) -> dict[UUID, list[Value]]:
    """The active senders by clinic, in a fixed order."""
    rows = session.execute(select(*_COLUMNS).where(Sender.clinic_id.in_(clinic_ids), Sender.active).order_by(Sender.id))
    found: dict[UUID, list[Value]] = {}
    for row in rows.mappings():
        found.setdefault(row["clinic_id"], []).append(Value(**{**row, "channel": Channel(row["channel"])}))
    return found


def draw(session: Session, sender_ids: Collection[UUID]) -> dict[UUID, datetime | None]:
    """Lock limited senders and read from when each is free; one that another worker draws from just now is absent."""
    if not sender_ids:
        return {}
    rows = session.execute(
        select(Sender.id, Sender.free_at)
        .where(Sender.id.in_(sender_ids))
        .order_by(Sender.id)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return {row.id: row.free_at for row in rows}


def charge(session: Session, free_at: Mapping[UUID, datetime]) -> None:
    """Write from when each sender is free again."""
    if free_at:
        table = Sender.__table__
        session.connection().execute(
            update(table).where(table.c.id == bindparam("s_id")).values(free_at=bindparam("s_free_at")),  # type: ignore[arg-type]
            [{"s_id": sender_id, "s_free_at": at} for sender_id, at in free_at.items()],
        )
