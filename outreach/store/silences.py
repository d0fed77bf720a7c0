"""Silence: patients who were asked how they are, and have not said a word since."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.store.rows import fetch


@dataclass(frozen=True)
class Asked:
    """A question without an answer. `occasion` names the visit it is about: text and e-mail ask the same thing."""

    message_id: UUID
    clinic_id: UUID
    patient_id: UUID
    zone: str
    sent_at: datetime
    occasion: str


# Whoever has written anything since has not been silent: it stands in the inbox. Staff who test are not asked.
_UNANSWERED = """
select m.id, m.clinic_id, m.patient_id, p.zone, m.sent_at,
  'silence:' || coalesce(m.infusion_id, m.course_id, m.id) || ':' || m.step
from message m join patient p on p.id = m.patient_id
where m.clinic_id = %(clinic)b and m.due_at >= %(since)b and m.due_at < %(now)b and m.step = any(%(steps)b::text[])
  and m.status in ('sent', 'delivered') and m.sent_at is not null and p.active and not p.test
  and not exists (select from inbound i where i.patient_id = m.patient_id and i.received_at >= m.sent_at
    and not i.robot)
  and not exists (select from task t where t.clinic_id = m.clinic_id and t.kind = 'silence'
    and t.occasion = 'silence:' || coalesce(m.infusion_id, m.course_id, m.id) || ':' || m.step)
order by m.sent_at, m.id limit %(limit)b::int
"""


def unanswered(
    session: Session, clinic_id: UUID, steps: Collection[str], since: datetime, now: datetime, limit: int
) -> list[Asked]:
    """Messages of these steps, due from `since` on, that arrived or are on their way, and brought no word, for which
    there is no task yet; the oldest first."""
    rows = fetch(session, _UNANSWERED, clinic=clinic_id, since=since, now=now, steps=list(steps), limit=limit)
    return [Asked(*row) for row in rows]


_BROKEN = """
select t.id, t.clinic_id from task t join message m on m.id = t.message_id
where t.kind = 'silence' and t.closed_at is null and exists (
  select from inbound i where i.patient_id = t.patient_id and i.received_at >= m.sent_at and not i.robot)
order by t.clinic_id, t.id
"""


def broken(session: Session) -> list[tuple[UUID, UUID]]:
    """(task, clinic) of open tasks whose patient has written after all."""
    return [(row[0], row[1]) for row in fetch(session, _BROKEN)]
