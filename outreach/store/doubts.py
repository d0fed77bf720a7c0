"""Messages in doubt: what may be asked about them, what became of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from cryptography.exceptions import InvalidTag
from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, case, func, or_, select, true, update
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.doubt import AGES, ASKABLE
from outreach.domain.status import ENDS, Status, advance
from outreach.errors import Reason
from outreach.store.messages import note
from outreach.store.tables import Address
from outreach.store.traffic import Attempt, Event, Message, Sender
from outreach.store.vault import vault_of

log = structlog.get_logger()

ASKED = ("not listed", "listed", "no list", "carrier away")
"""The words of a question that moved nothing: how many an attempt has says when it is asked about again."""


SENT_BEFORE_DUE = timedelta(days=2)
"""One may be known as sent before it is due: its next try was put off by less than this, and an older one got there."""
UNKNOWN = (Message.doubtful == true(), Message.sent_at.is_(None))
"""`sent_at` is never set before a carrier is known to have it."""


@dataclass(frozen=True)
class Doubt:
    """A message whose fate is not known, and the attempt that left it so. `to` is opened; never log it.

    `to` is None if it does not open. `senders`: the addresses it may have left from. `age` and `started_at` are by the
    database's clock.
    """

    message_id: UUID
    clinic_id: UUID
    address_id: UUID | None
    channel: Channel
    status: Status
    attempt_id: UUID
    carrier: str
    carrier_id: str | None
    started_at: datetime
    text_hash: bytes | None
    senders: frozenset[str]
    to: str | None
    age: timedelta
    asked: int


def settle(
    session: Session, status: Status, end: Status, reason: Reason, sent_before: datetime, at: datetime, limit: int
) -> int:
    """Messages that stayed in `status` since `sent_before` or longer end as `end`. Returns how many."""
    old = (
        select(Message.id)
        .where(*_open(status, sent_before), Message.sent_at <= sent_before)
        .order_by(Message.sent_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return turn_all(session, old, status, end, "settled", reason, at)


def _open(status: Status, sent_before: datetime) -> list[ColumnElement[bool]]:
    """Led by the index of open messages: what was sent by then was due by then, however far a worker's clock is off."""
    return [Message.open == true(), Message.due_at <= sent_before + SENT_BEFORE_DUE, Message.status == status.value]


def turn_all(
    session: Session, ids: Select[UUID], before: Status, after: Status, word: str, reason: Reason | None, at: datetime
) -> int:
    """By decision: rows `before` among `ids` become `after`, an event each. Returns how many."""
    why = reason.value if reason else None
    rows = session.execute(
        update(Message)
        .where(Message.id.in_(session.scalars(ids).all()), Message.status == before.value)
        .values(status=after.value, reason=why, ended_at=at if after in ENDS else None)
        .returning(Message.id.label("message_id"), Message.clinic_id, Message.attempt_id)
        .execution_options(synchronize_session=False)
    ).mappings()
    news = {"source": "us", "word": word, "status": after.value, "reason": why, "at": at}
    told = [{**row, **news} for row in rows]
    note(session, told)
    return len(told)


def doubtful(session: Session, hold: timedelta, limit: int) -> list[Doubt]:
    """Unknown messages whose next question is due, oldest first. Those whose questions are spent wait for a person."""
    asked = _asked()
    # No branch fits where no question is left: the age is compared with NULL, and the row stays out.
    at_age = case(
        *(
            (and_(Message.channel == channel.value, asked == number), hold.total_seconds() * age)
            for channel, ages in AGES.items()
            for number, age in enumerate(ages)
        )
    )
    age = func.extract("epoch", func.now() - Attempt.started_at)
    due = select(Message.id).join(Attempt, Attempt.id == Message.attempt_id).where(*UNKNOWN, age >= at_age)
    return _read(session, due.order_by(Message.lease_until).limit(limit))


def silent(session: Session, before: datetime, since: datetime, limit: int) -> list[Doubt]:
    """Accepted in [since, before], no news yet and not asked about: their callbacks may have been lost.

    `since` bounds what one round looks at where no callback at all comes through.
    """
    accepted = [*_open(Status.ACCEPTED, before), Message.sent_at.between(since, before)]
    askable = Message.channel.in_([channel.value for channel in ASKABLE])
    quiet = select(Message.id).where(*accepted, askable, ~_questions(Event.id).exists())
    return _read(session, quiet.order_by(Message.sent_at).limit(limit))


def waiting(session: Session) -> dict[UUID, int]:
    """How many unknown messages of each clinic have no question left: a person decides."""
    asked = _asked()
    spent = or_(*(and_(Message.channel == channel.value, asked >= len(ages)) for channel, ages in AGES.items()))
    rows = session.execute(select(Message.clinic_id, func.count()).where(*UNKNOWN, spent).group_by(Message.clinic_id))
    return {row[0]: int(row[1]) for row in rows}


