"""Strikes: how often in a row the same trouble came; one row each, shared by all workers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, cast, delete, func, text, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from outreach.store.arrays import Ids
from outreach.store.brakes import Strike
from outreach.store.rows import Ask, together

Key = tuple[UUID, str, str]
"""(clinic, scope, key)."""

_PLACE = tuple_(Strike.clinic_id, Strike.scope, Strike.key)


_PRESENT = "select clinic_id, scope, key from strike where clinic_id = any(%(ids)b::uuid[])"


def asking(clinic_ids: Collection[UUID]) -> Ask:
    """All strikes of these clinics, as keys: few, mostly none. Writes and locks nothing."""
    return Ask(_PRESENT, {"ids": Ids.of(clinic_ids)})


def present(session: Session, clinic_ids: Collection[UUID]) -> set[Key]:
    """The answer to `asking`."""
    return {(clinic_id, scope, key) for clinic_id, scope, key in together(session, asking(clinic_ids))[0]}


def take_turns(session: Session, clinic_ids: Collection[UUID]) -> None:
    """One at a time per clinic until the end of the transaction; in one order, so that nobody waits in a circle."""
    for clinic_id in sorted(clinic_ids):
        session.execute(
            text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"strike:{clinic_id}"}
        )


def clear(session: Session, keys: Collection[Key]) -> set[Key]:
    """It went well again. Returns those that had a strike."""
    if not keys:
        return set()
    rows = session.execute(
        delete(Strike)
        .where(_PLACE.in_(keys))
        .returning(Strike.clinic_id, Strike.scope, Strike.key)
        .execution_options(synchronize_session=False)
    )
    return {(row.clinic_id, row.scope, row.key) for row in rows}


def clear_named(session: Session, clinic_id: UUID | None, scope: str, names: Collection[str]) -> None:
    """Forget strikes by their key, at one clinic or (None) at every one."""
    whose = [] if clinic_id is None else [Strike.clinic_id == clinic_id]
    session.execute(
        delete(Strike)
        .where(Strike.scope == scope, Strike.key.in_(names), *whose)
        .execution_options(synchronize_session=False)
    )


def add(session: Session, counted: Mapping[Key, int], now: datetime) -> dict[Key, int]:
    """Add to the counts. Returns what each came to."""
    if not counted:
        return {}
    fresh = upsert(Strike).values(
        [
            {"clinic_id": clinic_id, "scope": scope, "key": key, "count": count, "since": now}
            for (clinic_id, scope, key), count in sorted(counted.items())
        ]
    )
    rows = session.execute(
        fresh.on_conflict_do_update(
            index_elements=["clinic_id", "scope", "key"],
            # A count that is long past every limit says no more by growing.
            set_={"count": cast(func.least(Strike.count + fresh.excluded.count, 1_000_000), Integer)},
        ).returning(Strike.clinic_id, Strike.scope, Strike.key, Strike.count)
    )
    return {(row[0], row[1], row[2]): int(row[3]) for row in rows}
