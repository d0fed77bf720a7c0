"""Messages for a run: several clinics, several messages to each patient, due one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from outreach.bench.stock import STEPS, Stock
from outreach.wiring import Outreach

CLINICS = 5
EACH = len(STEPS)
"""Messages of each patient: as many as there are steps to tell of one visit."""

# The further messages of a patient: the first one's row with another step, at a later instant of `times`. Not its
# status: on a busy machine a worker may have begun it already, and its copies would stand as begun by nobody.
_MORE = text(
    """
with first as (select *, row_number() over (order by due_at, id) as place from message)
insert into message (id, clinic_id, patient_id, enrolment_id, course_id, infusion_id, address_id, step, channel,
  revision, wall, zone, tz_version, rule, due_at, useful_until, planned_at, status, urgent, attempts, segments)
select gen_random_uuid(), clinic_id, patient_id, enrolment_id, course_id, infusion_id, address_id,
  (cast(:steps as text[]))[1 + (array_position(cast(:steps as text[]), step::text) - 1 + n) % :each],
  channel, revision, wall + n * interval '1 minute', zone, tz_version, rule,
  (cast(:times as timestamptz[]))[n * :patients + place], useful_until, planned_at, 'scheduled', urgent, 0, 0
from first cross join generate_series(1, :each - 1) n
"""
)
_PLANNED = text(
    """
insert into event (clinic_id, message_id, source, word, status, at)
select clinic_id, id, 'plan', 'planned', 'scheduled', planned_at from message m
where not exists (select from event e where e.message_id = m.id)
"""
)


def fill(out: Outreach, times: Sequence[datetime]) -> int:
    """Add a message for each instant of `times` (sorted; cut to a multiple of EACH); returns how many.

    Each patient gets one message from each quarter of `times`; their `wall` order is that of their instants.
    """
    patients = max(1, len(times) // EACH)
    stock = Stock.open(out, CLINICS, times[0])
    stock.fill(patients, lambda number: times[number])
    told = {"steps": list(STEPS), "each": EACH, "patients": patients, "times": list(times)}
    with out.sessions.begin() as session:
        session.execute(_MORE, told)
        session.execute(_PLANNED)
    return patients * EACH
