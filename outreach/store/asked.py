"""What was said lately to the people of one number: the question that stands, our own words, answers we gave."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from outreach.domain.decision import REQUEST
from outreach.domain.response import still_asks
from outreach.domain.window import moment
from outreach.store import consents
from outreach.store.inbox import Sender
from outreach.store.messages import HANDED_OVER
from outreach.store.seen import Seen, opened, seen
from outreach.store.tables import Infusion
from outreach.store.traffic import Attempt, InboundMessage, Message
from outreach.store.vault import vault_of

STAFF = "staff.message"
ANSWERABLE = timedelta(days=7)
"""How long a question can be answered that neither a visit nor consent limits: for that see still_asks."""
_OUT = tuple(status.value for status in HANDED_OVER)
_LAST = 10


def question(session: Session, people: Collection[Sender], steps: Collection[str], now: datetime) -> Seen | None:
    """The newest message to these people that asked something, where an answer still means what was asked.

    None also where staff have written since: a "1" or a "yes" may be meant for them.
    """
    found = session.execute(
        seen(Message.revision, Infusion.revision.label("as_is"), Infusion.status.label("visit"),
             Infusion.starts, Infusion.zone.label("visit_zone"))
        .outerjoin(Infusion, Infusion.id == Message.infusion_id)
        .where(*_to(people), Message.step.in_([*steps, STAFF]), Message.status.in_(_OUT))
        .order_by(Message.sent_at.desc().nulls_last(), Message.due_at.desc())
        .limit(1)
    ).mappings().one_or_none()  # fmt: skip
    if found is None or found["step"] == STAFF:
        return None
    row = dict(found)
    revision, as_is = row.pop("revision"), row.pop("as_is")
    visit, starts, zone = row.pop("visit"), row.pop("starts"), row.pop("visit_zone")
    asked = opened(vault_of(session), row)
    if asked.step == REQUEST:
        ledger = consents.ledger(session, asked.address_id) if asked.address_id else ()
        return asked if still_asks(asked.sent_at or asked.due_at, ledger, now) else None
    if now >= asked.due_at + ANSWERABLE:
        return None
    if asked.step.startswith("pre.") and asked.infusion_id:
        still = visit == "booked" and revision == as_is and now < moment(starts, zone).at
        return asked if still else None
    return asked


def asked_of(session: Session, people: Collection[Sender], steps: Collection[str], since: datetime) -> int:
    """How many of these patients were asked something since then."""
    count = select(func.count(Message.patient_id.distinct())).where(
        *_to(people), Message.step.in_(steps), Message.status.in_(_OUT), Message.sent_at >= since
    )
    return session.scalar(count) or 0


def words_to(session: Session, people: Collection[Sender]) -> list[str]:
    """The last texts that went to this number, at most ten: opened here, for a look at what comes back."""
    vault = vault_of(session)
    rows = session.execute(
        select(Message.id, Message.clinic_id, Attempt.body_sealed)
        .join(Attempt, Attempt.id == Message.attempt_id)
        .where(*_to(people), Message.status.in_(_OUT), Attempt.body_sealed.is_not(None))
        .order_by(Message.sent_at.desc().nulls_last(), Message.due_at.desc())
        .limit(_LAST)
    )
    return [vault.open(row.body_sealed, "message.body", row.clinic_id, row.id) for row in rows]


def answered(
    session: Session, people: Collection[Sender], steps: Collection[str], since: datetime
) -> dict[str, datetime]:
    """When each of these answers was last given to one of these people, since then."""
    rows = session.execute(
        select(Message.step, func.max(Message.due_at).label("at"))
        .where(*_to(people), Message.step.in_(steps), Message.due_at > since)
        .group_by(Message.step)
    )
    return {row.step: row.at for row in rows}


def heard_since(session: Session, clinic_id: UUID, index: bytes, since: datetime) -> int:
    """How many messages came from a number since then."""
    count = select(func.count()).where(
        InboundMessage.clinic_id == clinic_id, InboundMessage.sender_index == index, InboundMessage.received_at > since
    )
    return session.scalar(count) or 0


def _to(people: Collection[Sender]) -> tuple[ColumnElement[bool], ...]:
    """By the patients, who have an index, and then by the addresses."""
    return (
        Message.patient_id.in_({one.patient_id for one in people}),
        Message.address_id.in_({one.address_id for one in people}),
    )
