"""Who reads: a clinic's patients by language, and the newest to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.store.tables import Patient
from outreach.store.vault import vault_of


def by_locale(session: Session, clinic_id: UUID) -> dict[str, int]:
    """How many active patients have each language; those who stand for staff are not counted."""
    rows = session.execute(
        select(Patient.locale, func.count())
        .where(Patient.clinic_id == clinic_id, Patient.active, ~Patient.test)
        .group_by(Patient.locale)
    )
    return {locale: int(count) for locale, count in rows}


@dataclass(frozen=True)
class Known:
    """A patient to choose from a list. Never log one."""

    id: UUID
    name: str


def newest(session: Session, clinic_id: UUID, limit: int) -> list[Known]:
    """The patients enrolled last, by name."""
    vault = vault_of(session)
    rows = session.execute(
        select(Patient.id, Patient.name_sealed)
        .where(Patient.clinic_id == clinic_id, ~Patient.test)
        .order_by(Patient.created_at.desc(), Patient.id.desc())
        .limit(limit)
    )
    found = [Known(row.id, vault.open(row.name_sealed, "patient.name", clinic_id, row.id)) for row in rows]
    return sorted(found, key=lambda one: (one.name.casefold(), str(one.id)))
