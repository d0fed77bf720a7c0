"""Lists as other software reads them: a page at a time by key, never by counting from the first row."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, text, true, tuple_
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.contact import index_form
from outreach.domain.status import ENDS, Status
from outreach.errors import NotFound
from outreach.store.inbox import Heard
from outreach.store.messages import HANDED_OVER
from outreach.store.office import Task
from outreach.store.patients import by_external
from outreach.store.patients import lock as lock_patient
from outreach.store.seen import Seen, opened, seen
from outreach.store.tables import Address, Patient
from outreach.store.traffic import Event, InboundMessage, Message
from outreach.store.vault import Vault, vault_of

After = tuple[datetime, UUID] | None
"""The last row of the page before; None: begin."""


@dataclass(frozen=True)
class Listed:
    """A patient with opened names and the version that guards changes. Never log one."""

    id: UUID
    name: str
    external: str
    locale: str
    zone: str
    wording: str
    active: bool
    version: int
    created_at: datetime


_LISTED = (Patient.id, Patient.clinic_id, Patient.name_sealed, Patient.external_sealed, Patient.locale, Patient.zone,
           Patient.wording, Patient.active, Patient.version, Patient.created_at)  # fmt: skip


def patients(session: Session, clinic_id: UUID, after: After, limit: int) -> list[Listed]:
    """The clinic's patients, newest first."""
    begin = [tuple_(Patient.created_at, Patient.id) < after] if after else []
    return _people(session, Patient.clinic_id == clinic_id, *begin, limit=limit)


def patient(session: Session, clinic_id: UUID, patient_id: UUID, *, lock: bool = False) -> Listed:
    """One, or NotFound. `lock`: nobody else changes it until the transaction ends."""
    if lock:
        lock_patient(session, clinic_id, patient_id)
    found = _people(session, Patient.clinic_id == clinic_id, Patient.id == patient_id)
    if not found:
        raise NotFound("no such patient in this clinic")
    return found[0]


def search(
    session: Session, clinic_id: UUID, external: str = "", channel: Channel | None = None, address: str = ""
) -> list[Listed]:
    """Patients with this identifier, or with this address in normal form now; through blind indexes."""
    if external:
        known = by_external(session, clinic_id, external)
        return _people(session, Patient.clinic_id == clinic_id, Patient.id == known.id) if known else []
    assert channel is not None
    index = vault_of(session).index(channel.value, index_form(channel, address), clinic_id)
    whose = select(Address.patient_id).where(
        Address.clinic_id == clinic_id, Address.value_index == index, Address.active
    )
    return _people(session, Patient.clinic_id == clinic_id, Patient.id.in_(whose), limit=50)


def _people(session: Session, *where: ColumnElement[bool], limit: int = 1) -> list[Listed]:
    vault = vault_of(session)
    rows = session.execute(
        select(*_LISTED)
        .where(*where, Patient.test.is_(False))
        .order_by(Patient.created_at.desc(), Patient.id.desc())
        .limit(limit)
    )
    return [_listed(vault, row) for row in rows]


def _listed(vault: Vault, row: Any) -> Listed:
    name = vault.open(row.name_sealed, "patient.name", row.clinic_id, row.id)
    sealed = row.external_sealed
    external = vault.open(sealed, "patient.external", row.clinic_id, row.id) if sealed else ""
    return Listed(row.id, name, external, row.locale, row.zone, row.wording, row.active, row.version, row.created_at)


_IN_HAND = {status.value for status in set(HANDED_OVER) - ENDS}
"""Handed over, and no end of it known. Of these the flag `open` is true, as of what is scheduled; it has an index."""
LOOKED_AHEAD = timedelta(hours=6)
"""How long after now what is in hand is looked for. One that was refused and put off may have arrived all the same; put
off farther (by quiet hours, after that) it is not listed by these statuses until then: to look farther would be to read
whatever is planned for these hours."""
_NEXT = timedelta(microseconds=1)
"""The least that PostgreSQL's times differ by."""
LAST = datetime.max.replace(tzinfo=UTC)
LOOKED_AT = 20_000
"""So many messages are looked at for one page of a list that is narrowed by what no index knows."""
LOOKED_AT_IN_HAND = 1_500
"""The same of those that are open at all clinics: each is read from its table, where the others are told by the index
of their clinic. 20,000 of them took a fifth of a second, of which an overdue backlog is easily made."""


def messages(
    session: Session,
    clinic_id: UUID,
    after: After,
    limit: int,
    *,
    now: datetime,
    patient_id: UUID | None = None,
    statuses: Collection[str] = (),
    channel: str | None = None,
    step: str | None = None,
    due_from: datetime | None = None,
    due_to: datetime | None = None,
) -> tuple[list[Seen], datetime | None]:
    """Messages by due time, earliest first; [due_from, due_to).

    Besides them the instant that was looked up to, where that was not the end: a filter that nothing meets would else
    read every message the clinic ever had. What is due from then on is not among them.
    """
    doubts, in_hand = set(statuses) == {Status.UNKNOWN}, bool(statuses) and set(statuses) <= _IN_HAND
    waits = _first_waiting(session, clinic_id) if set(statuses) == {Status.SCHEDULED} and not patient_id else None
    begin = max((one for one in (after[0] if after else None, due_from, waits) if one), default=None)
    where, until = [Message.clinic_id == clinic_id], None
    if patient_id:
        where.append(Message.patient_id == patient_id)
    elif doubts:
        where.append(Message.doubtful == true())
    elif in_hand:
        ids, until = _in_hand(session, clinic_id, statuses, begin, min(now + LOOKED_AHEAD, due_to or LAST))
        where.append(Message.id.in_(ids))
    elif statuses or channel or step:
        until = _window(session, clinic_id, begin, due_to)
    where += [
        *([Message.status.in_(statuses)] if statuses else []),
        *([Message.channel == channel] if channel else []),
        *([Message.step == step] if step else []),
        *([Message.due_at >= due_from] if due_from else []),
        *([Message.due_at >= waits] if waits else []),
        *([Message.due_at < (until or due_to)] if until or due_to else []),
        *([tuple_(Message.due_at, Message.id) > after] if after else []),
    ]
    if after:  # the index is by the time alone: the pair says nothing to it
        where.append(Message.due_at >= after[0])
    vault = vault_of(session)
    asked = seen().where(*where).order_by(Message.due_at, Message.id).limit(limit)
    return [opened(vault, dict(row)) for row in session.execute(asked).mappings()], until


