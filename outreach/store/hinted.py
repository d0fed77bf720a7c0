"""When an address last read how to stop: what the hint in texts goes by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from outreach.store.arrays import Ids, Texts
from outreach.store.rows import Ask

# By the patient's rows of the last weeks, as the caps are counted; neutral words always say how to stop.
_LAST = """
select m.id, (
  select max(r.sent_at) from message r
  where r.patient_id = m.patient_id and r.address_id = m.address_id
    and r.due_at > %(now)b::timestamptz - %(window)s::interval and r.due_at <= %(now)b::timestamptz
    and r.status in ('accepted', 'sent', 'delivered')
    and (r.step = any(%(telling)b::text[]) or r.wording = 'neutral'))
from message m
where m.id = any(%(ids)b::uuid[]) and m.channel = 'sms' and m.step <> all(%(telling)b::text[])
"""


def asking_for(ids: Sequence[UUID], telling: Iterable[str], window: timedelta, now: datetime) -> Ask:
    """The texts among these messages whose own words do not say how to stop. `telling`: the steps whose words do."""
    return Ask(_LAST, {"ids": Ids.of(ids), "telling": Texts.of(list(telling)), "window": window, "now": now})


def told(rows: Iterable[Sequence[Any]]) -> dict[int, datetime | None]:
    """By message (its id as a number), when its address was last told how to stop; None: not within the window."""
    return {message_id.int: at for message_id, at in rows}
