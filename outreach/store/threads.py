"""The inbox's threads: what one patient, or one unknown number, wrote, with the tasks that wait; a page at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.store.rows import fetch
from outreach.store.vault import Vault, vault_of

SHOWS = ("open", "urgent", "mine", "all")
"""What the list can be narrowed to: something waits; something urgent does; I have taken something; nothing."""


@dataclass(frozen=True)
class Thread:
    """`patient_id` None: an unknown `number`, opened; never log it. `inbound_id`: the newest message, if there is one.

    `due_at`: when the first open task is overdue; `kinds` of the open tasks; `takers`: who has taken some of them.
    """

    patient_id: UUID | None
    inbound_id: UUID | None
    number: str
    unread: int
    due_at: datetime | None
    kinds: tuple[str, ...]
    takers: tuple[UUID, ...]
    untaken: int
    last_at: datetime | None
    body: str
    understood: str
    answer: str | None


@dataclass(frozen=True)
class Page:
    """`next`: where the following page begins, as text for an address; "" on the last."""

    threads: list[Thread]
    next: str


# Unread is what waits for a person and nobody has marked; what a rule has settled ("1", "thanks") need not be read.
UNREAD = "i.read_at is null and (i.needs_person or i.patient_id is null)"
_KEY = "md5(coalesce({0}.patient_id::text, encode(i.sender_index, 'hex'), {0}.id::text))"

# Ranks: 0 something urgent, 1 unread or overdue, 2 open, 3 the rest. Within the first three whoever has waited longest
# comes first, within the last the newest. The order of a page does not hang on names, which are sealed.
_THREADS = f"""
with open_task as (
  select {_KEY.format("t")} as key, t.patient_id, min(t.due_at) as due_at, array_agg(t.kind order by t.due_at) as kinds,
    array_agg(distinct t.taken_by) filter (where t.taken_by is not null) as takers,
    count(*) filter (where t.taken_by is null) as untaken
  from task t left join inbound i on i.id = t.inbound_id
  where t.clinic_id = %(clinic)b and t.closed_at is null group by 1, 2
), written as (
  select i.patient_id, case when i.patient_id is null then i.sender_index end as sender_index, null::uuid as id,
    max(i.received_at) as last_at, count(*) filter (where {UNREAD}) as unread,
    min(i.received_at) filter (where {UNREAD}) as unread_at
  from inbound i where i.clinic_id = %(clinic)b group by 1, 2
), heard as (
  select {_KEY.format("i")} as key, i.patient_id, i.last_at, i.unread, i.unread_at from written i
), thread as (
  select key, coalesce(h.patient_id, o.patient_id) as patient_id, coalesce(h.unread, 0) as unread, o.due_at, o.kinds,
    o.takers, coalesce(o.untaken, 0) as untaken, h.last_at, least(o.due_at, h.unread_at) as since,
    case when 'urgent' = any(o.kinds) then 0 when h.unread > 0 or o.due_at <= %(now)b::timestamptz then 1
      when o.due_at is not null then 2 else 3 end as rank
  from heard h full join open_task o using (key)
), ordered as (
  select *, (extract(epoch from coalesce(since, last_at)) * case when rank = 3 then -1000000 else 1000000 end)::bigint
    as at from thread
), shown as (
  select o.* from ordered o left join patient p on p.id = o.patient_id
  where p.test is not true and case %(show)b::text when 'open' then rank < 3 when 'urgent' then rank = 0
    when 'mine' then %(me)b::uuid = any(takers) else true end
    and (rank, at, key) > (%(rank)b::int, %(at)b::bigint, %(key)b::text)
  order by rank, at, key limit %(limit)b::int
)
select s.rank, s.at, s.key, s.patient_id, s.unread, s.due_at, s.kinds, s.takers, s.untaken, s.last_at, n.*
from shown s left join lateral (
  select i.id, i.sender_sealed, i.body_sealed, i.understood, i.answer from inbound i
  where i.clinic_id = %(clinic)b and i.received_at = s.last_at and {_KEY.format("i")} = s.key order by i.id limit 1
) n on true order by s.rank, s.at, s.key
"""
_MARK = re.compile(r"([0-3])\.(-?\d{1,18})\.([0-9a-f]{32})")
_BEGINNING = (-1, 0, "")


def page(
    session: Session, clinic_id: UUID, staff_id: UUID, now: datetime, limit: int, *, show: str = "open", after: str = ""
) -> Page:
    """Threads of a clinic, what is urgent first, then what is unread or overdue. `after`: the `next` of the page above.

    Two statements would be quicker apart and could contradict each other; one that reads a clinic's replies takes some
    ten milliseconds for twenty thousand of them.
    """
    rank, at, key = _place(after)
    rows = fetch(session, _THREADS, clinic=clinic_id, me=staff_id, now=now, show=show, rank=rank, at=at, key=key,
                 limit=limit + 1)  # fmt: skip
    vault, shown = vault_of(session), rows[:limit]
    following = f"{shown[-1][0]}.{shown[-1][1]}.{shown[-1][2]}" if len(rows) > limit else ""
    return Page([_thread(vault, clinic_id, row[3:]) for row in shown], following)


def _thread(vault: Vault, clinic_id: UUID, row: Any) -> Thread:
    patient_id, unread, due_at, kinds, takers, untaken, last_at, inbound_id, sender, body, understood, answer = row
    return Thread(
        patient_id, inbound_id,
        vault.open(sender, "inbound.sender", clinic_id, inbound_id) if sender and patient_id is None else "",
        unread, due_at, tuple(dict.fromkeys(kinds or ())), tuple(takers or ()), untaken, last_at,
        vault.open(body, "inbound.body", clinic_id, inbound_id) if body else "", understood or "", answer,
    )  # fmt: skip


def _place(mark: str) -> tuple[int, int, str]:
    """The beginning of the list for what is no place: an old or garbled address shows the first page."""
    found = _MARK.fullmatch(mark)
    return (int(found[1]), int(found[2]), found[3]) if found else _BEGINNING
