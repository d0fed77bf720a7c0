"""Enrolling a patient: the form, a trial run of what it would bring, and only then the real thing."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from outreach.actions.enrol import Enrol, Enrolled, enrol
from outreach.domain.channel import Channel
from outreach.domain.contact import index_form, phone
from outreach.errors import BadInput
from outreach.store import inbox, patients, seen
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.console.enrol_form import read, starting, zones
from outreach.web.console.patients import language_name
from outreach.web.console.timeline import Item, items
from outreach.web.forms import Wired

router = APIRouter()
SEQUENCE = "ketamine-infusion"
KNOWN = "This patient is enrolled already: look under Patients."


@router.get("/patients/new")
def blank(desk: AtDesk, out: Wired) -> HTMLResponse:
    """An empty form."""
    return _form(desk, out, starting(desk, out.clock()), {})


@router.post("/patients/new")
def posted(desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Three buttons: show what will be sent, back to the form, save."""
    step, now = form.fields.get("step"), out.clock()
    wanted, reading = read(form.fields, desk, out.words.locales, now)
    if step == "change":
        return _form(desk, out, reading.typed, {})
    if wanted is None:
        return _form(desk, out, reading.typed, reading.wrong)
    try:
        if step != "save":
            return _preview(desk, out, reading.typed, _trial(desk, out, wanted))
        with out.sessions.begin() as session:
            patient_id = _enrol(session, desk, out, wanted).patient_id
    except BadInput as error:
        return _form(desk, out, reading.typed, {"": str(error)})
    return RedirectResponse(f"/patients/{patient_id}?saved=enrolled", 303)


def _enrol(session: Session, desk: Desk, out: Wired, wanted: Enrol) -> Enrolled:
    if _known(session, desk, wanted):
        raise BadInput(KNOWN)
    return enrol(session, wanted, out.sequences[SEQUENCE], out.clock())


def _trial(desk: Desk, out: Wired, wanted: Enrol) -> list[Item]:
    """What saving would bring: done in full, read back, and rolled back. The preview cannot say anything else."""
    with out.sessions() as session:
        try:
            patient_id = _enrol(session, desk, out, wanted).patient_id
            rows = seen.timeline(session, desk.clinic.id, patient_id)
            return items(session, out, rows, desk.clinic.zone, out.clock())
        finally:
            session.rollback()


def _known(session: Session, desk: Desk, wanted: Enrol) -> bool:
    """Whether this is a second form for the same person: their number here, or their name at the same address."""
    if wanted.external and patients.by_external(session, desk.clinic.id, wanted.external):
        return True
    addresses = [(Channel.SMS, phone(wanted.phone, desk.country, lenient=True))] if wanted.phone else []
    addresses += [(Channel.EMAIL, index_form(Channel.EMAIL, wanted.email))] if wanted.email else []
    there = [one for channel, form in addresses for one in inbox.senders(session, desk.clinic.id, channel, form)]
    names = [patients.get(session, desk.clinic.id, one.patient_id).name.casefold() for one in there]
    return wanted.name.casefold() in names


def _form(desk: Desk, out: Wired, values: Mapping[str, str], wrong: Mapping[str, str]) -> HTMLResponse:
    languages = [("", [(locale, language_name(out, locale)) for locale in out.words.locales])]
    return desk.page(
        "enrol.html", 422 if wrong else 200, values=values, wrong=wrong, languages=languages, zones=zones(desk.country)
    )


def _preview(desk: Desk, out: Wired, values: Mapping[str, str], found: list[Item]) -> HTMLResponse:
    return desk.page(
        "enrol_preview.html", values=values, items=found, language=lambda locale: language_name(out, locale)
    )
