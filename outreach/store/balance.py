"""The balance: planned = ended + still to come, weighed by witnesses that are written apart from one another.

Rows say where a message stands, events say how it came there, attempts say what was handed over. A fault names the
messages of which they tell different stories.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from outreach.domain.status import ENDS, Status
from outreach.store.rows import fetch

NAMED = 100
"""So many messages of each fault are named; all are counted."""

FAULTS = {
    "unplanned": "are there without a planning event",
    "planned twice": "have more than one planning event",
    "untold": "ended, and no event says so with the same end and reason",
    "not ended": "were ended by an event, and their rows go on",
    "not handed over": "are with a carrier by their rows, and there is no attempt",
    "miscounted": "have another number of attempts than their rows say",
    "misqueued": "stand in the queue and are not scheduled, or the other way about",
    "doubled": "were taken by carriers twice, under two attempts",
    "lost": "were planned by an event, and their rows are gone",
    "stray": "have attempts and no row",
}
"""What can be wrong, in words that follow "3 messages"."""


class Span(NamedTuple):
    """A clinic's messages due in [start, end); None: without that limit."""

    clinic_id: UUID
    start: datetime | None = None
    end: datetime | None = None


class Group(NamedTuple):
    """So many messages stand so, due in this `quarter` of an hour; `planned` counts their planning events."""

    clinic_id: UUID
    channel: str
    status: Status
    reason: str | None
    quarter: datetime
    rows: int
    planned: int


class Fault(NamedTuple):
    """A message that does not add up. `step` and `due_at` are None where its row is gone. `of`: how many there are."""

    kind: str
    clinic_id: UUID
    message_id: UUID
    step: str | None
    due_at: datetime | None
    of: int


@dataclass(frozen=True)
class Sheet:
    """The balance of some spans; it holds when there is no fault."""

    groups: list[Group]
    faults: list[Fault]

    @property
    def planned(self) -> int:
        return sum(group.planned for group in self.groups)

    @property
    def rows(self) -> int:
        return sum(group.rows for group in self.groups)

    @property
    def holds(self) -> bool:
        return not self.faults and self.planned == self.rows


# One statement, so one moment: a message that moves while we look is seen before or after, never in both places.
_WEIGH = """
with span as (
  select * from unnest(%(clinics)b::uuid[], %(starts)b::timestamptz[], %(ends)b::timestamptz[]) as s(clinic_id, a, z)
), m as materialized (
  select m.id, m.clinic_id, m.channel, m.status, m.reason, m.step, m.due_at, m.attempt_id, m.attempts
  from span join message m on m.clinic_id = span.clinic_id
    and m.due_at >= coalesce(span.a, '-infinity') and m.due_at < coalesce(span.z, 'infinity')
), told as (
  select m.id,
    count(*) filter (where e.source = 'plan' and e.word = 'planned') as planned,
    bool_or(e.status = m.status and e.reason is not distinct from m.reason) as agrees,
    max(e.id) filter (where e.status = any(%(over)b::text[]) and (e.status = 'delivered' or e.attempt_id is null
      or e.attempt_id = m.attempt_id)) as ended,
    max(e.id) filter (where e.status = 'scheduled') as begun_anew,
    min(e.carrier_id collate "C") filter (where {took}) <> max(e.carrier_id collate "C") filter (where {took}) as twice
  from m join event e on e.message_id = m.id group by m.id
), tried as (
  select a.message_id as id, count(*) as attempts from attempt a where a.message_id in (select id from m) group by 1
), weighed as materialized (
  select m.*, coalesce(told.planned, 0) as planned, array_remove(array[
    case when coalesce(told.planned, 0) = 0 then 'unplanned' end,
    case when told.planned > 1 then 'planned twice' end,
    case when m.status = any(%(over)b::text[]) and not coalesce(told.agrees, false) then 'untold' end,
    case when m.status <> all(%(over)b::text[]) and told.ended > coalesce(told.begun_anew, 0) then 'not ended' end,
    case when m.status = any(%(handed)b::text[]) and tried.id is null then 'not handed over' end,
    case when tried.id is not null and m.attempts <> tried.attempts then 'miscounted' end,
    case when (m.status = 'scheduled') <> (q.message_id is not null) or q.due_at <> m.due_at then 'misqueued' end,
    case when told.twice and (
      select count(distinct e.attempt_id) from event e where e.message_id = m.id and {took}) > 1 then 'doubled' end
  ], null) as faults
  from m left join told on told.id = m.id left join tried on tried.id = m.id
  left join queued q on q.message_id = m.id
), named as (
  select w.clinic_id, w.id, w.step, w.due_at, f.fault, count(*) over (partition by f.fault) as of,
    row_number() over (partition by f.fault order by w.due_at, w.id) as place
  from weighed w cross join lateral unnest(w.faults) as f(fault)
)
select clinic_id, channel, status, reason, date_bin('15 minutes', due_at, timestamptz '2000-01-01 00:00Z') as at,
  count(*) as many, sum(planned)::bigint as planned, null::uuid as message_id, null as fault
from weighed group by 1, 2, 3, 4, 5
union all
select clinic_id, step, null, null, due_at, of, 0, id, fault from named where place <= %(named)b
"""

# How a carrier's taking is told: our own reading of its answer, its list, or its news.
TOOK = "((e.source = 'us' and e.word in ('accepted', 'found')) or e.source = 'carrier') and e.attempt_id is not null"

_LOST = """
select e.clinic_id, e.message_id, count(*) over () from event e
where e.source = 'plan' and e.word = 'planned' and e.clinic_id = any(%(clinics)b::uuid[])
  and not exists (select from message m where m.id = e.message_id)
order by e.id limit %(named)b
"""

_STRAY = """
select a.clinic_id, a.message_id, count(*) over () from attempt a
where a.clinic_id = any(%(clinics)b::uuid[]) and not exists (select from message m where m.id = a.message_id)
order by a.id limit %(named)b
"""

_HANDED = [Status.SENDING, Status.UNKNOWN, Status.ACCEPTED, Status.SENT, Status.DELIVERED, Status.UNDELIVERED]


def weigh(session: Session, spans: Sequence[Span], whole: bool = False) -> Sheet:
    """Weigh these spans. `whole`: also look for what has no row any more, which belongs to no day."""
    clinics = [span.clinic_id for span in spans]
    session.execute(text("set local work_mem = '64MB'"))  # a day of a million messages is grouped without a file
    rows = fetch(
        session, _WEIGH.format(took=TOOK), clinics=clinics, starts=[span.start for span in spans],
        ends=[span.end for span in spans], over=sorted(end.value for end in ENDS),
        handed=[status.value for status in _HANDED], named=NAMED,
    )  # fmt: skip
    groups, faults = [], []
    for clinic_id, channel, status, reason, at, many, planned, message_id, fault in rows:
        if fault is None:
            groups.append(Group(clinic_id, channel, Status(status), reason, at, many, planned))
        else:
            faults.append(Fault(fault, clinic_id, message_id, channel, at, many))
    if whole:
        for kind, statement in (("lost", _LOST), ("stray", _STRAY)):
            found = fetch(session, statement, clinics=list(clinics), named=NAMED)
            faults += [Fault(kind, row[0], row[1], None, None, row[2]) for row in found]
    order = {kind: place for place, kind in enumerate(FAULTS)}
    return Sheet(groups, sorted(faults, key=lambda one: (order[one.kind], one.due_at is None, one.message_id)))
