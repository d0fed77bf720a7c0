"""A clinic as it is after years, for measuring its pages: 50,000 patients, a million messages with all their ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine, text

from outreach.actions.approve import approve_everything
from outreach.actions.count import count
from outreach.bench import crowd, page_inbox, page_office, page_previews
from outreach.bench.ground import settle
from outreach.bench.stock import Stock
from outreach.domain.access import Role
from outreach.store import staff
from outreach.wiring import Outreach

PATIENTS, PATIENTS_QUICK = 50_000, 200
EACH = 20  # messages of a patient
DAYS = 90

_DUE = (
    "now() - interval '60 days' + (place * 7919 + g * 104729) % 7776000 * interval '1 second'"  # and thirty days ahead
)
# Per thousand, by the message's own bytes, so that every run has the same: most arrive, some of everything else.
_ENDS = """
update message set status = kind.status, reason = kind.reason, segments = 2, locale = kind.locale,
  sent_at = case when kind.status in ('delivered', 'undelivered', 'unknown') then due_at end,
  ended_at = case when kind.status <> 'unknown' then due_at + interval '20 seconds' end
from (
  select id as drawn_id, locale,
         case when n < 870 then 'delivered' when n < 920 then 'undelivered' when n < 940 then 'failed'
              when n < 979 then 'suppressed' when n < 999 then 'cancelled' else 'unknown' end as status,
         case when n < 870 then null when n < 900 then 'unreachable' when n < 920 then 'bad_number'
              when n < 940 then 'blocked' when n < 979 then 'no_consent' when n < 999 then 'visit_moved' end as reason
  from (select m.id, p.locale, abs(hashtext(m.id::text)) % 1000 as n
        from message m join patient p on p.id = m.patient_id
        where m.due_at < now() - interval '1 minute') as drawn) as kind
where id = kind.drawn_id"""
_EVENTS = """
insert into event (clinic_id, message_id, source, word, status, reason, at)
select clinic_id, id, 'carrier', status, status, reason, ended_at from message
where status in ('delivered', 'undelivered', 'failed')"""


@dataclass(frozen=True)
class Settled:
    """The clinic, the cookie of an administrator who has signed in, and keys of its API that may do everything."""

    clinic: UUID
    cookie: str
    keys: Sequence[str]


def settled_clinic(out: Outreach, now: datetime, quick: bool, tell: Callable[[str], None]) -> Settled:
    """Fill the database of `out` and count its figures."""
    patients = PATIENTS_QUICK if quick else PATIENTS
    stock = Stock.open(out, 1, now)
    with out.sessions.begin() as session:  # every language is offered, and stands on the patients' pages
        approve_everything(session, stock.clinics[0], out.words, now)
    tell(f"making {patients:,} patients")
    begin = now - timedelta(days=60)
    stock.fill(patients, lambda number: begin + timedelta(seconds=number * 7919 % (DAYS * 86_400)))
    tell(f"making {patients * EACH:,} messages")
    crowd.multiply(out.engine, EACH - 1, _DUE)
    tell("giving them their ends")
    _run(out.engine, _ENDS)
    crowd.queue_anew(out.engine)
    _run(out.engine, _EVENTS)
    tell("writing to the clinic")
    page_inbox.written(stock, page_inbox.HEARD_QUICK if quick else page_inbox.HEARD, now)
    page_inbox.spoken(stock)
    page_previews.enrolled(out, stock.clinics[0], now)
    return _worked_in(out, stock.clinics[0], now, quick, tell)


def _worked_in(out: Outreach, clinic: UUID, now: datetime, quick: bool, tell: Callable[[str], None]) -> Settled:
    with out.sessions.begin() as session:
        who = staff.add(
            session, clinic_id=clinic, email="desk@lakeside.example", name="Desk", password="a long enough word",
            role=Role.ADMINISTRATOR,
        )  # fmt: skip
        cookie = staff.begin_session(session, clinic, who, now)
    audited = page_office.AUDITED_QUICK if quick else page_office.AUDITED
    bearers = page_office.left_behind(out, clinic, who, audited, now)
    tell("counting the figures")
    count(out.sessions, out.clock, seconds=1800, whole=True)
    settle(out.engine)
    return Settled(clinic, cookie, bearers)


def _run(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("set local synchronous_commit = off"))
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text(statement))
