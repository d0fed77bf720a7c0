"""Addresses of which a carrier says that nothing arrives there: marked, and given another chance."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.store.tables import Address

Whose = tuple[UUID, UUID]
"""(clinic, address)"""


def mark(session: Session, address_ids: Iterable[UUID], now: datetime) -> list[Whose]:
    """Nothing arrives there. Returns those for which that is news, in order."""
    return _mark(session, sorted(address_ids), now)


def unmark(session: Session, address_ids: Iterable[UUID]) -> list[Whose]:
    """It works after all. Returns those for which that is news, in order."""
    return _mark(session, sorted(address_ids), None)


def _mark(session: Session, address_ids: Collection[UUID], since: datetime | None) -> list[Whose]:
    other = Address.unusable_at.is_(None) if since else Address.unusable_at.is_not(None)
    rows = session.execute(
        update(Address)
        .where(Address.id.in_(address_ids), other)
        .values(unusable_at=since)
        .returning(Address.clinic_id, Address.id)
        .execution_options(synchronize_session=False)
    )
    return sorted((clinic_id, address_id) for clinic_id, address_id in rows)


def left_behind(session: Session, clinic_id: UUID, patient_id: UUID) -> list[UUID]:
    """The patient's unusable addresses that another has replaced."""
    theirs = Address.clinic_id == clinic_id, Address.patient_id == patient_id
    return list(session.scalars(select(Address.id).where(*theirs, ~Address.active, Address.unusable_at.is_not(None))))


def owners(session: Session, clinic_id: UUID, address_ids: Collection[UUID]) -> dict[UUID, tuple[UUID, Channel]]:
    """(patient, channel) of these addresses of the clinic."""
    rows = session.execute(
        select(Address.id, Address.patient_id, Address.channel).where(
            Address.clinic_id == clinic_id, Address.id.in_(address_ids)
        )
    )
    return {address_id: (patient_id, Channel(channel)) for address_id, patient_id, channel in rows}
