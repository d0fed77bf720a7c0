"""Who is on call: the people of a clinic in the order in which something urgent goes to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from outreach.domain.access import Permission, Role, may
from outreach.domain.status import Status
from outreach.store.tables import Staff
from outreach.store.traffic import Message
from outreach.store.vault import vault_of

ANSWERING = tuple(role.value for role in Role if may(role, Permission.ANSWER))
"""Roles that may open the inbox: nobody else is told to look there."""


@dataclass(frozen=True)
class OnCall:
    """One person who could be on call. `turn`: 1 is told first; None: never. `phone`: whether there is a number."""

    id: UUID
    name: str
    phone: bool
    turn: int | None


def listing(session: Session, clinic_id: UUID) -> list[OnCall]:
    """Everybody who works here and may answer, those on call first, in their order."""
    vault = vault_of(session)
    rows = session.execute(
        select(Staff.id, Staff.name_sealed, Staff.phone_sealed.is_not(None).label("phone"), Staff.on_call).where(
            *_able(clinic_id)
        )
    )
    found = [
        OnCall(row.id, vault.open(row.name_sealed, "staff.name", clinic_id, row.id), row.phone, row.on_call)
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.turn is None, one.turn or 0, one.name.casefold(), one.id))


def order(session: Session, clinic_id: UUID) -> list[UUID]:
    """Who is told, first to last. Those who left, or may no longer answer, are passed over."""
    return list(
        session.scalars(
            select(Staff.id).where(*_able(clinic_id), Staff.on_call.is_not(None)).order_by(Staff.on_call, Staff.id)
        )
    )


def administrators(session: Session, clinic_id: UUID) -> list[UUID]:
    """Who is told when nobody is on call."""
    able = [*_able(clinic_id), Staff.role == Role.ADMINISTRATOR.value]
    return list(session.scalars(select(Staff.id).where(*able).order_by(Staff.id)))


def arrange(session: Session, clinic_id: UUID, ids: Sequence[UUID]) -> None:
    """Make this the order; whoever is not in it is not on call. Ids of other clinics change nothing."""
    ours = Staff.clinic_id == clinic_id
    session.execute(
        update(Staff).where(ours, Staff.on_call.is_not(None)).values(on_call=None)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    for turn, staff_id in enumerate(ids, 1):
        session.execute(
            update(Staff).where(*_able(clinic_id), Staff.id == staff_id).values(on_call=turn)
            .execution_options(synchronize_session=False)
        )  # fmt: skip


def taken(session: Session, clinic_id: UUID, step: str, since: datetime) -> int:
    """How many tellings of this step, planned from `since` on, a carrier took and did not give back, by any channel."""
    theirs = Message.clinic_id == clinic_id, Message.step == step, Message.due_at >= since
    went = Message.status.in_([Status.ACCEPTED.value, Status.SENT.value, Status.DELIVERED.value])
    return session.scalar(select(func.count(Message.occasion.distinct())).where(*theirs, went)) or 0


def _able(clinic_id: UUID) -> list[ColumnElement[bool]]:
    return [Staff.clinic_id == clinic_id, Staff.active.is_(True), Staff.password_hash != "", Staff.role.in_(ANSWERING)]
