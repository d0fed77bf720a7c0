"""What fell due before the patient agreed, and goes once they do: one rule for the yes itself and for whoever looks."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from outreach.domain.consent import TAKING
from outreach.domain.plan import LATE, LATE_USE
from outreach.domain.status import Status
from outreach.errors import Reason
from outreach.store.tables import Address, Consent, Infusion, Patient
from outreach.store.traffic import Message

_At = datetime | BindParameter[Any]


def of_use(now: _At, then: _At) -> ColumnElement[bool]:
    """Whether a yes at `now` brings back what was suppressed: still to come, or waiting for nothing but the yes and
    such as may go late. `then`: until when that must be of use (now + LATE_USE)."""
    late = and_(Message.rule.contains(LATE), Message.useful_until >= then)
    return or_(Message.due_at > now, and_(Message.reason == Reason.NO_CONSENT.value, late))


def still_true() -> ColumnElement[bool]:
    """Not of a visit that was cancelled or moved meanwhile: to revive that would announce a visit that is not."""
    live = select(Infusion.id).where(Infusion.status != "cancelled")
    return or_(
        Message.occasion.is_not(None),
        live.where(Infusion.id == Message.infusion_id, Infusion.revision == Message.revision).exists(),
        and_(Message.infusion_id.is_(None), live.where(Infusion.course_id == Message.course_id).exists()),
    )


def unasked(now: _At, then: _At) -> ColumnElement[bool]:
    """Not sent for want of a yes alone, and of use after it: by the message's own row. `then` as in of_use."""
    held = and_(Message.status == Status.SUPPRESSED.value, Message.reason == Reason.NO_CONSENT.value)
    return and_(held, of_use(now, then))


def waits(now: _At, then: _At) -> ColumnElement[bool]:
    """Whether a message that was suppressed goes after all if its patient agrees now, and may still be expected to:
    its address is theirs and works, and nobody has said no there. `then` as in of_use."""
    reachable = (
        select(Address.id)
        .join(Patient, Patient.id == Address.patient_id)
        .where(Address.id == Message.address_id, Address.active, Address.unusable_at.is_(None), Patient.active)
    )
    no = select(Consent.seq).where(Consent.address_id == Message.address_id, Consent.kind.in_(_TAKING))
    return and_(unasked(now, then), still_true(), reachable.exists(), ~no.exists())


def awaiting_yes(session: Session, ids: Collection[UUID], now: datetime) -> set[UUID]:
    """Those of the messages that wait for nothing but their patient's yes."""
    if not ids:
        return set()
    return set(session.scalars(select(Message.id).where(Message.id.in_(ids), waits(now, now + LATE_USE))))


_TAKING = [kind.value for kind in TAKING]