def _in_hand(
    session: Session, clinic_id: UUID, statuses: Collection[str], begin: datetime | None, end: datetime
) -> tuple[list[UUID], datetime | None]:
    """The clinic's among the first open ones of all clinics in [begin, end), and the instant these were read up to;
    None: to the end.

    Read apart, with a bound: the server's figures do not tell that the open ones are those to come, so for "open, and
    due before" it expects a quarter of the table and reads it whole. Ties are read too: none is left between two pages.
    """
    asked = select(Message.id, Message.clinic_id, Message.status, Message.due_at).where(
        Message.open == true(), Message.due_at < end, *([Message.due_at >= begin] if begin else [])
    )
    rows = session.execute(asked.order_by(Message.due_at).fetch(LOOKED_AT_IN_HAND, with_ties=True)).all()
    ids = [row.id for row in rows if row.clinic_id == clinic_id and row.status in statuses]
    return ids, rows[-1].due_at + _NEXT if len(rows) >= LOOKED_AT_IN_HAND else None


# One probe of the index for each lane, as a claim does: all that was ever sent lies before it.
_FIRST_WAITING = text("""
select min(first.due_at)
from (values ('sms', true), ('sms', false), ('email', true), ('email', false)) as lane(channel, urgent)
cross join lateral (
  select q.due_at from queued q where q.clinic_id = :clinic and q.channel = lane.channel and q.urgent = lane.urgent
  order by q.due_at limit 1
) first""")


def _first_waiting(session: Session, clinic_id: UUID) -> datetime | None:
    """When the first of the clinic's planned messages is due; None: none waits in the queue."""
    first: datetime | None = session.scalar(_FIRST_WAITING, {"clinic": clinic_id})
    return first


def _window(session: Session, clinic_id: UUID, begin: datetime | None, end: datetime | None) -> datetime | None:
    """The instant after `begin` up to which so many messages are due; None when fewer are left. By index alone."""
    due = select(Message.due_at).where(
        Message.clinic_id == clinic_id,
        *([Message.due_at > begin] if begin else []),
        *([Message.due_at < end] if end else []),
    )
    return session.scalar(due.order_by(Message.due_at).offset(LOOKED_AT).limit(1))


def message(session: Session, clinic_id: UUID, message_id: UUID) -> Seen:
    """One, or NotFound."""
    asked = seen().where(Message.clinic_id == clinic_id, Message.id == message_id)
    row = session.execute(asked).mappings().one_or_none()
    if row is None:
        raise NotFound("no such message in this clinic")
    return opened(vault_of(session), dict(row))


def events(session: Session, clinic_id: UUID, message_id: UUID, most: int) -> Sequence[Event]:
    """The news of a message in the order it came."""
    asked = select(Event).where(Event.clinic_id == clinic_id, Event.message_id == message_id)
    return session.scalars(asked.order_by(Event.id).limit(most)).all()


@dataclass(frozen=True)
class Said(Heard):
    """An inbound message, opened, with what it is about."""

    channel: str = ""
    locale: str | None = None
    about_message_id: UUID | None = None


def inbound(
    session: Session, clinic_id: UUID, after: After, limit: int, *, patient_id: UUID | None, needs_person: bool | None
) -> list[Said]:
    """What patients wrote, newest first."""
    of = InboundMessage
    where = [
        of.clinic_id == clinic_id,
        *([of.patient_id == patient_id] if patient_id else []),
        *([of.needs_person == needs_person] if needs_person is not None else []),
        *([tuple_(of.received_at, of.id) < after] if after else []),
    ]
    vault = vault_of(session)
    rows = session.scalars(select(of).where(*where).order_by(of.received_at.desc(), of.id.desc()).limit(limit))
    return [
        Said(row.id, row.patient_id, vault.open(row.body_sealed, "inbound.body", clinic_id, row.id), row.understood,
             row.answer, row.needs_person, row.received_at, row.channel, row.locale, row.about_message_id)
        for row in rows
    ]  # fmt: skip


def tasks(session: Session, clinic_id: UUID, after: After, limit: int, *, is_open: bool | None) -> Sequence[Task]:
    """What needs a person, most pressing first."""
    state = [] if is_open is None else [Task.closed_at.is_(None) if is_open else Task.closed_at.is_not(None)]
    begin = [tuple_(Task.due_at, Task.id) > after] if after else []
    asked = select(Task).where(Task.clinic_id == clinic_id, *state, *begin)
    return session.scalars(asked.order_by(Task.due_at, Task.id).limit(limit)).all()
