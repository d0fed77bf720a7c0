"""A conversation: what a patient, or an unknown number, wrote and what we wrote, the newest part of it; and what of it
has been read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, cast, exists, func, or_, select, update
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.status import Status
from outreach.errors import NotFound
from outreach.store.messages import HANDED_OVER
from outreach.store.office import Audit
from outreach.store.seen import Seen, opened, seen
from outreach.store.traffic import InboundMessage, Message
from outreach.store.vault import vault_of

BY_STAFF = "staff.message"
_GONE = [status.value for status in (*HANDED_OVER, Status.FAILED)]


@dataclass(frozen=True)
class Heard:
    """What somebody wrote, opened, and what it was taken for. `page`: with a button of the patient's page."""

    id: UUID
    channel: Channel
    body: str
    understood: str
    answer: str | None
    urgent: tuple[str, ...]
    wish: str
    robot: bool
    needs_person: bool
    read_at: datetime | None
    received_at: datetime
    page: bool

    @property
    def unread(self) -> bool:
        """Of a patient; whatever an unknown number wrote is for a person."""
        return self.needs_person and self.read_at is None


_HEARD = (
    InboundMessage.id, InboundMessage.clinic_id, InboundMessage.channel, InboundMessage.body_sealed,
    InboundMessage.understood, InboundMessage.answer, InboundMessage.urgent, InboundMessage.wish, InboundMessage.robot,
    InboundMessage.needs_person, InboundMessage.read_at, InboundMessage.received_at, InboundMessage.carrier_id,
)  # fmt: skip


def said_to(
    session: Session, clinic_id: UUID, patient_id: UUID, limit: int, before: datetime | None = None
) -> list[Seen]:
    """Our messages that went out or possibly did, and what staff wrote whatever became of it; newest first."""
    at = func.coalesce(Message.sent_at, Message.due_at)
    where = [Message.clinic_id == clinic_id, Message.patient_id == patient_id,
             or_(Message.status.in_(_GONE), Message.step == BY_STAFF)]  # fmt: skip
    if before is not None:
        where.append(at < before)
    rows = session.execute(seen().where(*where).order_by(at.desc(), Message.id.desc()).limit(limit)).mappings()
    vault = vault_of(session)
    return [opened(vault, dict(row)) for row in rows]


def heard_from(
    session: Session, clinic_id: UUID, patient_id: UUID, limit: int, before: datetime | None = None
) -> list[Heard]:
    """What a patient wrote, newest first."""
    return _heard(session, clinic_id, [InboundMessage.patient_id == patient_id], limit, before)


@dataclass(frozen=True)
class Stranger:
    """A number that no patient has, opened; never log it."""

    number: str
    index: bytes


def stranger(session: Session, clinic_id: UUID, inbound_id: UUID) -> Stranger:
    """Who wrote this message. NotFound when there is none of an unknown number in this clinic."""
    row = session.execute(
        select(InboundMessage.sender_sealed, InboundMessage.sender_index).where(
            InboundMessage.clinic_id == clinic_id, InboundMessage.id == inbound_id, InboundMessage.patient_id.is_(None)
        )
    ).one_or_none()
    if row is None:
        raise NotFound("no such message of an unknown number")
    return Stranger(vault_of(session).open(row[0], "inbound.sender", clinic_id, inbound_id), row[1])


def heard_from_stranger(
    session: Session, clinic_id: UUID, who: Stranger, limit: int, before: datetime | None = None
) -> list[Heard]:
    """The same of an unknown number."""
    return _heard(session, clinic_id, _theirs(who), limit, before)


def stranger_answered(session: Session, clinic_id: UUID, who: Stranger) -> bool:
    """Whether an answer of ours went to this number while it was nobody's: only the audit keeps that."""
    theirs = select(cast(InboundMessage.id, String)).where(InboundMessage.clinic_id == clinic_id, *_theirs(who))
    answered = select(Audit.seq).where(
        Audit.clinic_id == clinic_id, Audit.subject == "inbound", Audit.subject_id.in_(theirs),
        Audit.detail["answer"].astext != "",
    )  # fmt: skip
    return session.scalar(select(answered.exists())) or False


def mark_read(
    session: Session, clinic_id: UUID, whose: UUID | Stranger, until: datetime, staff_id: UUID, now: datetime
) -> int:
    """Note that somebody has read what a patient or an unknown number wrote up to `until`. Returns how many it was."""
    theirs = _theirs(whose) if isinstance(whose, Stranger) else [InboundMessage.patient_id == whose]
    marked = session.execute(
        update(InboundMessage)
        .where(
            InboundMessage.clinic_id == clinic_id, *theirs, InboundMessage.received_at <= until,
            InboundMessage.read_at.is_(None),
        )
        .values(read_at=now, read_by=staff_id)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    return int(marked.rowcount)  # type: ignore[attr-defined]


def needs_reading(session: Session, clinic_id: UUID, whose: UUID | Stranger, since: datetime) -> bool:
    """Whether something for a person has come in after `since`."""
    theirs = _theirs(whose) if isinstance(whose, Stranger) else [InboundMessage.patient_id == whose]
    newer = InboundMessage.needs_person, InboundMessage.received_at > since
    return session.scalar(select(exists().where(InboundMessage.clinic_id == clinic_id, *theirs, *newer))) or False


def wrote_at(session: Session, clinic_id: UUID, patient_id: UUID) -> datetime | None:
    """When this patient last wrote or pressed a button; no machine's answer counts."""
    return session.scalar(
        select(InboundMessage.received_at)
        .where(InboundMessage.clinic_id == clinic_id, InboundMessage.patient_id == patient_id, ~InboundMessage.robot)
        .order_by(InboundMessage.received_at.desc())
        .limit(1)
    )


def newest_of_staff(session: Session, clinic_id: UUID, patient_id: UUID) -> UUID | None:
    """The newest message that staff wrote to this patient."""
    return session.scalar(
        select(Message.id)
        .where(Message.clinic_id == clinic_id, Message.patient_id == patient_id, Message.step == BY_STAFF)
        .order_by(Message.planned_at.desc(), Message.id.desc())
        .limit(1)
    )


def _theirs(who: Stranger) -> list[ColumnElement[bool]]:
    return [InboundMessage.patient_id.is_(None), InboundMessage.sender_index == who.index]


def _heard(
    session: Session, clinic_id: UUID, where: list[ColumnElement[bool]], limit: int, before: datetime | None
) -> list[Heard]:
    where = [InboundMessage.clinic_id == clinic_id, *where]
    if before is not None:
        where.append(InboundMessage.received_at < before)
    newest = InboundMessage.received_at.desc(), InboundMessage.id.desc()
    rows = session.execute(select(*_HEARD).where(*where).order_by(*newest).limit(limit))
    return [_one(session, row) for row in rows]


def _one(session: Session, row: Any) -> Heard:
    body = vault_of(session).open(row.body_sealed, "inbound.body", row.clinic_id, row.id)
    return Heard(
        row.id, Channel(row.channel), body, row.understood, row.answer, tuple(row.urgent), row.wish, row.robot,
        row.needs_person, row.read_at, row.received_at, row.carrier_id.startswith("page:"),
    )  # fmt: skip
