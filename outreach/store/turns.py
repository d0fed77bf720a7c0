"""Whose turn it is: lanes with due messages, and a fair share of each locked for one worker."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.store.arrays import Ids
from outreach.store.rows import Ask, fetch, run

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Lane(NamedTuple):
    """Messages that wait for one another: of one clinic, on one channel; answers to patients have their own."""

    clinic_id: UUID
    channel: Channel
    urgent: bool


class Turn(NamedTuple):
    """A due message, locked for this transaction."""

    lane: Lane
    id: UUID
    patient_id: UUID
    due_at: datetime


@dataclass(frozen=True)
class Ahead:
    """How far a worker's clock may be ahead of the database's before it is not believed. None: it is always believed.

    A worker whose clock jumps forward must not send tomorrow's messages today.
    """

    seconds: float | None = 30.0

    @property
    def limit(self) -> float:
        return 10.0**9 if self.seconds is None else self.seconds


# One probe of the index per lane: the cost grows with the number of clinics, not of messages. `lateral ... limit 1`
# leaves the planner no other way.
_LANES = """
select c.id, k.channel, k.urgent
from clinic c
cross join (values ('sms', true), ('sms', false), ('email', true), ('email', false)) as k(channel, urgent)
left join unnest(%(clinics)b::uuid[], %(channels)b::text[], %(urgents)b::bool[], %(marks)b::timestamptz[])
  as known(clinic_id, channel, urgent, mark)
  on known.clinic_id = c.id and known.channel = k.channel and known.urgent = k.urgent
cross join lateral (
  select q.due_at from queued q
  where q.clinic_id = c.id and q.channel = k.channel and q.urgent = k.urgent
    and q.due_at >= coalesce(known.mark, '-infinity')
    and q.due_at <= least(%(now)b::timestamptz, now() + %(ahead)b * interval '1 second')
  order by q.due_at limit 1
) first
where k.channel = any(%(carried)b::text[])
order by k.urgent desc, first.due_at
"""


def find_lanes(
    session: Session, now: datetime, carried: Collection[Channel], marks: Mapping[Lane, datetime], ahead: Ahead
) -> list[Lane]:
    """The lanes with something due: answers first, then by how long they have waited.

    `marks`: instants before which a lane is known to hold nothing. They keep the search short while a long transaction
    elsewhere keeps the dead entries of the index alive.
    """
    known = list(marks.items())
    rows = fetch(
        session, _LANES, now=now, carried=[channel.value for channel in carried], ahead=ahead.limit,
        clinics=[lane.clinic_id for lane, _ in known], channels=[lane.channel.value for lane, _ in known],
        urgents=[lane.urgent for lane, _ in known], marks=[mark for _, mark in known],
    )  # fmt: skip
    return [Lane(row[0], Channel(row[1]), row[2]) for row in rows]


# The message is locked, not its place in the queue: whoever else changes a message locks it and then its place, and two
# never wait for each other in a ring. Only what is locked is read again if it has changed meanwhile: so the message is
# asked for status and due instant too, or one that was just put off would go at once.
_LOCK = """
select lane.place, t.id, t.patient_id, t.due_at
from unnest(%(places)b::int[], %(clinics)b::uuid[], %(channels)b::text[], %(urgents)b::bool[],
  %(marks)b::timestamptz[]) as lane(place, clinic_id, channel, urgent, mark)
cross join lateral (
  select m.id, m.patient_id, q.due_at from queued q join message m on m.id = q.message_id
  where q.clinic_id = lane.clinic_id and q.channel = lane.channel and q.urgent = lane.urgent and q.due_at >= lane.mark
    and q.due_at <= least(%(now)b::timestamptz, now() + %(ahead)b * interval '1 second')
    and q.patient_id <> all(%(busy)b::uuid[]) and m.status = 'scheduled'
    and m.due_at <= least(%(now)b::timestamptz, now() + %(ahead)b * interval '1 second')
  order by q.due_at, q.message_id limit {limit}
  for no key update of m skip locked
) t
"""

INTO_QUEUE = """
insert into queued (message_id, clinic_id, patient_id, channel, urgent, due_at)
select id, clinic_id, patient_id, channel, urgent, due_at from message m"""
"""What puts rows into the queue past the triggers, which know the same columns (migration 0012); a `where` follows."""

_LOST = f"""{INTO_QUEUE}
where m.open and m.status = 'scheduled' and m.due_at < %(now)b::timestamptz - interval '1 minute'
  and not exists (select from queued q where q.message_id = m.id and q.due_at = m.due_at)
on conflict (message_id) do update set due_at = excluded.due_at
"""
_LEFT = """
delete from queued q where q.due_at < %(now)b::timestamptz - interval '1 minute'
  and not exists (select from message m where m.id = q.message_id and m.status = 'scheduled')
"""


def mend_queue(session: Session, now: datetime) -> int:
    """Queue what is due and stands in no queue or behind its time, and take out what is not scheduled: rows that were
    written past the triggers, as a restore may.

    Nobody else would find the first before they are named as stuck; the others make their lane look due for ever.
    Returns how many.
    """
    return run(session, _LOST, now=now) + run(session, _LEFT, now=now)


# A patient's row is the turnstile: who holds it alone may begin a message to them, so their messages keep their order
# and their caps are counted by one worker at a time.
_TURNSTILE = """
select id from patient where id = any(%(ids)b::uuid[]) order by id for no key update skip locked
"""


Wanted = Sequence[tuple[Lane, datetime, int]]
"""Lanes, from when on to look in each, and how many messages at most."""


def asking(wanted: Wanted, now: datetime, busy: Collection[UUID], ahead: Ahead) -> Ask:
    """Lock up to so many due messages of each lane from its mark on, earliest first, until the transaction ends.

    What another worker holds is skipped. `busy`: patients not to be looked at, because a message of theirs is in
    somebody's hands.
    """
    limit = 1 << max(most - 1 for _, _, most in wanted).bit_length()  # few texts, so that the server keeps their plans
    return Ask(_LOCK.format(limit=limit), {
        "now": now, "ahead": ahead.limit, "busy": Ids.of(busy), "places": list(range(len(wanted))),
        "clinics": [lane.clinic_id for lane, _, _ in wanted], "marks": [mark for _, mark, _ in wanted],
        "channels": [lane.channel.value for lane, _, _ in wanted], "urgents": [lane.urgent for lane, _, _ in wanted],
    })  # fmt: skip


def told(wanted: Wanted, rows: Iterable[Sequence[Any]]) -> list[Turn]:
    """The answer to `asking`: lane by lane, in due order."""
    turns, left = [], [most for _, _, most in wanted]
    for place, message_id, patient_id, due_at in rows:
        if left[place]:
            left[place] -= 1
            turns.append(Turn(wanted[place][0], message_id, patient_id, due_at))
    return turns


def asking_turnstile(turns: Iterable[Turn]) -> Ask:
    """Lock the patients of these messages; those that are ours until the transaction ends are the rows."""
    return Ask(_TURNSTILE, {"ids": Ids.of({turn.patient_id for turn in turns})})
