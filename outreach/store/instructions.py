"""A clinic's own instructions as it wrote them last; what patients get is what was approved of them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from outreach.store.wordings import Instruction


def every(session: Session, clinic_id: UUID) -> dict[tuple[str, str], str]:
    """The texts by (topic, locale)."""
    rows = session.execute(
        select(Instruction.topic, Instruction.locale, Instruction.text).where(Instruction.clinic_id == clinic_id)
    )
    return {(row.topic, row.locale): row.text for row in rows}


def writers(session: Session, clinic_id: UUID) -> dict[tuple[str, str], UUID]:
    """Who of the staff wrote each text as it stands, by (topic, locale)."""
    rows = session.execute(
        select(Instruction.topic, Instruction.locale, Instruction.changed_by).where(Instruction.clinic_id == clinic_id)
    )
    return {(row.topic, row.locale): row.changed_by for row in rows if row.changed_by}


def put(session: Session, clinic_id: UUID, topic: str, locale: str, text: str, by: UUID | None, now: datetime) -> None:
    """Write one down, whether or not there was one."""
    values = {"text": text, "changed_at": now, "changed_by": by}
    fresh = upsert(Instruction).values(clinic_id=clinic_id, topic=topic, locale=locale, **values)
    session.execute(fresh.on_conflict_do_update(constraint="instruction_once", set_=values))


def remove(session: Session, clinic_id: UUID, topic: str, locale: str) -> None:
    session.execute(
        delete(Instruction).where(
            Instruction.clinic_id == clinic_id, Instruction.topic == topic, Instruction.locale == locale
        )
    )
