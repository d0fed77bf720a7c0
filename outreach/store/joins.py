"""Tries on the public pages of clinics, counted by keyed digests; turns are taken, so that a limit is one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from outreach.store.office import JoinTry
from outreach.store.tables import Address
from outreach.store.traffic import Message
from outreach.store.vault import vault_of

KEPT = timedelta(days=2)


def turn(session: Session, clinic_id: UUID) -> None:
    """Until this transaction ends nobody else counts for this clinic."""
    session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(clinic_id.bytes[:7]) ^ 0x6A6F696E)))


def tries(session: Session, clinic_id: UUID, key: str, since: datetime) -> int:
    """How often `key` was counted after `since`."""
    mine = JoinTry.clinic_id == clinic_id, JoinTry.key == _digest(session, clinic_id, key), JoinTry.at > since
    return session.scalar(select(func.count()).select_from(JoinTry).where(*mine)) or 0


def count(session: Session, clinic_id: UUID, keys: Collection[str], now: datetime) -> None:
    """One more of each; what is too old to count for anything goes at the same time."""
    session.execute(delete(JoinTry).where(JoinTry.at <= now - KEPT))
    rows = [{"clinic_id": clinic_id, "key": _digest(session, clinic_id, key), "at": now} for key in keys]
    if rows:
        session.execute(insert(JoinTry), rows)


def questions(session: Session, address_ids: Collection[UUID], step: str) -> int:
    """How often this step was ever planned for any of these addresses."""
    theirs = Message.address_id.in_(address_ids), Message.step == step
    owners = select(Address.patient_id).where(Address.id.in_(address_ids))  # messages are found by the patient
    return session.scalar(select(func.count()).select_from(Message).where(Message.patient_id.in_(owners), *theirs)) or 0


def _digest(session: Session, clinic_id: UUID, key: str) -> bytes:
    return vault_of(session).index("join_try", key, clinic_id)
