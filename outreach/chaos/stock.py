"""Messages for a run: several clinics, several messages to each patient, due one after the other over a stretch."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text

from outreach.bench.stock import STEPS, Stock
from outreach.wiring import Outreach

CLINICS = 5
EACH = len(STEPS)
"""Messages of each patient: as many as there are steps to tell of one visit."""

# The further messages of a patient: the first one's row with another step, due later. `n` counts from 1.
_MORE = text(
    """
insert into message (id, clinic_id, patient_id, enrolment_id, course_id, infusion_id, address_id, step, channel,
  revision, wall, zone, tz_version, rule, due_at, useful_until, planned_at, status, urgent, attempts, segments)
select gen_random_uuid(), clinic_id, patient_id, enrolment_id, course_id, infusion_id, address_id,
  (cast(:steps as text[]))[1 + (array_position(cast(:steps as text[]), step::text) - 1 + n) % cardinality(:steps)],
  channel, revision, wall + n * interval '1 minute', zone, tz_version, rule, due_at + n * :gap * interval '1 second',
  useful_until, planned_at, status, urgent, attempts, segments
from message cross join generate_series(1, :more) n
"""
)
_PLANNED = text(
    """
insert into event (clinic_id, message_id, source, word, status, at)
select clinic_id, id, 'plan', 'planned', 'scheduled', planned_at from message m
where not exists (select from event e where e.message_id = m.id)
"""
)


def fill(out: Outreach, count: int, start: datetime, seconds: float) -> int:
    """Add about `count` messages, due evenly over `seconds` from `start`; returns how many.

    A patient's messages are due a quarter of the stretch apart, and stand in `wall` order a minute apart.
    """
    patients = max(1, count // EACH)
    gap = seconds / EACH
    stock = Stock.open(out.engine, out.sessions, out.vault, CLINICS, start)
    stock.fill(patients, lambda number: start + timedelta(seconds=gap * number / patients))
    with out.sessions.begin() as session:
        session.execute(_MORE, {"steps": list(STEPS), "gap": gap, "more": EACH - 1})
        session.execute(_PLANNED)
    return patients * EACH
