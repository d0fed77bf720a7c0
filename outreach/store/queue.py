"""Messages as the queue: handing them out with a lease, recording what became of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.status import ENDS, Status
from outreach.errors import Reason
from outreach.store.arrays import Blobs, Ids, Instants, Numbers, Texts
from outreach.store.rows import Ask, run, run_by_commit, together


class Going(NamedTuple):
    """A message about to be handed over: its new attempt, and the exact words, sealed."""

    id: UUID
    attempt_id: UUID
    sender_id: UUID
    locale: str
    wording: str
    subject_sealed: bytes | None
    body_sealed: bytes
    segments: int
    text_hash: bytes
    said_id: int = 0


# Fewer begun than asked for divides by nothing: the transaction fails, though nobody reads how many there were.
_BEGIN = """
with go as (
  select * from unnest(%(ids)b::uuid[], %(attempts)b::uuid[], %(senders)b::uuid[], %(locales)b::text[],
    %(wordings)b::text[], %(subjects)b::bytea[], %(bodies)b::bytea[], %(segments)b::int[], %(hashes)b::bytea[],
    %(saids)b::int[])
  as g(id, attempt_id, sender_id, locale, wording, subject, body, segments, text_hash, said_id)
), begun as (
  update message m set status = 'sending', attempt_id = go.attempt_id, attempts = m.attempts + 1,
    lease_until = clock_timestamp() + %(lease)b * interval '1 second', carrier = s.carrier, locale = go.locale,
    wording = go.wording, segments = go.segments, said_id = go.said_id, reason = null
  from go join sender s on s.id = go.sender_id where m.id = go.id and m.status = 'scheduled'
  returning m.attempt_id, m.clinic_id, m.id, m.attempts, m.carrier, m.lease_until, go.sender_id, go.text_hash,
    go.subject, go.body
), gone as (
  delete from queued q using begun where q.message_id = begun.id
), flown as (
  insert into flight (lease_until, messages) select max(lease_until), array_agg(id) from begun
  having 1 / (count(*) = %(many)b)::int = 1
)
insert into attempt (id, clinic_id, message_id, number, carrier, sender_id, started_at, text_hash, subject_sealed,
  body_sealed)
select attempt_id, clinic_id, id, attempts, carrier, sender_id, clock_timestamp(), text_hash, subject, body from begun
"""


def begin_sending(session: Session, going: Sequence[Going], lease: timedelta) -> None:
    """Rows go scheduled → sending with attempt, lease and exact words. Commit before a byte leaves.

    The lease runs on the database's own clock: workers' clocks need not agree. The rows must be locked by this
    transaction (turns.asking); if one was not, nothing is begun and the commit fails (psycopg's DivisionByZero).
    """
    if not going:
        return
    ids, attempts, senders, locales, wordings, subjects, bodies, segments, hashes, saids = zip(*going, strict=True)
    run_by_commit(
        session, _BEGIN, many=len(going), lease=lease.total_seconds(), ids=Ids.of(ids), attempts=Ids.of(attempts),
        senders=Ids.of(senders), locales=Texts.of(locales), wordings=Texts.of(wordings),
        subjects=Blobs.of(subjects) if any(subjects) else None, bodies=Blobs.of(bodies),
        segments=Numbers.of(segments), hashes=Blobs.of(hashes), saids=Numbers.of(saids),
    )  # fmt: skip


class Outcome(NamedTuple):
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
_LOCK = "select m.id from message m where m.id = any(%(ids)b::uuid[]) order by m.id for no key update"

# What is the same for all is said once: an array costs the client more than the server.
_RECORD = """
with news as (
  select * from unnest(%(ids)b::uuid[], %(clinics)b::uuid[], %(attempts)b::uuid[], %(ats)b::timestamptz[],
    %(carrier_ids)b::text[], %(dues)b::timestamptz[]) as n(id, clinic_id, attempt_id, at, carrier_id, due_at)
), kept as (
  insert into event (clinic_id, message_id, attempt_id, source, word, status, reason, code, carrier_id, at)
  select clinic_id, id, attempt_id, 'us', %(word)b, %(status)b, %(reason)b::text, %(code)b::text, carrier_id, at
  from news
)
update message m set status = %(status)b, reason = %(reason)b::text,
  carrier_id = coalesce(n.carrier_id, m.carrier_id), due_at = coalesce(n.due_at, m.due_at),
  sent_at = case when %(sent)b then n.at else m.sent_at end, ended_at = case when %(ended)b then n.at end,
  attempt_id = case when %(again)b then null else m.attempt_id end,
  lease_until = case when %(again)b then null else m.lease_until end
from news n
where m.id = n.id and m.attempt_id = n.attempt_id and m.status = any(%(befores)b::text[])
returning m.id
"""


_id_of = attrgetter("message_id.int")


def record(session: Session, outcomes: Sequence[Outcome], *beside: Ask) -> tuple[set[UUID], list[Sequence[Any]]]:
    """Write outcomes by compare-and-set on (id, status, attempt): a late writer changes nothing. Returns who moved.

    A callback that came before our own record has moved the row already; then only the event is kept. `beside`: asked
    in the same round trip, after it; their rows come second.
    """
    alike: dict[tuple[object, ...], list[Outcome]] = {}
    for one in sorted(outcomes, key=_id_of):
        alike.setdefault((one.status, one.word, one.reason, one.code, one.from_status), []).append(one)
    asks = [_recording(group) for group in alike.values()]
    if len(asks) > 1:  # a single one, by index over an array in their order, locks them in it as it goes
        asks.insert(0, Ask(_LOCK, {"ids": Ids.of([one.message_id for one in outcomes])}))
    told = together(session, *asks, *beside)
    moved = {row[0] for rows in told[len(asks) > 1 : len(asks)] for row in rows}
    return moved, told[len(asks) :]


def _recording(group: Sequence[Outcome]) -> Ask:
    """Outcomes that differ only in message, attempt and times."""
    first = group[0]
    return Ask(_RECORD, {
        "ids": Ids.of([one.message_id for one in group]), "clinics": Ids.of([one.clinic_id for one in group]),
        "attempts": Ids.of([one.attempt_id for one in group]), "ats": Instants.of([one.at for one in group]),
        "carrier_ids": Texts.of([one.carrier_id for one in group]),
        "dues": [one.due_at for one in group] if any(one.due_at for one in group) else None,
        "status": first.status.value, "word": first.word, "reason": first.reason.value if first.reason else None,
        "code": first.code or None, "sent": first.status in (Status.ACCEPTED, Status.SENT),
        "ended": first.status in ENDS, "again": first.status is Status.SCHEDULED,
        "befores": [status.value for status in first.from_status],
    })  # fmt: skip


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
