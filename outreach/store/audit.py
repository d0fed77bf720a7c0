"""Who did what to whom, when: rows that nobody changes, a clinic's chained by their digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.store.office import Audit
from outreach.store.rows import Ask, run, together

FIRST = bytes(32)
"""What the first row of a clinic names as the one before it."""
_AT_ONCE = 1000


def note(
    session: Session,
    *,
    clinic_id: UUID,
    at: datetime,
    actor_kind: str,
    actor_id: UUID | None,
    action: str,
    subject: str = "",
    subject_id: object = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write one row in the transaction of what it tells. actor_kind: staff, key, patient, system or operator.

    `action` is past and dotted ("visit.moved"); `detail` holds figures, codes and ids, never a name or an address.
    Call it last: it makes the clinic's other writers wait until this transaction ends, and rows locked after it could
    lock two of them into each other.
    """
    session.flush()
    _, newest = together(session, Ask(_WAIT, {"lock": _lock(clinic_id)}), Ask(_NEWEST, {"clinic": clinic_id}))
    previous = newest[0][0] if newest else FIRST
    values: dict[str, Any] = {
        "clinic_id": clinic_id,
        "at": at,
        "actor_kind": actor_kind,
        "actor_id": actor_id,
        "action": action,
        "subject": subject,
        "subject_id": str(subject_id),
        "detail": _plain(detail or {}),
    }
    made = {"detail": json.dumps(values["detail"]), "previous": previous, "digest": _digest(previous, values)}
    run(session, _WRITE, **values | made)


_WAIT = "select pg_advisory_xact_lock(%(lock)b::int8)"
_NEWEST = "select digest from audit where clinic_id = %(clinic)b order by seq desc limit 1"
_WRITE = """
insert into audit (clinic_id, at, actor_kind, actor_id, action, subject, subject_id, detail, previous, digest)
values (%(clinic_id)s, %(at)s, %(actor_kind)s, %(actor_id)s, %(action)s, %(subject)s, %(subject_id)s,
  %(detail)s::text::jsonb, %(previous)s, %(digest)s)"""


@dataclass(frozen=True)
class Verdict:
    """What a reading of the chain found. `broken`: the first row that does not fit, or None. `head`: the last digest.

    Rows cut off at the end leave a chain that fits: whoever keeps `head` elsewhere, and looks for it later with
    `knows`, notices that too.
    """

    rows: int
    head: bytes
    broken: int | None


def verify(session: Session, clinic_id: UUID) -> Verdict:
    """Read a clinic's rows from the first and compute every digest anew."""
    previous, rows = FIRST, 0
    asked = select(Audit).where(Audit.clinic_id == clinic_id).order_by(Audit.seq)
    with closing(session.scalars(asked.execution_options(yield_per=_AT_ONCE))) as found:
        for row in found:
            values = {name: getattr(row, name) for name in _SAID}
            if row.previous != previous or row.digest != _digest(previous, values):
                return Verdict(rows, previous, row.seq)
            previous, rows = row.digest, rows + 1
    return Verdict(rows, previous, None)


def knows(session: Session, clinic_id: UUID, head: bytes) -> bool:
    """Whether this digest, kept from an earlier reading, is still in the chain."""
    found = select(Audit.seq).where(Audit.clinic_id == clinic_id, Audit.digest == head).limit(1)
    return session.scalar(found) is not None


_SAID = ("clinic_id", "at", "actor_kind", "actor_id", "action", "subject", "subject_id", "detail")


def _digest(previous: bytes, values: Mapping[str, Any]) -> bytes:
    said = {name: _spoken(values[name]) for name in _SAID}
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(previous + canonical.encode()).digest()


def _spoken(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value) if isinstance(value, UUID) else value


def _plain(detail: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON gives it back; fractions as text, because the database may write them another way than they came."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(detail), default=str), parse_float=str)
    return plain


def _lock(clinic_id: UUID) -> int:
    digest = hashlib.sha256(b"audit" + clinic_id.bytes).digest()
    return int.from_bytes(digest[:8], signed=True)


@dataclass(frozen=True)
class Wanted:
    """What to look for; None, "" and () are anything. `since`, `before`: aware instants. `below`: rows before this one.

    `subjects`: any of them.
    """

    since: datetime | None = None
    before: datetime | None = None
    actor_kind: str = ""
    actor_id: UUID | None = None
    subjects: tuple[str, ...] = ()
    subject_id: str = ""
    below: int | None = None


def entries(session: Session, clinic_id: UUID, wanted: Wanted, limit: int) -> list[Audit]:
    """A clinic's rows, the newest first."""
    asked = select(Audit).where(Audit.clinic_id == clinic_id).order_by(Audit.seq.desc()).limit(limit)
    for column, value in (
        (Audit.actor_kind, wanted.actor_kind), (Audit.actor_id, wanted.actor_id), (Audit.subject_id, wanted.subject_id),
    ):  # fmt: skip
        if value:
            asked = asked.where(column == value)
    if wanted.subjects:
        asked = asked.where(Audit.subject.in_(wanted.subjects))
    if wanted.since is not None:
        asked = asked.where(Audit.at >= wanted.since)
    if wanted.before is not None:
        asked = asked.where(Audit.at < wanted.before)
    if wanted.below is not None:
        asked = asked.where(Audit.seq < wanted.below)
    return list(session.scalars(asked))
