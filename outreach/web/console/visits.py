"""Adding, moving and cancelling visits: each shown beside what it changes before it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from outreach.actions import move as moving
from outreach.actions.extend import extend
from outreach.actions.load import chosen
from outreach.domain.plan import Visit
from outreach.domain.sequence import Sequence
from outreach.errors import BadInput, NotFound, say
from outreach.store import audit, enrolments, infusions, patients
from outreach.store.people import Person
from outreach.web.console import visit_form
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.console.rival import Rival, rival
from outreach.web.console.silence import explained
from outreach.web.console.trial import Difference, trial
from outreach.web.console.typed import Reading, sentence
from outreach.web.forms import Wired, id_of

router = APIRouter()
FIELDS = ("date", "time", "minutes", "revision")
Fields = Mapping[str, str]


class Meanwhile(Exception):
    """Somebody changed the visit since the form was shown."""


@router.get("/visits/{visit_id}")
def shown(visit_id: str, desk: AtDesk, out: Wired) -> Response:
    """The form that moves a visit, and the button that cancels it."""
    with out.sessions() as session:
        visit, person = _visit(session, desk, visit_id)
    return _form(desk, visit, person, {}, {})


@router.post("/visits/{visit_id}/move")
def move(visit_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """To the given wall time by the visit's own clock; planned messages follow. `step`: preview, change or save."""
    now, step, reading = out.clock(), form.fields.get("step"), Reading(form.fields, FIELDS)
    with out.sessions() as session:
        visit, person = _visit(session, desk, visit_id)
    reading.typed["minutes"] = reading.typed["minutes"] or str(visit.minutes)
    starts, minutes = _when(reading, visit, now, desk.signed.locale)
    if starts is None or minutes is None or reading.wrong or step == "change":
        return _form(desk, visit, person, reading.typed, {} if step == "change" else reading.wrong)

    def change(session: Session) -> None:
        held, _ = _unchanged(session, desk, visit_id, reading.typed["revision"])
        moving.move(session, held.id, starts, held.zone, _sequence(session, out, held), now, minutes=minutes,
                    clinic_id=desk.clinic.id)  # fmt: skip

    after = visit._replace(starts=starts, minutes=minutes)
    return _do(desk, out, visit, person, after, reading.typed, form.fields, change, "moved")


