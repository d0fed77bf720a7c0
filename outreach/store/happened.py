"""What happened since a clinic's mark and has not been turned into calls: read beside the hot path, never in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

OVERLAP = timedelta(minutes=5)
"""Numbers are given before transactions commit: what is younger than this is read again, in case one came late."""
SEQS = 500
"""The same for the consent ledger, whose rows may be dated back: so many numbers."""
AT_ONCE = 1000


class Happened(NamedTuple):
    """One piece of news for one webhook. `source` makes it one call, however often it is read."""

    webhook_id: UUID
    clinic_id: UUID
    kind: str
    source: str
    at: datetime
    data: dict[str, Any]


_NEW = "not exists (select 1 from webhook_call c where c.webhook_id = w.id and c.source = {source})"
_MESSAGES = f"""
select w.id, w.clinic_id, 'message.' || m.status, e.source, e.at,
       jsonb_build_object('message_id', m.id, 'patient_id', m.patient_id, 'infusion_id', m.infusion_id,
                          'step', m.step, 'channel', m.channel, 'status', m.status, 'reason', m.reason)
from (select clinic_id, message_id, status, at,
             'message:' || message_id || ':' || status as source
      from event where id > :low and id > (select min(event_id) from webhook_mark)
        and status in ('delivered', 'failed', 'undelivered', 'suppressed', 'expired', 'cancelled')) e
join webhook w on w.clinic_id = e.clinic_id and w.active and 'message.' || e.status = any(w.kinds)
join message m on m.id = e.message_id and m.status = e.status
where e.at >= w.created_at and {_NEW.format(source="e.source")}
order by e.at limit {AT_ONCE}
"""
_CONSENTS = f"""
select w.id, w.clinic_id, 'consent.changed', 'consent:' || s.seq, s.at,
       jsonb_build_object('patient_id', s.patient_id, 'address_id', s.address_id, 'channel', s.channel,
                          'change', s.kind, 'method', s.method)
from webhook_mark k
join webhook w on w.clinic_id = k.clinic_id and w.active and 'consent.changed' = any(w.kinds)
join consent_event s on s.clinic_id = k.clinic_id and s.seq > k.consent_seq
where {_NEW.format(source="'consent:' || s.seq")}
order by s.seq limit {AT_ONCE}
"""
_INBOUND = f"""
select w.id, w.clinic_id, 'inbound.received', 'inbound:' || i.id, i.received_at,
       jsonb_build_object('inbound_id', i.id, 'patient_id', i.patient_id, 'channel', i.channel,
                          'understood', i.understood, 'answer', i.answer, 'about_message_id', i.about_message_id,
                          'needs_person', i.needs_person)
from webhook_mark k
join webhook w on w.clinic_id = k.clinic_id and w.active and 'inbound.received' = any(w.kinds)
join inbound i on i.clinic_id = k.clinic_id and i.received_at >= k.inbound_at and i.received_at >= w.created_at
where {_NEW.format(source="'inbound:' || i.id")}
order by i.received_at limit {AT_ONCE}
"""
_TASKS = f"""
select w.id, w.clinic_id, 'task.opened', 'task:' || t.id, t.opened_at,
       jsonb_build_object('task_id', t.id, 'task', t.kind, 'patient_id', t.patient_id, 'message_id', t.message_id,
                          'inbound_id', t.inbound_id, 'due_at', t.due_at)
from webhook_mark k
join webhook w on w.clinic_id = k.clinic_id and w.active and 'task.opened' = any(w.kinds)
join task t on t.clinic_id = k.clinic_id and t.closed_at is null
     and t.opened_at >= k.task_at and t.opened_at >= w.created_at
where {_NEW.format(source="'task:' || t.id")}
order by t.opened_at limit {AT_ONCE}
"""
# Decisions are as rare as tasks and are dated alike, when their transaction begins: they share a mark.
_APPROVALS = f"""
select w.id, w.clinic_id, 'approval.changed', 'approval:' || a.seq, a.at,
       jsonb_build_object('locale', s.locale, 'text', s.key, 'digest', encode(s.digest, 'hex'),
                          'approved', a.approved, 'demo', a.basis = 'demo')
from webhook_mark k
join webhook w on w.clinic_id = k.clinic_id and w.active and 'approval.changed' = any(w.kinds)
join approval a on a.clinic_id = k.clinic_id and a.at >= k.task_at and a.at >= w.created_at
join said s on s.id = a.said_id
where {_NEW.format(source="'approval:' || a.seq")}
order by a.seq limit {AT_ONCE}
"""
_LOW = """
select min(k.event_id) from webhook_mark k
where exists (select 1 from webhook w where w.clinic_id = k.clinic_id and w.active)
"""
_ADVANCE = """
update webhook_mark set
    event_id = greatest(event_id, coalesce(
        (select min(id) - 1 from event where id > :low and at >= :since), (select max(id) from event), 0)),
    consent_seq = greatest(consent_seq, (select coalesce(max(seq), 0) from consent_event) - :seqs),
    inbound_at = greatest(inbound_at, :since), task_at = greatest(task_at, :since)
"""


def happened(session: Session, now: datetime) -> list[Happened]:
    """News of every clinic that listens, not yet told, a bounded number at a time; moves the marks once all is read.

    The caller keeps what is returned in this transaction. Nothing is asked of the database's big tables when nobody
    listens.
    """
    low = session.scalar(text(_LOW))
    if low is None:
        return []
    found: list[Happened] = []
    whole = True
    for statement in (_MESSAGES, _CONSENTS, _INBOUND, _TASKS, _APPROVALS):
        asked = {"low": low} if statement is _MESSAGES else {}
        rows: Sequence[Any] = session.execute(text(statement), asked).all()
        whole = whole and len(rows) < AT_ONCE
        found += [Happened(*row) for row in rows]
    if whole:
        session.execute(text(_ADVANCE), {"low": low, "since": now - OVERLAP, "seqs": SEQS})
    return found
