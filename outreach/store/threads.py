"""The inbox's threads: what one patient, or one unknown number, wrote, with the tasks that wait; a page at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.store.rows import fetch
from outreach.store.traffic import UNREAD
from outreach.store.vault import Vault, vault_of

SHOWS = ("open", "urgent", "overdue", "mine", "all")
"""What the list can be narrowed to: what waits, what is urgent, what is overdue, what I have taken; nothing."""


@dataclass(frozen=True)
class Thread:
    """`patient_id` None: an unknown `number`, opened; never log it. `inbound_id`: the newest or urgent message.

    `due_at`: when the first open task is overdue; `kinds` of the open tasks; `takers`: who has taken some of them.
    `symptom`: one of them is about a message that tells of one.
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
    symptom: bool


@dataclass(frozen=True)
class Page:
    """`next`: where the following page begins, as text for an address; "" on the last."""

    threads: list[Thread]
    next: str


_KEY = "md5(coalesce({0}.patient_id::text, encode({1}.sender_index, 'hex'), {0}.id::text))"
_UNREAD = re.sub(r"\b(read_at|needs_person|patient_id)\b", r"i.\1", UNREAD)
_NEWEST = """(select {what} from inbound o where o.clinic_id = %(clinic)b and o.patient_id = {patient}
    order by o.received_at desc, o.id limit 1)"""
_NEWEST_OF_NUMBER = """(select {what} from inbound o where o.clinic_id = %(clinic)b and o.patient_id is null
    and o.sender_index = {number} order by o.received_at desc, o.id limit 1)"""


def _newest(what: str, patient: str, number: str) -> str:
    """The newest message of a thread, by an index: of what was ever written only the threads of one page are read."""
    return (f"case when {patient} is not null then {_NEWEST.format(what=what, patient=patient)}"
            f" else {_NEWEST_OF_NUMBER.format(what=what, number=number)} end")  # fmt: skip


# Ranks: 0 something urgent, 1 unread or overdue or a symptom, 2 open, 3 the rest. Within the first three whoever has
# waited longest comes first, within the last the newest. A symptom counts as waiting since two days before it is due:
# so it stands above whatever else is due that day, which began to wait a day before at most. The order of a page does
# not hang on names, which are sealed. What waits (`busy`) is read whole, being little; the rest is walked from the
# newest on, until the page is full. Of a thread with something urgent that message is shown, not the newest: a "1" or
# a STOP after it must not hide it.
_THREADS = f"""
with open_task as (
  select {_KEY.format("t", "i")} as key, t.patient_id, (array_agg(i.sender_index))[1] as number,
    min(t.due_at) as due_at, array_agg(t.kind order by t.due_at) as kinds,
    array_agg(distinct t.taken_by) filter (where t.taken_by is not null) as takers,
    count(*) filter (where t.taken_by is null) as untaken,
    (array_agg(t.inbound_id order by t.due_at) filter (where t.kind = 'urgent'))[1] as alarming,
    min(t.due_at) filter (where t.kind <> 'urgent' and (i.wish = 'symptom' or exists (select from inbound s
      where s.clinic_id = t.clinic_id and s.patient_id = t.patient_id and s.received_at >= t.opened_at
        and s.wish = 'symptom'))) as symptom_due
  from task t left join inbound i on i.id = t.inbound_id
  where t.clinic_id = %(clinic)b and t.closed_at is null group by 1, 2
), waiting as (
  select {_KEY.format("i", "i")} as key, i.patient_id, (array_agg(i.sender_index))[1] as number, count(*) as unread,
    min(i.received_at) as unread_at
  from inbound i where i.clinic_id = %(clinic)b and {_UNREAD} group by 1, 2
), thread as (
  select key, coalesce(w.patient_id, o.patient_id) as patient_id, coalesce(w.number, o.number) as number,
    coalesce(w.unread, 0) as unread, o.due_at, o.kinds, o.takers, coalesce(o.untaken, 0) as untaken,
    o.alarming, o.symptom_due is not null as symptom,
    least(o.due_at, w.unread_at, case when 'urgent' = any(o.kinds) then null else o.symptom_due - interval '2 days' end)
      as since,
    case when 'urgent' = any(o.kinds) then 0
      when w.unread > 0 or o.due_at <= %(now)b::timestamptz or o.symptom_due is not null then 1 else 2 end as rank
  from waiting w full join open_task o using (key)
), busy as (
  select rank, (extract(epoch from since) * 1000000)::bigint as at, key, patient_id, unread, due_at, kinds, takers,
    untaken, symptom, coalesce(alarming, {_newest("o.id", "thread.patient_id", "thread.number")}) as newest
  from thread
), rest as (
  select 3 as rank, (extract(epoch from i.received_at) * -1000000)::bigint as at, {_KEY.format("i", "i")} as key,
    i.patient_id, 0::bigint as unread, null::timestamptz as due_at, null::varchar[] as kinds, null::uuid[] as takers,
    0::bigint as untaken, false as symptom, i.id as newest
  from inbound i
  where %(show)b::text = 'all' and i.clinic_id = %(clinic)b and i.received_at <= %(until)b::timestamptz
    and i.id = {_newest("o.id", "i.patient_id", "i.sender_index")}
    and {_KEY.format("i", "i")} not in (select key from busy)
    and not exists (select from patient p where p.id = i.patient_id and p.test)
    and (3, (extract(epoch from i.received_at) * -1000000)::bigint, {_KEY.format("i", "i")})
      > (%(rank)b::int, %(at)b::bigint, %(key)b::text)
  order by i.received_at desc, key limit %(limit)b::int
), shown as (
  select b.* from busy b left join patient p on p.id = b.patient_id
  where p.test is not true and case %(show)b::text when 'urgent' then rank = 0
    when 'overdue' then due_at <= %(now)b::timestamptz
    when 'mine' then %(me)b::uuid = any(takers) else true end
    and (rank, at, key) > (%(rank)b::int, %(at)b::bigint, %(key)b::text)
  union all select * from rest
  order by rank, at, key limit %(limit)b::int
)
select s.rank, s.at, s.key, s.patient_id, s.unread, s.due_at, s.kinds, s.takers, s.untaken, s.symptom, n.received_at,
  n.id, n.sender_sealed, n.body_sealed, n.understood, n.answer
from shown s left join inbound n on n.clinic_id = %(clinic)b and n.id = s.newest order by s.rank, s.at, s.key
"""
_MARK = re.compile(r"([0-3])\.(-?\d{1,18})\.([0-9a-f]{32})")
_BEGINNING = (-1, 0, "")
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


