"""Messages as the queue: handing them out with a lease, recording what became of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.status import ENDS, Status
from outreach.errors import Reason
from outreach.store.rows import fetch, run


class Going(NamedTuple):
    """A message about to be handed over: its new attempt, and the exact words, sealed."""

    id: UUID
    attempt_id: UUID
    number: int
    carrier: str
    sender_id: UUID
    locale: str
    wording: str
    subject_sealed: bytes | None
    body_sealed: bytes
    segments: int
    text_hash: bytes


_BEGIN = """
with go as (
  select * from unnest(%(ids)b::uuid[], %(attempts)b::uuid[], %(numbers)b::int[], %(carriers)b::text[],
    %(senders)b::uuid[], %(locales)b::text[], %(wordings)b::text[], %(subjects)b::bytea[], %(bodies)b::bytea[],
    %(segments)b::int[], %(hashes)b::bytea[])
  as g(id, attempt_id, number, carrier, sender_id, locale, wording, subject, body, segments, text_hash)
), begun as (
  update message m set status = 'sending', attempt_id = go.attempt_id, attempts = go.number,
    lease_until = now() + %(lease)b * interval '1 second', carrier = go.carrier, locale = go.locale,
    wording = go.wording, subject_sealed = go.subject, body_sealed = go.body, segments = go.segments, reason = null
  from go where m.id = go.id and m.status = 'scheduled'
  returning m.id, m.clinic_id
)
insert into attempt (id, clinic_id, message_id, number, carrier, sender_id, started_at, text_hash)
select go.attempt_id, begun.clinic_id, go.id, go.number, go.carrier, go.sender_id, clock_timestamp(), go.text_hash
from go join begun on begun.id = go.id
"""


def begin_sending(session: Session, going: Sequence[Going], lease: timedelta) -> None:
    """Rows go scheduled → sending with attempt, lease and exact words. Commit before a byte leaves.

    The lease runs on the database's own clock: workers' clocks need not agree. The rows must be locked by this
    transaction (turns.lock_turns); RuntimeError if one was not, and nothing is begun.
    """
    if not going:
        return
    columns = list(zip(*going, strict=True))
    names = ("ids", "attempts", "numbers", "carriers", "senders", "locales", "wordings", "subjects", "bodies",
             "segments", "hashes")  # fmt: skip
    begun = run(session, _BEGIN, lease=lease.total_seconds(),
                **{name: list(column) for name, column in zip(names, columns, strict=True)})  # fmt: skip
    if begun != len(going):
        raise RuntimeError(f"{len(going) - begun} of {len(going)} messages were begun without being locked")


@dataclass(frozen=True)
class Outcome:
    """What became of one attempt. `status` SCHEDULED means: surely not sent, try again at `due_at`.

    A sure answer that comes after the lease ended still counts: nobody else may have this attempt id.
    """

    message_id: UUID
    clinic_id: UUID
    attempt_id: UUID
    status: Status
    word: str
    at: datetime
    carrier_id: str | None = None
    reason: Reason | None = None
    code: str = ""
    due_at: datetime | None = None
    from_status: tuple[Status, ...] = (Status.SENDING, Status.UNKNOWN)


# Rows are locked in the order of their ids, as receipts lock them: two batches over the same messages wait for each
# other and never in a ring.
_RECORD = """
with news as (
  select * from unnest(%(ids)b::uuid[], %(clinics)b::uuid[], %(attempts)b::uuid[], %(befores)b::text[],
    %(statuses)b::text[], %(words)b::text[], %(ats)b::timestamptz[], %(carrier_ids)b::text[], %(reasons)b::text[],
    %(codes)b::text[], %(dues)b::timestamptz[], %(sents)b::timestamptz[], %(endeds)b::timestamptz[])
  as n(id, clinic_id, attempt_id, befores, status, word, at, carrier_id, reason, code, due_at, sent_at, ended_at)
), locked as materialized (
  select m.id from message m where m.id = any(%(ids)b::uuid[]) order by m.id for no key update
), moved as (
  update message m set status = n.status, reason = n.reason, carrier_id = coalesce(n.carrier_id, m.carrier_id),
    sent_at = coalesce(n.sent_at, m.sent_at), ended_at = n.ended_at, due_at = coalesce(n.due_at, m.due_at),
    attempt_id = case when n.status = 'scheduled' then null else m.attempt_id end,
    lease_until = case when n.status = 'scheduled' then null else m.lease_until end
  from news n join locked on locked.id = n.id
  where m.id = n.id and m.attempt_id = n.attempt_id and m.status = any(string_to_array(n.befores, ','))
  returning m.id
), kept as (
  insert into event (clinic_id, message_id, attempt_id, source, word, status, reason, code, carrier_id, at)
  select clinic_id, id, attempt_id, 'us', word, status, reason, code, carrier_id, at from news
)
select id from moved
"""


def record(session: Session, outcomes: Sequence[Outcome]) -> set[UUID]:
    """Write outcomes by compare-and-set on (id, status, attempt): a late writer changes nothing. Returns who moved.

    A callback that came before our own record has moved the row already; then only the event is kept.
    """
    if not outcomes:
        return set()
    arrays: list[list[object]] = [[] for _ in range(13)]
    for one in outcomes:
        sent = one.at if one.status in (Status.ACCEPTED, Status.SENT) else None
        row = (
            one.message_id, one.clinic_id, one.attempt_id, ",".join(one.from_status), one.status.value, one.word,
            one.at, one.carrier_id, one.reason.value if one.reason else None, one.code or None, one.due_at, sent,
            one.at if one.status in ENDS else None,
        )  # fmt: skip
        for array, value in zip(arrays, row, strict=True):
            array.append(value)
    names = ("ids", "clinics", "attempts", "befores", "statuses", "words", "ats", "carrier_ids", "reasons", "codes",
             "dues", "sents", "endeds")  # fmt: skip
    return {row[0] for row in fetch(session, _RECORD, **dict(zip(names, arrays, strict=True)))}


_DEFER = """
update message m set due_at = d.due_at, reason = d.reason
from unnest(%(ids)b::uuid[], %(untils)b::timestamptz[], %(reasons)b::text[]) as d(id, due_at, reason)
where m.id = d.id and m.status = 'scheduled'
"""


def defer(session: Session, waits: Collection[tuple[UUID, datetime, Reason | None]]) -> None:
    """These messages stay scheduled and become due again at their instants; a reason says what holds them."""
    if waits:
        ids, untils, reasons = zip(*waits, strict=True)
        run(session, _DEFER, ids=list(ids), untils=list(untils),
            reasons=[reason.value if reason else None for reason in reasons])  # fmt: skip
