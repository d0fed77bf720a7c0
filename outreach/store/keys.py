"""Keys of the API: made once, shown once, kept as a digest; found by their first letters."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from outreach.domain.access import Scope
from outreach.store.doors import ApiKey
from outreach.store.places import mark, place

SEEN_EVERY = timedelta(minutes=1)
"""A key's use is written down this often at most: not a write for each request."""
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Key:
    """A key as people see it; its secret is kept nowhere."""

    id: UUID
    clinic_id: UUID
    name: str
    prefix: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> str:
        """active, revoked or expired."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


_KEY = (ApiKey.id, ApiKey.clinic_id, ApiKey.name, ApiKey.prefix, ApiKey.scopes, ApiKey.created_at, ApiKey.expires_at,
        ApiKey.used_at, ApiKey.revoked_at)  # fmt: skip
_NEWEST = (ApiKey.created_at.desc(), ApiKey.id.desc())


def make(
    session: Session,
    *,
    clinic_id: UUID,
    name: str,
    scopes: Collection[Scope],
    expires_at: datetime | None,
    staff_id: UUID | None,
    now: datetime,
) -> tuple[UUID, str]:
    """A new key: (its id, the whole key). The second is never seen again."""
    prefix = "".join(secrets.choice(_LETTERS) for _ in range(8))
    secret, key_id = secrets.token_urlsafe(32), uuid4()
    session.execute(
        insert(ApiKey).values(
            id=key_id, clinic_id=clinic_id, name=name, prefix=prefix, secret_hash=_digest(prefix, secret),
            scopes=sorted(scope.value for scope in scopes), staff_id=staff_id, created_at=now, expires_at=expires_at,
        )
    )  # fmt: skip
    return key_id, f"ork_{prefix}_{secret}"


def by_bearer(session: Session, bearer: str, now: datetime) -> Key | None:
    """The key this text is, while it is good; its use is noted. None for every other text, however it is wrong."""
    kind, _, rest = bearer.partition("_")
    prefix, _, secret = rest.partition("_")
    row = session.execute(select(*_KEY, ApiKey.secret_hash).where(ApiKey.prefix == prefix[:20])).one_or_none()
    kept = row.secret_hash if row is not None else bytes(32)
    right = hmac.compare_digest(kept, _digest(prefix, secret))
    if row is None or not right or kind != "ork":
        return None
    key = _key(row)
    if key.state(now) != "active":
        return None
    if key.used_at is None or now - key.used_at >= SEEN_EVERY:
        session.execute(
            update(ApiKey).where(ApiKey.id == key.id).values(used_at=now).execution_options(synchronize_session=False)
        )
    return key


def listing(session: Session, clinic_id: UUID) -> list[Key]:
    """A clinic's keys, newest first."""
    rows = session.execute(select(*_KEY).where(ApiKey.clinic_id == clinic_id).order_by(*_NEWEST))
    return [_key(row) for row in rows]


def page(session: Session, clinic_id: UUID, limit: int, before: str = "") -> tuple[list[Key], str]:
    """So many of them below `before`, and where the next page begins; "" on the last."""
    rows = select(*_KEY).where(ApiKey.clinic_id == clinic_id)
    if (above := place(before)) is not None:
        rows = rows.where(func.row(ApiKey.created_at, ApiKey.id) < func.row(*above))
    found = [_key(row) for row in session.execute(rows.order_by(*_NEWEST).limit(limit + 1))]
    return found[:limit], mark(found[limit - 1].created_at, found[limit - 1].id) if len(found) > limit else ""


def revoke(session: Session, clinic_id: UUID, key_id: UUID, now: datetime) -> bool:
    """From now on it opens nothing. False: there is no such key in this clinic, or it was revoked before."""
    done = session.execute(
        update(ApiKey)
        .where(ApiKey.clinic_id == clinic_id, ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def _digest(prefix: str, secret: str) -> bytes:
    # The secret has 256 random bits: a slow password hash would add nothing but work for each request.
    return hashlib.sha256(f"{prefix}_{secret}".encode(errors="surrogatepass")).digest()


def _key(row: Any) -> Key:
    known = frozenset(Scope(one) for one in row.scopes if one in set(Scope))
    return Key(row.id, row.clinic_id, row.name, row.prefix, known, row.created_at, row.expires_at, row.used_at,
               row.revoked_at)  # fmt: skip
