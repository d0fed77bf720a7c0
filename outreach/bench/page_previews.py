"""Previews, which do all of a change, show it and undo it: a course of twelve visits, and the forms that ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, time, timedelta
from uuid import UUID

from sqlalchemy import text

from outreach.actions.correct import now_is
from outreach.actions.enrol import Enrol, NewVisit, enrol
from outreach.actions.load import chosen
from outreach.actions.sign import Paper
from outreach.bench.page_doors import Door, Room
from outreach.domain.channel import Channel
from outreach.store import patients
from outreach.web.console.visit_form import MOST
from outreach.wiring import Outreach

EVERY = 3
"""Days between two visits."""
_WHOSE = (
    "select i.id::text, i.revision, c.patient_id, c.clinic_id from infusion i join course c on c.id = i.course_id"
    " where i.status = 'booked' and c.patient_id = (select patient_id from infusion i join course c on"
    " c.id = i.course_id group by 1 order by count(*) desc, 1 limit 1) order by i.starts, i.id limit 1"
)


def enrolled(out: Outreach, clinic_id: UUID, now: datetime) -> UUID:
    """A patient with as many visits as a form takes, written to by text and by e-mail, who agreed to both."""
    first = _first(now)
    visits = tuple(NewVisit(first + timedelta(days=EVERY * number), 40) for number in range(MOST))
    paper = Paper(frozenset(Channel), on=now.date() - timedelta(days=2), form="console", warned=True)
    form = Enrol(clinic_id=clinic_id, name="Jordan Example", locale="es", zone="America/Chicago", external="LONG",
                 phone="+12025550177", email="jordan@mail.example", visits=visits, paper=paper,
                 actor="import")  # fmt: skip
    with out.sessions.begin() as session:
        return enrol(session, form, chosen(out.sequences, None), now).patient_id


def previews(out: Outreach) -> Iterator[Door]:
    """Every form that shows what it would do, as it is sent for one visit and for a course; nothing is saved."""
    now = out.clock()
    with out.sessions() as session:
        visit_id, revision, patient_id, clinic_id = session.execute(text(_WHOSE)).one()
        person = patients.get(session, clinic_id, patient_id)
        known = {name: str(value) for name, value in asdict(now_is(session, person)).items()}
    first = _first(now)
    visit = {"date": f"{first:%Y-%m-%d}", "time": f"{first:%H:%M}", "minutes": "40"}
    course = visit | {"every": str(EVERY), "times": str(MOST)}
    someone = {"name": "Ana Sample", "locale": "es", "zone": "America/Chicago", "phone": "(202) 555-0188",
               "email": "ana@mail.example", "consent": "warned",
               "signed": f"{now - timedelta(days=2):%Y-%m-%d}"}  # fmt: skip
    later = visit | {"date": f"{first + timedelta(days=1):%Y-%m-%d}", "revision": str(revision)}
    more = course | {"date": f"{first + timedelta(days=60):%Y-%m-%d}"}
    other = known | {"active": "yes", "version": str(person.version), "locale": "en"}
    for name, path, form in (
        ("/patients/new, 1 visit", "/patients/new", someone | visit),
        (f"/patients/new, {MOST} visits", "/patients/new", someone | course),
        (f"/patients/new, {MOST} visits, further on", "/patients/new", someone | course | {"start": "24"}),
        (f"/visits/{{visit_id}}/move, one of {MOST}", f"/visits/{visit_id}/move", later),
        (f"/visits/{{visit_id}}/cancel, one of {MOST}", f"/visits/{visit_id}/cancel", {"revision": str(revision)}),
        (f"/patients/{{patient_id}}/visits, {MOST} more", f"/patients/{patient_id}/visits", more),
        (f"/patients/{{patient_id}}/edit, {MOST} visits", f"/patients/{patient_id}/edit", other),
    ):
        yield Door(Room.CONSOLE, f"POST {name}", path, form | {"step": "preview"})


def _first(now: datetime) -> datetime:
    """The first visit: by the clinic's clock, far enough that nothing of it is late."""
    return datetime.combine(now.date() + timedelta(days=14), time(10, 30))
