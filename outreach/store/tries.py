"""Failed tries to sign in, by keyed digests: in the database, because several processes serve the web."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from outreach.store.office import SignInTry
from outreach.store.vault import vault_of

WINDOW = timedelta(minutes=15)
_NO_CLINIC = UUID(int=0)  # who signs in names no clinic


def too_many(session: Session, limits: Mapping[str, int], now: datetime) -> bool:
    """Whether one of these keys has used up its limit in the last quarter of an hour. Locks nothing."""
    digests = {_digest(session, key): limit for key, limit in limits.items()}
    counted = session.execute(
        select(SignInTry.key, func.count())
        .where(SignInTry.key.in_(digests), SignInTry.at > now - WINDOW)
        .group_by(SignInTry.key)
    )
    return any(number >= digests[key] for key, number in counted)


def count(session: Session, keys: Collection[str], now: datetime) -> None:
    """One more failed try of each key; those that no longer count go at the same time."""
    session.execute(delete(SignInTry).where(SignInTry.at <= now - WINDOW))
    session.execute(insert(SignInTry), [{"key": _digest(session, key), "at": now} for key in keys])


def clear(session: Session, key: str) -> None:
    """A success: what `key` tried before no longer counts."""
    session.execute(delete(SignInTry).where(SignInTry.key == _digest(session, key)))


def _digest(session: Session, key: str) -> bytes:
    return vault_of(session).index("sign_in_try", key, _NO_CLINIC)
