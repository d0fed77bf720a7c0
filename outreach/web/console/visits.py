"""Moving and cancelling a visit."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from outreach.actions import move as moving
from outreach.domain.plan import Visit
from outreach.domain.sequence import Sequence
from outreach.domain.window import moment
from outreach.errors import BadInput, NotFound
from outreach.store import enrolments, infusions, patients
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.console.patients import id_of
from outreach.web.forms import Wired

router = APIRouter()
CHANGED = "Somebody changed this visit meanwhile. Look at it again."


@router.get("/visits/{visit_id}")
def shown(visit_id: str, desk: AtDesk, out: Wired) -> Response:
    """The form that moves a visit, and the button that cancels it."""
    with out.sessions() as session:
        visit, person = _visit(session, desk, visit_id)
    return _form(desk, visit, person, {})


@router.post("/visits/{visit_id}/move")
def move(visit_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """To the given wall time by the visit's own clock; planned messages follow."""
    now = out.clock()
    with out.sessions.begin() as session:
        visit, person = _visit(session, desk, visit_id)
        try:
            _unchanged(form.fields, visit)
            starts = _coming(form.fields, visit.zone, now)
            moving.move(session, visit.id, starts, visit.zone, _sequence(session, out, desk, visit), now,
                        clinic_id=desk.clinic.id)  # fmt: skip
        except BadInput as error:
            session.rollback()
            return _form(desk, visit, person, form.fields, str(error))
    return RedirectResponse(f"/patients/{person.id}?saved=moved", 303)


@router.post("/visits/{visit_id}/cancel")
def cancel(visit_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Cancels the visit and what had not gone out of its messages."""
    now = out.clock()
    with out.sessions.begin() as session:
        visit, person = _visit(session, desk, visit_id)
        try:
            _unchanged(form.fields, visit)
        except BadInput as error:
            return _form(desk, visit, person, {}, str(error))
        moving.cancel(session, visit.id, _sequence(session, out, desk, visit), now, clinic_id=desk.clinic.id)
    return RedirectResponse(f"/patients/{person.id}?saved=cancelled", 303)


def wall(fields: dict[str, str]) -> datetime:
    """Wall time of a form's date and time fields; BadInput when it is none."""
    try:
        return datetime.fromisoformat(f"{fields.get('date', '')}T{fields.get('time', '')}").replace(tzinfo=None)
    except ValueError:
        raise BadInput("Give a date and a time, such as 2026-11-28 and 10:00.") from None


def _coming(fields: dict[str, str], zone: str, now: datetime) -> datetime:
    starts = wall(fields)
    if moment(starts, zone).at <= now:
        raise BadInput("This time is over. Choose one that is still to come.")
    return starts


def _visit(session: Session, desk: Desk, visit_id: str) -> tuple[Visit, patients.Person]:
    """A visit of this clinic and its patient; another clinic's is not found."""
    visit = infusions.get(session, id_of(visit_id))
    course = enrolments.lock_course(session, visit.course_id)
    if course.clinic_id != desk.clinic.id:
        raise NotFound("no such visit in this clinic")
    return visit, patients.get(session, desk.clinic.id, course.patient_id)


def _unchanged(fields: dict[str, str], visit: Visit) -> None:
    """Two people at two desks: the second one sees what the first one did before deciding."""
    if fields.get("revision") != str(visit.revision) or visit.status != "booked":
        raise BadInput(CHANGED)


def _sequence(session: Session, out: Wired, desk: Desk, visit: Visit) -> Sequence:
    names = dict(enrolments.active(session, desk.clinic.id))
    try:
        return out.sequences[names[visit.course_id]]
    except KeyError:
        raise NotFound("this course follows no sequence any more") from None


def _form(desk: Desk, visit: Visit, person: patients.Person, fields: dict[str, str], wrong: str = "") -> Response:
    values = {"date": f"{visit.starts:%Y-%m-%d}", "time": f"{visit.starts:%H:%M}"} | fields
    return desk.page(
        "visit.html", 422 if wrong else 200, visit=visit, person=person, values=values,
        wrong={"": wrong} if wrong else {},
    )  # fmt: skip