@router.post("/visits/{visit_id}/cancel")
def cancel(visit_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Cancels the visit and what had not gone out of its messages. `step` as for move."""
    now, fields = out.clock(), form.fields
    with out.sessions() as session:
        visit, person = _visit(session, desk, visit_id)

    def change(session: Session) -> None:
        held, _ = _unchanged(session, desk, visit_id, fields.get("revision", ""))
        moving.cancel(session, held.id, _sequence(session, out, held), now, clinic_id=desk.clinic.id)

    typed = {"revision": fields.get("revision", "")}
    return _do(desk, out, visit, person, None, typed, fields, change, "cancelled")


@router.get("/patients/{patient_id}/visits")
def blank(patient_id: str, desk: AtDesk, out: Wired) -> Response:
    """An empty form for more visits of a known patient."""
    with out.sessions() as session:
        person = patients.get(session, desk.clinic.id, id_of(patient_id))
    return _more(desk, person, dict.fromkeys(visit_form.FIELDS, "") | {"minutes": "60"}, {})


@router.post("/patients/{patient_id}/visits")
def added(patient_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Book them. `step`: fill (in a course's dates), preview, change or save."""
    now, step, who = out.clock(), form.fields.get("step"), id_of(patient_id)
    with out.sessions() as session:
        person = patients.get(session, desk.clinic.id, who)
    reading = Reading(form.fields, visit_form.FIELDS)
    visit_form.spread(reading)
    filling = visit_form.asks_to_fill(form.fields)
    if filling or step == "change":
        return _more(desk, person, reading.typed, reading.wrong if filling else {})
    visits = visit_form.read(reading, desk.clinic.zone, now, desk.signed.locale)
    if reading.wrong:
        return _more(desk, person, reading.typed, reading.wrong)

    def change(session: Session) -> int:
        return extend(session, desk.clinic.id, who, visits, chosen(out.sequences, None), now)

    try:
        if step != "save":
            found = trial(desk, out, who, change, form.fields.get("start", ""))
            return desk.page("visits_preview.html", person=person, visits=visits, values=reading.typed,
                             difference=found)  # fmt: skip
        with out.sessions.begin() as session:
            count = change(session)
            if count:
                audit.note(session, clinic_id=desk.clinic.id, at=now, actor_kind="staff",
                           actor_id=desk.signed.staff_id, action="visit.added", subject="patient", subject_id=who,
                           detail={"visits": count})  # fmt: skip
    except BadInput as error:
        return _more(desk, person, reading.typed, {"": sentence(error)})
    return RedirectResponse(f"/patients/{who}?saved={'added' if count else 'same'}", 303)


def _do(
    desk: Desk, out: Wired, visit: Visit, person: Person, after: Visit | None, typed: Fields, fields: Fields,
    change: Callable[[Session], object], word: str,
) -> Response:  # fmt: skip
    """Show what `change` would bring, or do it; `after`: the visit as it will be, None when it is cancelled. `fields`
    say which (`step`), and from which message on (`start`)."""
    try:
        if fields.get("step") != "save":
            found = trial(desk, out, person.id, change, fields.get("start", ""))
            with out.sessions() as session:
                found = explained(session, found, person, visit, after, out.clock())
            return _preview(desk, visit, person, after, typed, found)
        with out.sessions.begin() as session:
            change(session)
            audit.note(session, clinic_id=desk.clinic.id, at=out.clock(), actor_kind="staff",
                       actor_id=desk.signed.staff_id, action=f"visit.{word}", subject="visit",
                       subject_id=visit.id, detail={"version": infusions.get(session, visit.id).revision})  # fmt: skip
    except Meanwhile:
        with out.sessions() as session:
            now_is, person = _visit(session, desk, str(visit.id))
            by = rival(session, desk, ("visit", "infusion"), visit.id, now_is.revision)
        fresh = dict(typed) | {"revision": str(now_is.revision)}
        return _form(desk, now_is, person, fresh, {}, meanwhile=True, by=by)
    except BadInput as error:
        return _form(desk, visit, person, typed, {"": sentence(error)})
    return RedirectResponse(f"/patients/{person.id}?saved={word}", 303)


def _when(reading: Reading, visit: Visit, now: datetime, locale: str) -> tuple[datetime | None, int | None]:
    minutes = reading.get("minutes", visit_form.length)
    try:
        starts = visit_form.wall(reading.typed["date"], reading.typed["time"])
    except BadInput as error:
        reading.fault("time" if reading.typed["date"] else "date", sentence(error))
        return None, minutes
    visit_form.coming(reading, starts, visit.zone, now, locale)
    return starts, minutes


def _visit(session: Session, desk: Desk, visit_id: str) -> tuple[Visit, Person]:
    """A visit of this clinic and its patient; another clinic's is not found."""
    visit = infusions.get(session, id_of(visit_id))
    course = enrolments.course(session, visit.course_id)
    if course.clinic_id != desk.clinic.id:
        raise NotFound("no such visit in this clinic")
    return visit, patients.get(session, desk.clinic.id, course.patient_id)


def _unchanged(session: Session, desk: Desk, visit_id: str, revision: str) -> tuple[Visit, Person]:
    """The visit, its course locked. Two people at two desks: the second one sees what the first one did."""
    course, visit = infusions.locked(session, id_of(visit_id))
    if course.clinic_id != desk.clinic.id:
        raise NotFound("no such visit in this clinic")
    person = patients.get(session, desk.clinic.id, course.patient_id)
    if revision != str(visit.revision) or visit.status != "booked":
        raise Meanwhile
    return visit, person


def _sequence(session: Session, out: Wired, visit: Visit) -> Sequence:
    name = enrolments.of_course(session, visit.course_id)
    if name is None or name not in out.sequences:
        raise BadInput(say("This course follows no series of messages any more, so its visits cannot be changed here."))
    return out.sequences[name]


def _form(
    desk: Desk, visit: Visit, person: Person, typed: Fields, wrong: Fields, *, meanwhile: bool = False,
    by: Rival | None = None,
) -> Response:  # fmt: skip
    values = {"date": f"{visit.starts:%Y-%m-%d}", "time": f"{visit.starts:%H:%M}", "minutes": str(visit.minutes),
              "revision": str(visit.revision)} | dict(typed)  # fmt: skip
    status = 409 if meanwhile else 422 if wrong else 200
    return desk.page("visit.html", status, visit=visit, person=person, values=values, wrong=wrong, meanwhile=meanwhile,
                     by=by)  # fmt: skip


def _preview(
    desk: Desk, visit: Visit, person: Person, after: Visit | None, typed: Fields, difference: Difference
) -> Response:
    return desk.page("visit_preview.html", visit=visit, person=person, after=after, values=typed,
                     difference=difference)  # fmt: skip


def _more(desk: Desk, person: Person, values: Fields, wrong: Fields) -> Response:
    return desk.page("visits.html", 422 if wrong else 200, person=person, values=values, wrong=wrong,
                     lines=visit_form.lines(values), most=visit_form.MOST)  # fmt: skip
