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


def take(session: Session, limits: Mapping[str, int], now: datetime) -> list[int] | None:
    """Count one try of each key before anything is compared; None, and nothing counted, where a limit is used up.

    Give what it returns back (`clear`) when the try was no failure. Commit before the password is looked at: tries that
    come together wait for one another here, and whoever held them during a slow comparison would hold up everybody.
    """
    digests = {_digest(session, key): limit for key, limit in limits.items()}
    for digest in sorted(digests):  # in one order, or two tries would wait for each other
        session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(digest[:8], "big", signed=True))))
    counted = session.execute(
        select(SignInTry.key, func.count())
        .where(SignInTry.key.in_(digests), SignInTry.at > now - WINDOW)
        .group_by(SignInTry.key)
    )
    if any(number >= digests[key] for key, number in counted):
        return None
    old = select(SignInTry.id).where(SignInTry.at <= now - WINDOW).with_for_update(skip_locked=True)
    session.execute(delete(SignInTry).where(SignInTry.id.in_(old)))
    made = session.scalars(insert(SignInTry).returning(SignInTry.id), [{"key": one, "at": now} for one in digests])
    return list(made)


def clear(session: Session, taken: Collection[int], key: str = "") -> None:
    """No failure: what was taken no longer counts, nor, after a success, what `key` tried before."""
    session.execute(delete(SignInTry).where(SignInTry.id.in_(taken)))
    if key:
        session.execute(delete(SignInTry).where(SignInTry.key == _digest(session, key)))


def _digest(session: Session, key: str) -> bytes:
    return vault_of(session).index("sign_in_try", key, _NO_CLINIC)
