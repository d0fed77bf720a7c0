"""Messages as people look at them: opened words, a patient's timeline, a clinic's day, a link's page."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.status import Status
from outreach.errors import NotFound, Reason
from outreach.store.rows import fetch
from outreach.store.traffic import Attempt, Message
from outreach.store.vault import Vault, vault_of


class Seen(NamedTuple):
    """A message as people look at it: words opened, times as stored. `said_id`: the approved words it was said with."""

    id: UUID
    clinic_id: UUID
    patient_id: UUID
    address_id: UUID | None
    course_id: UUID | None
    infusion_id: UUID | None
    occasion: str | None
    step: str
    channel: Channel
    wall: datetime
    zone: str
    rule: str
    due_at: datetime
    useful_until: datetime
    status: Status
    reason: Reason | None
    locale: str | None
    wording: str | None
    subject: str
    body: str
    segments: int
    attempts: int
    carrier: str | None
    sent_at: datetime | None
    ended_at: datetime | None
    facts: Mapping[str, str]
    said_id: int | None = None


_SEEN = (
    Message.id, Message.clinic_id, Message.patient_id, Message.address_id, Message.course_id, Message.infusion_id,
    Message.occasion, Message.step, Message.channel, Message.wall, Message.zone, Message.rule, Message.due_at,
    Message.useful_until, Message.status, Message.reason, Message.locale, Message.wording, Message.segments,
    Message.attempts, Message.carrier, Message.sent_at, Message.ended_at, Attempt.subject_sealed,
    Attempt.body_sealed, Message.facts_sealed, Message.said_id,
)  # fmt: skip

# What an event called for first: the question whether we may write before what waits for the answer. Then a text before
# the e-mail that says the same: by their ids alone they would stand otherwise in every preview.
IN_ORDER = (Message.due_at, Message.occasion.is_(None), Message.step, Message.channel != Channel.SMS.value, Message.id)


_PLAIN = select(*_SEEN).select_from(Message).outerjoin(Attempt, Attempt.id == Message.attempt_id)
"""Made once: to build it costs as much as to read thirty rows."""
_COLUMNS = ", ".join(f"{'a' if one.class_ is Attempt else 'm'}.{one.key}" for one in _SEEN)
_OF_PATIENT = f"""
select {_COLUMNS} from message m left join attempt a on a.id = m.attempt_id
where m.clinic_id = %(clinic)b and m.patient_id = %(patient)b
order by m.due_at, m.occasion is null, m.step, m.channel <> '{Channel.SMS.value}', m.id"""
"""IN_ORDER, for the driver: of a course's two hundred messages, expressions would take longer than the server."""
_CHANNELS = {channel.value: channel for channel in Channel}
_STATUSES = {status.value: status for status in Status}
_REASONS: dict[str | None, Reason | None] = {None: None} | {reason.value: reason for reason in Reason}


def seen(*more: Any) -> Select[*tuple[Any, ...]]:
    """The columns of `opened`, and `more`: messages with the words of their last hand-over, where there was one."""
    return _PLAIN.add_columns(*more) if more else _PLAIN


def timeline(session: Session, clinic_id: UUID, patient_id: UUID) -> list[Seen]:
    """A patient's messages, earliest first."""
    session.flush()
    vault = vault_of(session)
    return [_opened(vault, *row) for row in fetch(session, _OF_PATIENT, clinic=clinic_id, patient=patient_id)]


def of_addresses(session: Session, address_ids: Collection[UUID]) -> list[Seen]:
    """What a plan has for these addresses, earliest first."""
    planned = Message.address_id.in_(address_ids), Message.course_id.is_not(None)
    return _see(session, seen().where(*planned).order_by(*IN_ORDER))


def for_day(session: Session, clinic_id: UUID, start: datetime, end: datetime) -> list[Seen]:
    """A clinic's messages due in [start, end), earliest first."""
    return _see(
        session,
        seen().where(Message.clinic_id == clinic_id, Message.due_at >= start, Message.due_at < end).order_by(*IN_ORDER),
    )


def for_clinic(session: Session, clinic_id: UUID, steps: Collection[str] | None = None) -> list[Seen]:
    """All of a clinic's messages, or those of some steps, earliest first."""
    chosen = [Message.step.in_(steps)] if steps is not None else []
    return _see(session, seen().where(Message.clinic_id == clinic_id, *chosen).order_by(*IN_ORDER))


def by_token(session: Session, token: str) -> Seen:
    """The message a patient's link leads to; NotFound for any other text."""
    message_id = vault_of(session).row_of("message", token)
    found = _see(session, seen().where(Message.id == message_id)) if message_id else []
    if not found:
        raise NotFound("no message has this link")
    return found[0]


def _see(session: Session, statement: Select[*tuple[Any, ...]]) -> list[Seen]:
    vault = vault_of(session)
    return [_opened(vault, *row) for row in session.execute(statement)]


def opened(vault: Vault, row: Mapping[str, Any]) -> Seen:
    """A row of `seen`, whatever else is in it, with its sealed words opened."""
    return _opened(vault, *(row[name] for name in _NAMES))


_NAMES = tuple(column.key for column in _SEEN)


def _opened(vault: Vault, message_id: UUID, clinic_id: UUID, *row: Any) -> Seen:
    """By position: a patient's page opens two hundred."""
    subject, body, facts, said_id = row[21:]
    own = clinic_id, message_id
    return Seen._make((
        message_id, clinic_id, *row[:6], _CHANNELS[row[6]], *row[7:12], _STATUSES[row[12]], _REASONS[row[13]],
        row[14], row[15],
        vault.open(subject, "message.subject", *own) if subject else "",
        vault.open(body, "message.body", *own) if body else "",
        *row[16:21],
        json.loads(vault.open(facts, "message.facts", *own)) if facts else {},
        said_id,
    ))  # fmt: skip
