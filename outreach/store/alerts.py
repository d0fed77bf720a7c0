"""Alerts: raised once while something lasts, counted when it comes again, cleared when it is over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from outreach.store.brakes import Alert
from outreach.store.places import mark, place

OPEN = text("cleared_at is null")


@dataclass(frozen=True)
class Raised:
    """An open alert. clinic_id None: the operator's. `about` names ids and figures, never a person."""

    id: UUID
    clinic_id: UUID | None
    kind: str
    key: str
    about: str
    count: int
    raised_at: datetime
    last_at: datetime


_RAISED = (Alert.id, Alert.clinic_id, Alert.kind, Alert.key, Alert.about, Alert.count, Alert.raised_at, Alert.last_at)


def raise_alert(session: Session, clinic_id: UUID | None, kind: str, key: str, about: str, now: datetime) -> None:
    """Tell people; while it is open already, count once more and say the newest `about`."""
    fresh = upsert(Alert).values(
        clinic_id=clinic_id, kind=kind, key=key, about=about, count=1, raised_at=now, last_at=now
    )
    session.execute(
        fresh.on_conflict_do_update(
            index_elements=["clinic_id", "kind", "key"],
            index_where=OPEN,
            set_={"count": Alert.count + 1, "last_at": now, "about": fresh.excluded.about},
        )
    )


def clear(session: Session, clinic_id: UUID | None, kind: str, key: str, now: datetime) -> None:
    """It is over; nothing happens when it was not open."""
    whose = Alert.clinic_id.is_(None) if clinic_id is None else Alert.clinic_id == clinic_id
    _clear(session, now, whose, Alert.kind == kind, Alert.key == key)


def clear_by_id(session: Session, clinic_id: UUID | None, alert_id: UUID, now: datetime) -> bool:
    """Somebody has seen to it. clinic_id None: any clinic's, for the operator. False: there is no such open alert."""
    whose = [] if clinic_id is None else [Alert.clinic_id == clinic_id]
    return bool(_clear(session, now, Alert.id == alert_id, *whose))


def clear_others(
    session: Session, kinds: Collection[str], keep: Collection[tuple[UUID | None, str, str]], now: datetime
) -> int:
    """Clear open alerts of these kinds but those in `keep` (clinic, kind, key). Returns how many were over."""
    rows = session.execute(
        select(Alert.id, Alert.clinic_id, Alert.kind, Alert.key).where(
            Alert.kind.in_(kinds), Alert.cleared_at.is_(None)
        )
    )
    over = [row.id for row in rows if (row.clinic_id, row.kind, row.key) not in keep]
    return _clear(session, now, Alert.id.in_(over)) if over else 0


def ever(session: Session, kind: str, keys: Collection[str]) -> set[str]:
    """Those of these keys that were raised before, whether or not they have been cleared."""
    if not keys:
        return set()
    return set(session.scalars(select(Alert.key).where(Alert.kind == kind, Alert.key.in_(keys))))


def is_open(session: Session, clinic_id: UUID, kind: str, key: str) -> bool:
    """Whether this very alert is open."""
    this = Alert.clinic_id == clinic_id, Alert.kind == kind, Alert.key == key, Alert.cleared_at.is_(None)
    return session.scalar(select(Alert.id).where(*this)) is not None


def open_alerts(session: Session, clinic_id: UUID | None) -> list[Raised]:
    """A clinic's open alerts, newest first. None: the operator's own."""
    whose = Alert.clinic_id.is_(None) if clinic_id is None else Alert.clinic_id == clinic_id
    return _read(session, whose)


def page(session: Session, clinic_id: UUID, limit: int, before: str = "") -> tuple[list[Raised], str]:
    """So many of a clinic's open alerts below `before`, and where the next page begins; "" on the last."""
    where = [Alert.clinic_id == clinic_id]
    if (above := place(before)) is not None:
        at, last = above
        where.append((Alert.last_at < at) | ((Alert.last_at == at) & (Alert.id > last)))
    found = _read(session, *where, limit=limit + 1)
    return found[:limit], mark(found[limit - 1].last_at, found[limit - 1].id) if len(found) > limit else ""


def every_open(session: Session) -> list[Raised]:
    """All open alerts of all clinics and the operator's, newest first."""
    return _read(session)


def _read(session: Session, *where: ColumnElement[bool], limit: int | None = None) -> list[Raised]:
    asked = select(*_RAISED).where(Alert.cleared_at.is_(None), *where).order_by(Alert.last_at.desc(), Alert.id)
    return [Raised(**row) for row in session.execute(asked.limit(limit)).mappings()]


def _clear(session: Session, now: datetime, *where: ColumnElement[bool]) -> int:
    cleared = session.execute(
        update(Alert)
        .where(Alert.cleared_at.is_(None), *where)
        .values(cleared_at=now)
        .execution_options(synchronize_session=False)
    )
    return int(cleared.rowcount)  # type: ignore[attr-defined]
