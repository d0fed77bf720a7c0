"""Enrolling a patient: the form, a trial run of what it would bring, and only then the real thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from outreach.actions.enrol import Enrol, Enrolled, enrol, take_turn
from outreach.actions.load import chosen
from outreach.actions.recognise import Recognised, recognised
from outreach.content.formats import phone as readable
from outreach.domain.status import Status
from outreach.errors import BadInput, say
from outreach.store import audit, clinics, seen
from outreach.store.told_once import truly
from outreach.web.console import visit_form
from outreach.web.console.clocks import zones
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.console.enrol_form import read, starting
from outreach.web.console.patients import languages
from outreach.web.console.stretch import Kind, Stretch, by_kind
from outreach.web.console.timeline import Item, items
from outreach.web.console.typed import sentence
from outreach.web.forms import Wired

router = APIRouter()
KNOWN = say("This patient is enrolled already. Another visit is added on the patient's page.")


class KnownAlready(BadInput):
    """`whom`: the patient of this clinic, and the field that tells."""

    def __init__(self, whom: Recognised) -> None:
        super().__init__(KNOWN)
        self.whom = whom


@router.get("/patients/new")
def blank(desk: AtDesk, out: Wired) -> HTMLResponse:
    """An empty form."""
    return _form(desk, out, starting(desk), {})


@router.post("/patients/new")
def posted(desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Four buttons: fill in a course's dates, show what will be sent, back to the form, save."""
    step, now = form.fields.get("step"), out.clock()
    wanted, reading = read(form.fields, desk, out.spoken(desk.clinic).offered, now)
    filling = visit_form.asks_to_fill(form.fields)
    if step == "change" or filling:
        wrong = {name: text for name, text in reading.wrong.items() if filling and name in ("every", "times", "date")}
        return _form(desk, out, reading.typed, wrong)
    if wanted is None:
        return _form(desk, out, reading.typed, reading.wrong)
    try:
        if step != "save":
            return _preview(desk, out, reading.typed, wanted, form.fields.get("start", ""))
        with out.sessions.begin() as session:
            done = _enrol(session, desk, out, wanted)
            audit.note(session, clinic_id=desk.clinic.id, at=now, actor_kind="staff", actor_id=desk.signed.staff_id,
                       action="patient.enrolled", subject="patient", subject_id=done.patient_id,
                       detail={"visits": len(done.added)})  # fmt: skip
    except KnownAlready as error:
        return _form(desk, out, reading.typed, {error.whom.by: KNOWN}, known=error.whom.patient_id)
    except BadInput as error:
        return _form(desk, out, reading.typed, {"": sentence(error)})
    return RedirectResponse(f"/patients/{done.patient_id}?saved=enrolled", 303)


def _enrol(session: Session, desk: Desk, out: Wired, wanted: Enrol) -> Enrolled:
    clinic = clinics.by_id(session, desk.clinic.id)  # held: who asks for it again is not answered by the database
    take_turn(session, wanted)
    if whom := recognised(session, clinic, wanted):
        raise KnownAlready(whom)
    return enrol(session, wanted, chosen(out.sequences, None), out.clock())


@dataclass(frozen=True)
class Outlook:
    """What saving would bring. `items`: those that stand on this page, with their words; `others`: the rest of what
    will be sent; `left`: what is planned and not sent, and why."""

    items: list[Item]
    stretch: Stretch
    others: list[Kind]
    left: list[Kind]


def _trial(desk: Desk, out: Wired, wanted: Enrol, start: str) -> Outlook:
    """What saving would bring: done in full, read back, and rolled back. The preview cannot say anything else.

    Words only for the lines of one page: a course of twelve visits on two channels is well over a hundred messages.
    """
    with out.sessions() as session:
        try:
            patient_id = _enrol(session, desk, out, wanted).patient_id
            rows = seen.timeline(session, desk.clinic.id, patient_id)
            going = [row for row in rows if row.status is Status.SCHEDULED]
            here = Stretch.of(len(going), start)
            shown = going[here.first : here.after]
            others = [*going[: here.first], *going[here.after :]]
            left = [row._replace(reason=truly(row, rows)) for row in rows if row.status is not Status.SCHEDULED]
            lines = items(session, out, shown, desk.clinic.zone, out.clock(), desk.signed.locale)
            return Outlook(lines, here, by_kind(others), by_kind(left))
        finally:
            session.rollback()


def _form(
    desk: Desk, out: Wired, values: Mapping[str, str], wrong: Mapping[str, str], known: UUID | None = None
) -> HTMLResponse:
    """`known`: the patient of this clinic who has what was typed."""
    return desk.page(
        "enrol.html", 422 if wrong else 200, values=values, wrong=wrong, languages=languages(desk, out),
        zones=zones(desk), lines=visit_form.lines(values), most=visit_form.MOST, known=known,
    )  # fmt: skip


def _preview(desk: Desk, out: Wired, values: Mapping[str, str], wanted: Enrol, start: str) -> HTMLResponse:
    return desk.page(
        "enrol_preview.html", values=values, found=_trial(desk, out, wanted, start),
        visits=sorted(wanted.visits, key=lambda one: one.starts), email=wanted.email,
        phone=readable(wanted.phone) if wanted.phone else "",
    )  # fmt: skip
