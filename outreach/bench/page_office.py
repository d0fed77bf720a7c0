"""What staff leave behind in years: colleagues, keys, a webhook's calls, patient lists, audit, alerts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from outreach.actions import load_list, take_in
from outreach.actions.columns import Reading, guess
from outreach.actions.fallback import UNUSABLE
from outreach.actions.sheet import Sheet
from outreach.bench.plan import Wrong
from outreach.domain.access import Role, Scope
from outreach.domain.news import Kind
from outreach.store import alerts, clinics, keys, notes, staff, unusable, uploads, webhooks
from outreach.store.tables import Address
from outreach.wiring import Outreach

COLLEAGUES = 30
CALLS = 2_000
ROWS, LOADED = 900, 40  # of the patient list that is checked, and of the one that was loaded
AUDITED, AUDITED_QUICK = 200_000, 500
ALERTS = 20
LIST = "Patient ID;Full name;Mobile;Language;Appointment;Minutes;Visit"

_AUDIT = """
insert into audit (clinic_id, at, actor_kind, actor_id, action, subject, subject_id, detail, previous, digest)
select :clinic, now() - g * interval '3 minutes', case when g % 4 = 0 then 'system' else 'staff' end,
  case when g % 4 > 0 then cast(:who as uuid) end, 'visit.moved', 'visit', gen_random_uuid()::text,
  '{"values": {"starts": ["2026-11-21 10:00", "2026-11-23 10:00"]}, "messages": 4}', '', ''
from generate_series(:count, 1, -1) g"""
_CALLS = """
insert into webhook_call (id, clinic_id, webhook_id, kind, source, payload_sealed, state, attempts, due_at,
  status_code, note, created_at, done_at)
select gen_random_uuid(), :clinic, :hook, 'message.delivered', 'event:' || g, '', 'told', 1, now(), 204, '',
  now() - g * interval '1 minute', now() from generate_series(1, :count) g"""
_FIRST = (
    "select patient_id from task where clinic_id = :clinic and closed_at is null and patient_id is not null limit 1"
)


def left_behind(out: Outreach, clinic: UUID, who: UUID, audited: int, now: datetime) -> list[str]:
    """All of it for a clinic with a stock. Returns keys of the API that may do everything."""
    bearers = []
    with out.sessions.begin() as session:
        for number in range(COLLEAGUES):
            staff.add(session, clinic_id=clinic, email=f"colleague.{number}@lakeside.example", name="Robin Example",
                      role=list(Role)[number % len(Role)])  # fmt: skip
            _, bearer = keys.make(session, clinic_id=clinic, name=f"Bookings {number}", scopes=list(Scope),
                                  expires_at=None, staff_id=who, now=now)  # fmt: skip
            bearers.append(bearer)
        hook, _ = webhooks.add(session, clinic, "https://hooks.lakeside.example/outreach", list(Kind), now)
        for address_id in session.scalars(select(Address.id).where(Address.clinic_id == clinic).limit(ALERTS)).all():
            alerts.raise_alert(session, clinic, UNUSABLE, str(address_id), "", now)
            unusable.mark(session, [address_id], now)
        someone = session.execute(text(_FIRST), {"clinic": clinic}).scalar_one()
        for _ in range(COLLEAGUES):
            notes.add(session, clinic, someone, "Prefers to be called in the afternoon.", staff_id=who, now=now)
        clinics.by_id(session, clinic).join_open = True
        session.execute(text(_AUDIT), {"clinic": clinic, "who": who, "count": audited})
        session.execute(text(_CALLS), {"clinic": clinic, "hook": hook, "count": CALLS})
    _lists(out, clinic, who, now)
    return bearers


def _lists(out: Outreach, clinic: UUID, who: UUID, now: datetime) -> None:
    """One that was loaded and can be undone, one that is checked, one whose columns nobody has told yet."""
    with out.sessions.begin() as session:
        small = _list(session, clinic, who, LOADED, now, understood=True)
    load_list.work_off(out.sessions, out.sequences, out.words, out.clock)
    with out.sessions.begin() as session:
        if not take_in.let_go(session, uploads.get(session, clinic, small), who, now):
            raise Wrong("the list of the stock was not loaded")
        _list(session, clinic, who, ROWS, now, understood=True)
        _list(session, clinic, who, LOADED, now, understood=False)
    load_list.work_off(out.sessions, out.sequences, out.words, out.clock)


def _list(session: Session, clinic: UUID, who: UUID, rows: int, now: datetime, *, understood: bool) -> UUID:
    visit = f"{now.year + 1}-03-0"
    lines = (f"L{number};Ana Sample;+1 202-555-01{number % 100:02d};en;{visit}{1 + number % 9}T10:{number % 60:02d};40;"
             f"V{number}" for number in range(rows))  # fmt: skip
    text_of = "\n".join([LIST if understood else f"{LIST};Remarks", *lines, ""])
    one = take_in.take_in(session, clinic, who, "visits.csv", text_of.encode(), now)
    if understood and one.state == "mapping":
        kept = uploads.content(session, one)
        headers = Sheet.of(kept or "").headers
        take_in.understand(session, one, headers, Reading(guess(headers)), now)
    return one.id
