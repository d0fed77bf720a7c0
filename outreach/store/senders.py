"""Senders of clinics: what people do with them, and reading them for a claim under a lock that other workers skip."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.sender import Sender as Value
from outreach.store.arrays import Ids
from outreach.store.rows import Ask, together
from outreach.store.traffic import Attempt, Event, Message, Queued, Sender

CARRIERS = {Channel.SMS: "twilio", Channel.EMAIL: "smtp"}
"""The carrier of a sender that names none."""

_OF_CLINICS = """
select id, clinic_id, channel, address, carrier, weight, per_second, burst, free_at from sender
where clinic_id = any(%(ids)b::uuid[]) and active order by id
"""


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
    return told(together(session, asking(clinic_ids))[0])


def asking(clinic_ids: Collection[UUID]) -> Ask:
    return Ask(_OF_CLINICS, {"ids": Ids.of(clinic_ids)})


def told(rows: Iterable[Sequence[Any]]) -> dict[UUID, list[Value]]:
    """The answer to `asking`."""
    found: dict[UUID, list[Value]] = {}
    for row in rows:
        found.setdefault(row[1], []).append(Value(*row[:2], Channel(row[2]), *row[3:]))  # type: ignore[call-arg]
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


@dataclass(frozen=True)
class Entry:
    """A sender as people see it; `share`: the part of its channel's patients that hear from it, 0 to 1."""

    id: UUID
    clinic_id: UUID
    channel: Channel
    address: str
    carrier: str
    weight: int
    per_second: float | None
    burst: float
    active: bool
    share: float = 0.0


_ENTRY = (Sender.id, Sender.clinic_id, Sender.channel, Sender.address, Sender.carrier, Sender.weight,
          Sender.per_second, Sender.burst, Sender.active)  # fmt: skip


def listing(session: Session, clinic_id: UUID | None = None) -> list[Entry]:
    """All senders of a clinic (None: of every clinic), retired ones last."""
    rows = session.execute(
        select(*_ENTRY)
        .where(*([Sender.clinic_id == clinic_id] if clinic_id else []))
        .order_by(Sender.clinic_id, Sender.active.desc(), Sender.channel.desc(), Sender.address)
    ).mappings().all()  # fmt: skip
    weights: dict[tuple[UUID, str], int] = {}
    for row in rows:
        if row["active"]:
            weights[row["clinic_id"], row["channel"]] = (
                weights.get((row["clinic_id"], row["channel"]), 0) + row["weight"]
            )
    return [
        Entry(**dict(row) | {"channel": Channel(row["channel"])},
              share=row["weight"] / weights[row["clinic_id"], row["channel"]] if row["active"] else 0.0)
        for row in rows
    ]  # fmt: skip


def owner(session: Session, channel: Channel, address: str) -> list[Entry]:
    """Who has this address as a sender, retired ones too. An SMS number has one clinic at most."""
    rows = session.execute(select(*_ENTRY).where(Sender.channel == channel.value, Sender.address == address))
    return [Entry(**dict(row) | {"channel": Channel(row["channel"])}) for row in rows.mappings()]


def change(session: Session, sender_id: UUID, **values: Any) -> None:
    """Write columns of a sender; the next claim goes by them."""
    session.execute(
        update(Sender).where(Sender.id == sender_id).values(values).execution_options(synchronize_session=False)
    )


def waiting(session: Session, clinic_id: UUID, channel: Channel) -> int:
    """How many messages of a clinic are still to come on a channel."""
    still = select(func.count()).where(Queued.clinic_id == clinic_id, Queued.channel == channel.value)
    return session.scalar(still) or 0


@dataclass(frozen=True)
class Carried:
    """What a sender was given: segments (SMS) or mails handed over, and messages that the carrier refused."""

    units: int
    refused: int


SLACK = timedelta(days=2)


def carried(session: Session, clinic_id: UUID, since: datetime) -> dict[UUID, Carried]:
    """By sender, from `since` on.

    Found by when messages were due, for which there is an index; one that waited more than two days for a worker to
    come is not counted.
    """
    refused = (
        select(Event.id)
        .where(Event.message_id == Message.id, Event.attempt_id == Attempt.id, Event.word == "refused")
        .exists()
    )
    rows = session.execute(
        select(
            Attempt.sender_id,
            func.coalesce(func.sum(func.greatest(Message.segments, 1)).filter(~refused), 0),
            func.count().filter(refused),
        )
        .join(Message, Message.id == Attempt.message_id)
        .where(
            Message.clinic_id == clinic_id,
            Message.due_at >= since - SLACK,
            Attempt.started_at >= since,
            Attempt.sender_id.is_not(None),
        )
        .group_by(Attempt.sender_id)
    )
    return {sender_id: Carried(int(units), int(count)) for sender_id, units, count in rows}
