"""A clinic's messages in doubt as staff look at them: the words, the attempt, and all that is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from outreach.domain.status import Status
from outreach.errors import NotFound
from outreach.store.doubts import ASKED, UNKNOWN
from outreach.store.seen import Seen, opened, seen
from outreach.store.traffic import Attempt, Event, Message
from outreach.store.vault import vault_of
from outreach.store.waiting import still_true


@dataclass(frozen=True)
class Known:
    """One thing that is known of an attempt: who says so, in which word, and when."""

    source: str
    word: str
    at: datetime


@dataclass(frozen=True)
class Undecided:
    """A message that may or may not have gone out. `current`: its visit was neither moved nor cancelled since.

    `started_at` is by the database's clock.
    """

    seen: Seen
    attempt_id: UUID
    started_at: datetime
    current: bool
    known: tuple[Known, ...]

    @property
    def asked(self) -> int:
        """How many questions to the carrier were in vain."""
        return sum(one.source == "us" and one.word in ASKED for one in self.known)


def count(session: Session, clinic_id: UUID) -> int:
    """How many of a clinic's messages are in doubt."""
    rows = select(func.count()).select_from(Message).where(*UNKNOWN, Message.clinic_id == clinic_id)
    return session.scalar(rows) or 0


def of_clinic(session: Session, clinic_id: UUID, limit: int) -> list[Undecided]:
    """A clinic's messages in doubt, the longest in doubt first."""
    return _read(session, [*UNKNOWN, Message.clinic_id == clinic_id], limit)


def one(session: Session, clinic_id: UUID, message_id: UUID) -> Undecided | Status:
    """One of them, or the status it has got meanwhile. NotFound: no such message in this clinic."""
    ours = [Message.clinic_id == clinic_id, Message.id == message_id]
    found = _read(session, [*UNKNOWN, *ours], 1)
    if found:
        return found[0]
    status = session.scalar(select(Message.status).where(*ours))
    if status is None:
        raise NotFound("no such message in this clinic")
    return Status(status)


def _read(session: Session, where: Sequence[ColumnElement[bool]], limit: int) -> list[Undecided]:
    rows = session.execute(
        seen(Message.attempt_id, Attempt.started_at, still_true().label("current"))
        .where(Attempt.id.is_not(None), *where)
        .order_by(Attempt.started_at)
        .limit(limit)
    ).mappings().all()  # fmt: skip
    known: dict[UUID | None, list[Known]] = {}
    for event in session.execute(
        select(Event.attempt_id, Event.source, Event.word, Event.at)
        .where(Event.message_id.in_([row["id"] for row in rows]))
        .order_by(Event.id)
    ):
        known.setdefault(event.attempt_id, []).append(Known(event.source, event.word, event.at))
    vault, more = vault_of(session), ("attempt_id", "started_at", "current")
    return [
        Undecided(
            opened(vault, {key: value for key, value in row.items() if key not in more}),
            row["attempt_id"], row["started_at"], row["current"], tuple(known.get(row["attempt_id"], ())),
        )
        for row in rows
    ]  # fmt: skip
