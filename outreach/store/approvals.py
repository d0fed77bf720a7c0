"""Approved words: keeping them for ever, a clinic's decisions on them, and which of them count now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from outreach.domain.approval import Text, Unit, stored, told
from outreach.store.rows import Ask, fetch, run, together
from outreach.store.tables import Clinic
from outreach.store.wordings import Approval, Said


class Standing(NamedTuple):
    """Words that a clinic has approved and not withdrawn; `seq` counts up with each decision."""

    said_id: int
    digest: bytes
    locale: str
    key: str
    seq: int


class Decision(NamedTuple):
    """One line of a clinic's ledger."""

    said_id: int
    digest: bytes
    locale: str
    key: str
    approved: bool
    reviewer: str
    reviewer_role: str
    basis: str
    staff_id: UUID | None
    at: datetime


# Of each words the last decision counts; what is approved, newest first.
_STANDING = """
with last as (
  select distinct on (said_id) said_id, approved, seq from approval where clinic_id = %(clinic)b
  order by said_id, seq desc
)
select s.id, s.digest, s.locale, s.key, l.seq from last l join said s on s.id = l.said_id
where l.approved order by l.seq desc
"""
_DECIDE = """
insert into approval (id, clinic_id, said_id, approved, reviewer, reviewer_role, basis, staff_id, at)
select gen_random_uuid(), %(clinic)s, said_id, %(approved)s, %(reviewer)s, %(role)s, %(basis)s, %(staff)s::uuid, %(now)s
from unnest(%(ids)s::int[]) with ordinality as asked(said_id, place) order by place
"""
_UNITS = "select id, units, frame from said where id = any(%(ids)b::int[])"
_RULES = "select locale, unapproved, words_version from clinic where id = %(clinic)b"


def keep(session: Session, texts: Collection[Text], now: datetime) -> dict[bytes, int]:
    """Keep exact words, if they are not kept yet: their rows by digest."""
    known = _known(session, [one.digest for one in texts])
    new = [one for one in texts if one.digest not in known]
    if new:
        rows = [
            {
                "digest": one.digest,
                "locale": one.locale,
                "key": one.key,
                "units": stored(one.units),
                "frame": one.frame,
                "kept_at": now,
            }
            for one in new
        ]
        session.execute(upsert(Said).on_conflict_do_nothing(index_elements=["digest"]), rows)
        known |= _known(session, [one.digest for one in new])
    return known


def _known(session: Session, digests: Sequence[bytes]) -> dict[bytes, int]:
    asked = "select digest, id from said where digest = any(%(digests)b::bytea[])"
    return {row[0]: row[1] for row in fetch(session, asked, digests=list(digests))}


def decide(
    session: Session,
    clinic_id: UUID,
    said_ids: Iterable[int],
    *,
    approved: bool,
    reviewer: str,
    role: str,
    basis: str,
    staff_id: UUID | None,
    now: datetime,
) -> None:
    """Write decisions down, and let every process know that the clinic's words are others now."""
    ids = list(said_ids)
    if ids:
        run(session, _DECIDE, ids=ids, clinic=clinic_id, approved=approved, reviewer=reviewer, role=role, basis=basis,
            staff=staff_id, now=now)  # fmt: skip
        changed(session, clinic_id)


def changed(session: Session, clinic_id: UUID) -> None:
    """What this clinic may say has changed: views of it are built anew."""
    session.execute(
        update(Clinic).where(Clinic.id == clinic_id).values(words_version=Clinic.words_version + 1)
        .execution_options(synchronize_session=False)
    )  # fmt: skip


def rules(session: Session, clinic_id: UUID, *, lock: bool = False) -> tuple[str, str, int]:
    """A clinic's locale, what it says instead of what is not approved, and the version of its decisions. `lock`: nobody
    else changes these before this transaction ends."""
    [row] = fetch(session, _RULES + (" for no key update" if lock else ""), clinic=clinic_id)
    return row[0], row[1], row[2]


def standing(session: Session, clinic_id: UUID) -> list[Standing]:
    """What a clinic has approved, newest decision first."""
    [rows] = together(session, Ask(_STANDING, {"clinic": clinic_id}))
    return [Standing(*row) for row in rows]


def units(session: Session, said_ids: Sequence[int]) -> dict[int, tuple[tuple[Unit, ...], bytes]]:
    """The exact words of these rows, and what their templates were known by."""
    if not said_ids:
        return {}
    [rows] = together(session, Ask(_UNITS, {"ids": list(said_ids)}))
    return {row[0]: (told(row[1]), row[2]) for row in rows}


def said(session: Session, said_id: int) -> Text | None:
    """The words that a message was said with."""
    row = session.execute(
        select(Said.locale, Said.key, Said.units, Said.digest, Said.frame).where(Said.id == said_id)
    ).one_or_none()
    return Text(row.locale, row.key, told(row.units), row.digest, row.frame) if row is not None else None


def ledger(session: Session, clinic_id: UUID, locale: str, key: str | None = None) -> list[Decision]:
    """A clinic's decisions on a language, or on one text of it, newest first."""
    where = [Approval.clinic_id == clinic_id, Said.locale == locale, *([Said.key == key] if key else [])]
    rows = session.execute(
        select(
            Said.id, Said.digest, Said.locale, Said.key, Approval.approved, Approval.reviewer, Approval.reviewer_role,
            Approval.basis, Approval.staff_id, Approval.at,
        ).join(Said, Said.id == Approval.said_id).where(*where).order_by(Approval.seq.desc())
    )  # fmt: skip
    return [Decision._make(row) for row in rows]
