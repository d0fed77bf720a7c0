"""Who reads what: a clinic's patients by language."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.store.tables import Patient


def by_locale(session: Session, clinic_id: UUID) -> dict[str, int]:
    """How many active patients have each language; those who stand for staff are not counted."""
    rows = session.execute(
        select(Patient.locale, func.count())
        .where(Patient.clinic_id == clinic_id, Patient.active, ~Patient.test)
        .group_by(Patient.locale)
    )
    return {locale: int(count) for locale, count in rows}
