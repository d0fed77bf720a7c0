"""Millions of scheduled rows, made by the database itself out of those that are there."""

from __future__ import annotations

from sqlalchemy import Engine, text

from outreach.store.turns import INTO_QUEUE

_SHAPE = """
select indexname, indexdef from pg_indexes
where tablename = 'message' and schemaname = current_schema()
  and indexname not in (select conname from pg_constraint where conrelid = 'message'::regclass)"""

_MULTIPLY = """
insert into message (id, clinic_id, patient_id, enrolment_id, course_id, infusion_id, address_id, step, channel,
  revision, wall, zone, tz_version, rule, due_at, useful_until, planned_at, status, urgent, attempts, segments)
select uuidv7(), clinic_id, patient_id, enrolment_id, course_id, infusion_id, address_id, step, channel,
  g, wall, zone, tz_version, rule, due, due + interval '20 hours', planned_at, 'scheduled', false, 0, 0
from generate_series(1, :times) g
cross join (select *, row_number() over (order by due_at, id) as place from message where revision = 0) as seed
cross join lateral (select {due} as due) as moved"""

FUTURE = "now() + interval '1 day' + (place * 7919 + g * 104729) % 7776000 * interval '1 second'"
"""Spread over the ninety days from tomorrow on."""
OVERDUE = "now() - interval '2 hours' + g * interval '1 minute' + place * interval '1 microsecond'"
"""All due, and two of one patient far apart."""


def multiply(engine: Engine, times: int, due: str) -> None:
    """Add `times` rows for each row of revision 0, due as the SQL expression `due` says (of `g` and `place`).

    Indexes are dropped and made anew, and foreign keys are not asked: the rows point where their seeds point.
    """
    with engine.begin() as connection:
        connection.execute(text("set local synchronous_commit = off"))
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text("set local maintenance_work_mem = '1GB'"))
        indexes = connection.execute(text(_SHAPE)).all()
        for name, _ in indexes:
            connection.execute(text(f'drop index "{name}"'))
        connection.execute(text(_MULTIPLY.format(due=due)), {"times": times})
        for _, definition in indexes:
            connection.execute(text(definition))
    queue_anew(engine)


def queue_anew(engine: Engine) -> None:
    """Queue what is scheduled, and nothing else, after rows were written past the triggers that do it."""
    with engine.begin() as connection:
        connection.execute(text("truncate queued"))
        [[turn]] = connection.execute(text("select indexdef from pg_indexes where indexname = 'queued_turn'"))
        connection.execute(text("drop index queued_turn"))
        connection.execute(text(f"{INTO_QUEUE} where m.status = 'scheduled'"))
        connection.execute(text(turn))