def one_at_a_time(session: Session) -> None:
    """Until this transaction ends nobody else learns of the fate of messages in doubt."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("outreach/doubts"))))


def _asked() -> ScalarSelect[int]:
    return _questions(func.count()).scalar_subquery()


def _questions(what: Any) -> Select[Any]:
    ours = [Event.message_id == Message.id, Event.attempt_id == Message.attempt_id, Event.source == "us"]
    return select(what).select_from(Event).where(*ours, Event.word.in_(ASKED)).correlate(Message)


def _read(session: Session, ids: Select[UUID]) -> list[Doubt]:
    """The messages of `ids`, oldest attempt first. Two statements: one would have the attempts walked in that order."""
    rows = session.execute(
        select(
            Message.id.label("message_id"), Message.clinic_id, Message.address_id, Message.channel, Message.status,
            Message.attempt_id, Message.carrier_id, Attempt.carrier, Attempt.sender_id, Attempt.started_at,
            Attempt.text_hash, Address.value_sealed, (func.now() - Attempt.started_at).label("age"),
            _asked().label("asked"),
        )
        .join(Attempt, Attempt.id == Message.attempt_id)
        .outerjoin(Address, Address.id == Message.address_id)
        .where(Message.id.in_(session.scalars(ids).all()))
        .order_by(Attempt.started_at)
    ).mappings().all()  # fmt: skip
    return _doubts(session, [dict(row) for row in rows])


def _doubts(session: Session, rows: Sequence[dict[str, Any]]) -> list[Doubt]:
    vault = vault_of(session)
    clinics = {row["clinic_id"] for row in rows}
    senders = session.execute(
        select(Sender.id, Sender.clinic_id, Sender.channel, Sender.address).where(Sender.clinic_id.in_(clinics))
    ).all()
    found = []
    for row in rows:
        sealed, used = row.pop("value_sealed"), row.pop("sender_id")
        to = None
        try:
            to = vault.open(sealed, "address.value", row["clinic_id"], row["address_id"]) if sealed else None
        except (InvalidTag, ValueError):  # one damaged row must not stand in the way of all clinics
            log.exception("a sealed address does not open", message=str(row["message_id"]))
        # An attempt from before senders were rows names none: any of its clinic's may have carried it.
        ours = {s.address for s in senders if s.id == used or (
            used is None and (s.clinic_id, s.channel) == (row["clinic_id"], row["channel"]))}  # fmt: skip
        row |= {"channel": Channel(row["channel"]), "status": Status(row["status"])}
        found.append(Doubt(**row, senders=frozenset(ours), to=to))
    return found


def known_carrier_ids(session: Session, address_ids: Collection[UUID], carrier_ids: Collection[str]) -> set[str]:
    """Those that belong to a message already: no second one may claim them.

    Looked for among the messages to the same numbers, since a message can only be listed under its own number; the
    carrier's id has no index on purpose, as it would be written with every message.
    """
    if not carrier_ids:
        return set()
    same = select(Address.value_index).where(Address.id.in_(address_ids))
    people = select(Address.id, Address.patient_id).where(Address.value_index.in_(same)).subquery()
    theirs = (
        select(Message.id, Message.carrier_id)
        .join(people, (people.c.patient_id == Message.patient_id) & (people.c.id == Message.address_id))
        .subquery()
    )
    by_row = session.scalars(select(theirs.c.carrier_id).where(theirs.c.carrier_id.in_(carrier_ids)))
    by_news = session.scalars(
        select(Event.carrier_id).join(theirs, theirs.c.id == Event.message_id).where(Event.carrier_id.in_(carrier_ids))
    )
    return {one for one in [*by_row, *by_news] if one}


def turn(
    session: Session,
    message_id: UUID,
    attempt_id: UUID,
    before: Status,
    after: Status,
    now: datetime,
    *,
    source: str = "us",
    word: str,
    reason: Reason | None = None,
    code: str | None = None,
    carrier_id: str | None = None,
    sent_at: datetime | None = None,
) -> bool:
    """Move one message by compare-and-set on (id, status, attempt), with its event; False: news came first, no event.

    Back to SCHEDULED means: a person decided that it never left. It is due now, and free of the attempt in doubt.
    """
    if after is not Status.SCHEDULED and advance(before, after) is not after:
        raise ValueError(f"{before} to {after} is not forward")
    why = reason.value if reason else None
    values: dict[str, Any] = {"status": after.value, "reason": why, "ended_at": now if after in ENDS else None}
    if after is Status.SCHEDULED:
        values |= {"attempt_id": None, "lease_until": None, "due_at": now}
    if carrier_id:
        values["carrier_id"] = carrier_id
    if sent_at:
        values["sent_at"] = func.coalesce(Message.sent_at, sent_at)
    row = session.execute(
        update(Message)
        .where(Message.id == message_id, Message.attempt_id == attempt_id, Message.status == before.value)
        .values(values)
        .returning(Message.id.label("message_id"), Message.clinic_id)
        .execution_options(synchronize_session=False)
    ).mappings().one_or_none()  # fmt: skip
    if row is None:
        return False
    news = {"attempt_id": attempt_id, "source": source, "word": word, "status": after.value, "reason": why}
    note(session, [{**row, **news, "code": code, "carrier_id": carrier_id, "at": now}])
    return True


def asked(session: Session, doubts: Sequence[tuple[Doubt, str]], now: datetime) -> None:
    """Keep that these were asked about to no avail, with the word of it (one of ASKED)."""
    note(session, [
        {"clinic_id": one.clinic_id, "message_id": one.message_id, "attempt_id": one.attempt_id, "source": "us",
         "word": word, "at": now} for one, word in doubts
    ])  # fmt: skip
