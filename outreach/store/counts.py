"""Counting a clinic's days into tallies, finding the days that changed, and reading tallies as figures."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from outreach.domain.status import Status
from outreach.store.rows import fetch, run
from outreach.store.tallies import Tally, TallyDay
from outreach.store.traffic import Event, Message

LOOKED_AT = 50_000
"""So many of the newest events are looked at for days that changed; where there are more, the last days are counted."""
SLACK = timedelta(minutes=2)
"""An event's time is taken before its transaction ends: so much earlier than the last count it may have been missed."""

# Whoever stands for a member of staff is in no figure. An answer is what was understood as one, by text or on a page;
# to the question whether we may write, the page's yes and no stand in the ledger alone.
_COUNT = """
insert into tally (clinic_id, day, channel, locale, step, sender, status, reason, messages, segments, answered)
select m.clinic_id, %(day)s::date, m.channel, coalesce(m.locale, p.locale), m.step, coalesce(a.sender_id::text, ''),
  m.status, coalesce(m.reason, ''), count(*),
  coalesce(sum(m.segments) filter (where m.status = any(%(out)s::text[])), 0),
  count(*) filter (where i.id is not null or (m.step = 'consent.request' and exists (
    select from consent_event c where c.address_id = m.address_id and (
      (c.kind = 'agreed' and c.evidence = 'page:' || m.id)
      or (c.kind = 'opted_out' and starts_with(c.evidence, 'page:' || m.id || ':'))))))
from message m
join patient p on p.id = m.patient_id and not p.test
left join attempt a on a.id = m.attempt_id
left join (
  select about_message_id as id, min(received_at) from inbound
  where clinic_id = %(clinic)s and received_at >= %(start)s and answer is not null and about_message_id is not null
  group by 1
) i on i.id = m.id
where m.clinic_id = %(clinic)s and m.due_at >= %(start)s and m.due_at < %(end)s
group by 3, 4, 5, 6, 7, 8, 1
"""

OUT = (Status.ACCEPTED, Status.SENT, Status.DELIVERED, Status.UNDELIVERED, Status.UNKNOWN)
"""What a carrier took, or may have taken: what costs."""


def count_day(session: Session, clinic_id: UUID, day: date, start: datetime, end: datetime, now: datetime) -> None:
    """Count the messages due in [start, end) anew: the clinic's `day`. Two who count one day take turns."""
    mark = upsert(TallyDay).values(clinic_id=clinic_id, day=day, counted_at=now)
    session.execute(
        mark.on_conflict_do_update(index_elements=["clinic_id", "day"], set_={"counted_at": mark.excluded.counted_at})
    )
    run(session, "delete from tally where clinic_id = %(clinic)s and day = %(day)s", clinic=clinic_id, day=day)
    run(session, _COUNT, clinic=clinic_id, day=day, start=start, end=end, out=[status.value for status in OUT])


def counted(session: Session, clinic_id: UUID, since: date) -> dict[date, datetime]:
    """When each day from `since` on was last counted."""
    rows = session.execute(
        select(TallyDay.day, TallyDay.counted_at).where(TallyDay.clinic_id == clinic_id, TallyDay.day >= since)
    )
    return {row.day: row.counted_at for row in rows}


def first_due(session: Session, clinic_id: UUID) -> datetime | None:
    """When the clinic's first message was due; one look into an index."""
    return session.scalar(select(func.min(Message.due_at)).where(Message.clinic_id == clinic_id))


class Touched(NamedTuple):
    """Messages of a clinic due at these instants have news; `since` is when the newest came."""

    clinic_id: UUID
    due_at: datetime
    newest: datetime


_TOUCHED = """
select m.clinic_id, date_bin('15 minutes', m.due_at, timestamptz '2000-01-01 00:00Z') as due, max(e.at)
from event e join message m on m.id = e.message_id
where e.id > %(after)b::bigint and e.at >= %(since)b::timestamptz and m.due_at < %(until)b::timestamptz group by 1, 2
union all
select m.clinic_id, date_bin('15 minutes', m.due_at, timestamptz '2000-01-01 00:00Z'), max(i.received_at)
from inbound i join message m on m.id = i.about_message_id
where i.clinic_id = any(%(clinics)b::uuid[]) and i.received_at >= %(since)b::timestamptz group by 1, 2
"""


def touched(
    session: Session, clinic_ids: Collection[UUID], since: datetime, until: datetime
) -> tuple[list[Touched], bool]:
    """Quarters of hours with messages due before `until` that have news since `since`; whether there was more of it.

    Bounded: the newest events by their number, whatever there is to count.
    """
    newest = session.scalar(select(func.max(Event.id))) or 0
    after = max(newest - LOOKED_AT, 0)
    rows = fetch(session, _TOUCHED, after=after, since=since, until=until, clinics=list(clinic_ids))
    oldest = session.scalar(select(Event.at).where(Event.id > after).order_by(Event.id).limit(1))
    return [Touched(*row) for row in rows], after > 0 and oldest is not None and oldest >= since


class Figure(NamedTuple):
    """So many messages of a kind. What a grouping leaves open is None: see `figures`."""

    day: date | None
    channel: str | None
    locale: str | None
    step: str | None
    sender: str | None
    status: str | None
    reason: str | None
    messages: int
    segments: int
    answered: int


BY = ("channel", "locale", "step", "sender")
"""What figures can be told apart by."""
_SETS = "(status, reason), (channel, status), (locale, status), (step, status), (sender, status), (day, {by}, status)"


def figures(session: Session, clinic_id: UUID, first: date, last: date, by: str) -> list[Figure]:
    """All that a page of figures needs, in one statement: totals by status and reason, by each of BY with the status,
    and by day with one of BY and the status. Reads tallies only."""
    if by not in BY:
        raise ValueError(by)
    statement = f"""
      select day, channel, locale, step, sender, status, reason, sum(messages)::bigint, sum(segments)::bigint,
        sum(answered)::bigint
      from tally where clinic_id = :clinic and day between :first and :last
      group by grouping sets ({_SETS.format(by=by)})
    """
    rows = session.execute(text(statement), {"clinic": clinic_id, "first": first, "last": last})
    return [Figure(*row) for row in rows]


def rows(session: Session, clinic_id: UUID, first: date, last: date, limit: int) -> Sequence[Any]:
    """The tallies themselves, for an export: tuples in the order of Figure."""
    columns = (Tally.day, Tally.channel, Tally.locale, Tally.step, Tally.sender, Tally.status, Tally.reason,
               Tally.messages, Tally.segments, Tally.answered)  # fmt: skip
    return session.execute(
        select(*columns)
        .where(Tally.clinic_id == clinic_id, Tally.day.between(first, last))
        .order_by(*columns[:7])
        .limit(limit)
    ).all()


def as_of(session: Session, clinic_id: UUID, first: date, last: date) -> datetime | None:
    """When these days were last counted; None: never."""
    return session.scalar(
        select(func.max(TallyDay.counted_at)).where(TallyDay.clinic_id == clinic_id, TallyDay.day.between(first, last))
    )
