"""Messages that have stood in one place for longer than that place allows."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.retry import LONGEST_NOT_BEGUN, MOST_ATTEMPTS
from outreach.domain.status import Status
from outreach.store.rows import fetch

DUE = timedelta(minutes=15)
LEASE = timedelta(minutes=5)
DOUBT = timedelta(hours=24)
NEWS = timedelta(hours=73)
"""How long a message may be due, past its lease, in doubt, or without news from its carrier."""

TRIES = MOST_ATTEMPTS
"""So many attempts and still scheduled: only what is never begun comes to that, and each try moves its due instant."""

NAMED = 100


class Stuck(NamedTuple):
    """A message that stays where it is. `since`: when it should have gone on. `of`: how many stand so in all."""

    clinic_id: UUID
    message_id: UUID
    step: str
    status: Status
    since: datetime
    of: int


# Each branch walks one partial index. Not stuck: what a kill switch holds or has just let go, and what waits behind the
# limit of a sender that is at work. Leases run on the database's clock, all else on ours.
_STUCK = """
with late as (
  select m.clinic_id, m.id, m.step, m.status, m.due_at as since
  from clinic c
  join message m on m.clinic_id = c.id and m.open and m.status = 'scheduled'
    and m.due_at < %(now)b::timestamptz - %(due)b::interval
  where not exists (
      select from pause p
      where (p.lifted_at is null and (p.until is null or p.until > %(now)b::timestamptz)
          or p.lifted_at > %(now)b::timestamptz - %(due)b::interval)
        and (p.clinic_id is null or p.clinic_id = c.id)
        and (p.scope in ('service', 'clinic') or m.reason is not distinct from 'paused' or exists (
          select from sender s
          where p.scope = 'sender' and s.clinic_id = c.id and s.channel = m.channel and s.id::text = p.key)))
    and not exists (
      select from sender s where s.clinic_id = c.id and s.channel = m.channel and s.active
        and s.per_second is not null and s.free_at > %(now)b::timestamptz - %(due)b::interval)
  union all
  select clinic_id, id, step, status, (select min(started_at) from attempt a where a.message_id = message.id)
  from message
  where open and status = 'scheduled' and attempts >= %(tries)b::int and reason is distinct from 'paused'
    and due_at >= %(now)b::timestamptz - %(due)b::interval and due_at <= %(now)b::timestamptz + %(soon)b::interval
  union all
  select clinic_id, id, step, status, lease_until from message
  where open and status = 'sending' and lease_until < now() - %(lease)b::interval
    and due_at < greatest(now(), %(now)b::timestamptz) + interval '1 hour'
  union all
  select clinic_id, id, step, status, coalesce(lease_until, due_at) from message
  where doubtful and sent_at is null and coalesce(lease_until, due_at) < now() - %(doubt)b::interval
  union all
  select clinic_id, id, step, status, sent_at from message
  where open and status in ('accepted', 'sent') and sent_at < %(now)b::timestamptz - %(news)b::interval
    and due_at < %(now)b::timestamptz - %(news)b::interval + interval '2 days'
), ranked as (
  select late.*, count(*) over w as of, row_number() over (w order by since, id) as place
  from late where late.clinic_id = any(%(clinics)b::uuid[]) window w as (partition by late.clinic_id, late.status)
)
select clinic_id, id, step, status, since, of from ranked where place <= %(named)b order by since, id
"""


def stuck(session: Session, clinic_ids: Collection[UUID], now: datetime) -> list[Stuck]:
    """The messages that are stuck, by clinic and status the longest first, up to NAMED of each."""
    rows = fetch(
        session, _STUCK, clinics=list(clinic_ids), now=now, due=DUE, lease=LEASE, doubt=DOUBT, news=NEWS, named=NAMED,
        tries=TRIES, soon=LONGEST_NOT_BEGUN,
    )  # fmt: skip
    return [Stuck(row[0], row[1], row[2], Status(row[3]), row[4], row[5]) for row in rows]