def page(
    session: Session, clinic_id: UUID, staff_id: UUID, now: datetime, limit: int, *, show: str = "open", after: str = ""
) -> Page:
    """Threads of a clinic, what is urgent first, then what is unread or overdue. `after`: the `next` of the page above.

    One statement, because two could contradict each other.
    """
    rank, at, key = _place(after)
    until = _FIRST - timedelta(microseconds=at) if rank == 3 else _LAST  # where the walk begins
    rows = fetch(session, _THREADS, clinic=clinic_id, me=staff_id, now=now, show=show, rank=rank, at=at, key=key,
                 until=until, limit=limit + 1)  # fmt: skip
    vault, shown = vault_of(session), rows[:limit]
    following = f"{shown[-1][0]}.{shown[-1][1]}.{shown[-1][2]}" if len(rows) > limit else ""
    return Page([_thread(vault, clinic_id, row[3:]) for row in shown], following)


def _thread(vault: Vault, clinic_id: UUID, row: Any) -> Thread:
    (patient_id, unread, due_at, kinds, takers, untaken, symptom, last_at, inbound_id, sender, body, understood,
     answer) = row  # fmt: skip
    return Thread(
        patient_id, inbound_id,
        vault.open(sender, "inbound.sender", clinic_id, inbound_id) if sender and patient_id is None else "",
        unread, due_at, tuple(dict.fromkeys(kinds or ())), tuple(takers or ()), untaken, last_at,
        vault.open(body, "inbound.body", clinic_id, inbound_id) if body else "", understood or "", answer, symptom,
    )  # fmt: skip


def _place(mark: str) -> tuple[int, int, str]:
    """The beginning of the list for what is no place: an old or garbled address shows the first page."""
    found = _MARK.fullmatch(mark)
    if not found or abs(int(found[2])) > (_LAST - _FIRST) // timedelta(microseconds=1):
        return _BEGINNING
    return int(found[1]), int(found[2]), found[3]
