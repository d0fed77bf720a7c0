"""Invitations: a link, good once, with which a person sets their own password. The hash is kept, never the link."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from outreach.store.office import StaffInvite
from outreach.store.tables import Clinic, Staff
from outreach.store.vault import token_hash, vault_of

GOOD_FOR = timedelta(days=3)


@dataclass(frozen=True)
class Invited:
    """Whom a link is for. `email` is opened; never log it."""

    staff_id: UUID
    clinic_id: UUID
    clinic: str
    email: str


def give(session: Session, clinic_id: UUID, staff_id: UUID, now: datetime) -> str:
    """The token of a new link; every earlier link of this person ends."""
    forget(session, clinic_id, staff_id)
    token = secrets.token_urlsafe(32)
    session.add(
        StaffInvite(
            clinic_id=clinic_id, staff_id=staff_id, token_hash=token_hash(token), expires_at=now + GOOD_FOR
        )
    )  # fmt: skip
    session.flush()
    return token


def whose(session: Session, token: str, now: datetime, *, lock: bool = False) -> Invited | None:
    """Whom an open invitation is for; None for one that is used, over, or never was, or whose person has left."""
    asked = (
        select(StaffInvite, Staff, Clinic.name)
        .join(Staff, (Staff.id == StaffInvite.staff_id) & (Staff.clinic_id == StaffInvite.clinic_id))
        .join(Clinic, Clinic.id == Staff.clinic_id)
        .where(
            StaffInvite.token_hash == token_hash(token),
            StaffInvite.used_at.is_(None),
            StaffInvite.expires_at > now,
            Staff.active,
        )
    )
    row = session.execute(asked.with_for_update(of=StaffInvite) if lock else asked).one_or_none()
    if row is None:
        return None
    _, person, clinic = row
    email = vault_of(session).open(person.email_sealed, "staff.email", person.clinic_id, person.id)
    return Invited(person.id, person.clinic_id, clinic, email)


def use(session: Session, token: str, now: datetime) -> None:
    """From here on the link opens nothing."""
    session.scalars(select(StaffInvite).where(StaffInvite.token_hash == token_hash(token))).one().used_at = now
    session.flush()


def forget(session: Session, clinic_id: UUID, staff_id: UUID) -> None:
    """End whatever links are open for this person."""
    session.execute(
        delete(StaffInvite).where(
            StaffInvite.clinic_id == clinic_id, StaffInvite.staff_id == staff_id, StaffInvite.used_at.is_(None)
        )
    )
