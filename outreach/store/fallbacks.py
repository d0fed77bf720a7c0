"""Messages that did not arrive: what is known of them, and which of them an e-mail may stand in for."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.store.arrays import Ids
from outreach.store.rows import Ask, fetch
from outreach.store.vault import vault_of


class Undone(NamedTuple):
    """A message that surely did not arrive. `another_day`: its number was an unknown handset on another day too."""

    id: UUID
    clinic_id: UUID
    address_id: UUID | None
    channel: Channel
    step: str
    another_day: bool


_UNDONE = """
select m.id, m.clinic_id, m.address_id, m.channel, m.step, exists (
  select from message r where r.patient_id = m.patient_id and r.address_id = m.address_id and r.id <> m.id
    and r.status in ('failed', 'undelivered') and r.reason = 'unknown_handset'
    and (r.ended_at at time zone m.zone)::date <> (m.ended_at at time zone m.zone)::date)
from message m where m.id = any(%(ids)b::uuid[]) and m.status in ('failed', 'undelivered') order by m.id
"""


def undone(session: Session, ids: Collection[UUID]) -> list[Undone]:
    """Those of these messages that ended undone."""
    rows = fetch(session, _UNDONE, ids=Ids.of(ids))
    return [Undone(one, clinic, address, Channel(by), step, again) for one, clinic, address, by, step, again in rows]


class Missed(NamedTuple):
    """A message an e-mail may stand in for: still true, still of use, and not sent or planned by e-mail anyway."""

    id: UUID
    clinic_id: UUID
    patient_id: UUID
    enrolment_id: UUID | None
    course_id: UUID | None
    step: str
    revision: int
    zone: str
    locale: str | None
    useful_until: datetime
    facts: Mapping[str, str]
    email_id: UUID


# An e-mail that was suppressed, expired or cancelled said nothing: it does not stand in the way. A visit moved or
# cancelled since has news of its own, and the old words would be untrue.
_MISSED = """
select m.id, m.clinic_id, m.patient_id, m.enrolment_id, m.course_id, m.step, m.revision, m.zone, m.locale,
  m.useful_until, m.infusion_id, m.facts_sealed, a.id
from message m
join patient p on p.id = m.patient_id and p.active
join address a on a.patient_id = m.patient_id and a.channel = 'email' and a.active and a.unusable_at is null
where m.id = any(%(ids)b::uuid[]) and m.channel = 'sms' and m.status in ('failed', 'undelivered')
  and m.useful_until > %(now)b::timestamptz
  and exists (select from sender s where s.clinic_id = m.clinic_id and s.channel = 'email' and s.active)
  and case
    when m.occasion like 'visit:%%' then exists (select from infusion i where i.course_id = m.course_id
      and m.occasion = 'visit:' || i.id || ':' || i.revision)
    when m.occasion is not null then true
    else exists (select from infusion i where i.course_id = m.course_id and i.status <> 'cancelled'
      and (m.infusion_id is null or (i.id = m.infusion_id and i.revision = m.revision))) end
  and not exists (select from message t where t.patient_id = m.patient_id and t.channel = 'email' and t.step = m.step
    and t.revision = m.revision and t.status not in ('suppressed', 'expired', 'cancelled')
    and (t.infusion_id, t.occasion) is not distinct from (m.infusion_id, m.occasion)
    and t.course_id is not distinct from m.course_id)
order by m.id
"""


def missed(session: Session, ids: Collection[UUID], now: datetime) -> list[Missed]:
    """Those of these messages that an e-mail may stand in for, if its address has agreed."""
    vault, found = vault_of(session), []
    for *values, infusion_id, sealed, email_id in fetch(session, _MISSED, ids=Ids.of(ids), now=now):
        facts = json.loads(vault.open(sealed, "message.facts", values[1], values[0])) if sealed else {}
        if infusion_id:
            facts["infusion_id"] = str(infusion_id)
        found.append(Missed(*values, facts, email_id))  # type: ignore[call-arg]
    return found


_PUT_ASIDE = """
with aside as (
  update message f set status = 'cancelled', ended_at = %(now)b::timestamptz,
    reason = case when i.status = 'cancelled' then 'visit_cancelled' else 'visit_moved' end
  from message m join infusion i on i.id = m.infusion_id
  where f.patient_id = %(patient)b::uuid and f.course_id = %(course)b::uuid
    and f.status in ('scheduled', 'suppressed') and f.occasion = 'fallback:' || m.id
    and m.patient_id = f.patient_id and (i.status = 'cancelled' or i.revision <> m.revision)
  returning f.id, f.clinic_id, f.reason)
insert into event (clinic_id, message_id, source, word, status, reason, at)
select clinic_id, id, 'plan', 'put aside', 'cancelled', reason, %(now)b::timestamptz from aside returning message_id
"""


def putting_aside(course_id: UUID, patient_id: UUID, now: datetime) -> Ask:
    """To cancel what waits to stand in for a message about a visit that has been moved or cancelled since."""
    return Ask(_PUT_ASIDE, {"course": course_id, "patient": patient_id, "now": now})
