"""Changing a patient's data: the form, what the change would bring, and only then the change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from outreach.actions.correct import Wish, correct, now_is
from outreach.domain.channel import Channel
from outreach.errors import BadInput, NotAllowed
from outreach.store import patients
from outreach.store.people import Person
from outreach.store.went import Went, to_address
from outreach.web.console.clocks import zones
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.console.enrol_form import PERSON, person
from outreach.web.console.patients import languages
from outreach.web.console.rival import Rival, rival
from outreach.web.console.trial import trial
from outreach.web.console.typed import Reading, one_of, sentence
from outreach.web.forms import Wired, id_of

router = APIRouter()
FIELDS = (*PERSON, "wording", "active", "version")
ADDRESSES = {"phone": Channel.SMS, "email": Channel.EMAIL}
Values = dict[str, str]


@router.get("/patients/{patient_id}/edit")
def form(patient_id: str, desk: AtDesk, out: Wired) -> Response:
    """The form, filled with how it is."""
    with out.sessions() as session:
        known = patients.get(session, desk.clinic.id, id_of(patient_id))
        values = _values(known, now_is(session, known))
    return _form(desk, out, known, values, {})


@router.post("/patients/{patient_id}/edit")
def posted(patient_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Three buttons: show what changes, back to the form, save."""
    who, step = id_of(patient_id), form.fields.get("step")
    with out.sessions() as session:
        known = patients.get(session, desk.clinic.id, who)
        before = now_is(session, known)
    wish, reading = _read(form.fields, desk, out)
    if step == "change" or wish is None:
        return _form(desk, out, known, reading.typed, {} if step == "change" else reading.wrong)
    version = reading.typed["version"]
    if version != str(known.version):
        return _meanwhile(desk, out, known, before, reading.typed)

    def change(session: Session) -> tuple[str, ...]:
        return correct(session, desk.clinic.id, who, wish, int(version), out.sequences, staff_id=desk.signed.staff_id,
                       now=out.clock())  # fmt: skip

    try:
        if step != "save":
            found = trial(desk, out, who, change, form.fields.get("start", ""))
            return _preview(desk, out, known, before, wish, reading.typed, found)
        with out.sessions.begin() as session:
            changed = change(session)
    except NotAllowed:
        return _again(desk, out, who, reading.typed)
    except BadInput as error:
        return _form(desk, out, known, reading.typed, {"": sentence(error)})
    return RedirectResponse(f"/patients/{who}?saved={'changed' if changed else 'same'}", 303)


def _read(fields: Mapping[str, str], desk: Desk, out: Wired) -> tuple[Wish | None, Reading]:
    reading = Reading(fields, FIELDS)
    name, locale, zone, phone, email = person(reading, desk, out.spoken(desk.clinic).offered)
    wording = reading.get("wording", lambda text: one_of(text, ("full", "neutral"))) or ""
    active = reading.get("active", lambda text: one_of(text, ("yes", "no"))) == "yes"
    return None if reading.wrong else Wish(name, locale, zone, wording, active, phone, email), reading


def _values(known: Person, wish: Wish) -> Values:
    flat = {name: str(value) for name, value in asdict(wish).items()}
    return flat | {"active": "yes" if wish.active else "no", "version": str(known.version)}


def _changes(before: Values, after: Values) -> list[tuple[str, str, str]]:
    """(field, was, will be) of what differs."""
    return [(name, before[name], after[name]) for name in (*PERSON, "wording", "active") if before[name] != after[name]]


def _again(desk: Desk, out: Wired, who: UUID, typed: Values) -> Response:
    with out.sessions() as session:
        known = patients.get(session, desk.clinic.id, who)
        return _meanwhile(desk, out, known, now_is(session, known), typed)


def _meanwhile(desk: Desk, out: Wired, known: Person, now: Wish, typed: Values) -> Response:
    """Somebody was faster: both are shown, what was typed stays, and the next press counts."""
    values = _values(known, now)
    fresh = typed | {"version": values["version"]}
    with out.sessions() as session:
        by = rival(session, desk, ("patient",), known.id, known.version)
    return _form(desk, out, known, fresh, {}, 409, _changes(values, typed), by)


def _form(
    desk: Desk, out: Wired, known: Person, values: Mapping[str, str], wrong: Mapping[str, str], status: int = 0,
    meanwhile: list[tuple[str, str, str]] | None = None, by: Rival | None = None,
) -> Response:  # fmt: skip
    return desk.page(
        "patient_edit.html", status or (422 if wrong else 200), person=known, values=values, wrong=wrong,
        meanwhile=meanwhile, by=by, languages=languages(desk, out), zones=zones(desk, known.zone),
    )  # fmt: skip


def _preview(
    desk: Desk, out: Wired, known: Person, before: Wish, wish: Wish, typed: Values, difference: object
) -> Response:
    return desk.page(
        "patient_preview.html", person=known, values=typed, difference=difference, went=_went(out, known, before, wish),
        changes=_changes(_values(known, before), _values(known, wish)),
    )  # fmt: skip


def _went(out: Wired, known: Person, before: Wish, wish: Wish) -> dict[str, Went]:
    """What has gone to the addresses that the wish takes away: whoever has one may have read it."""
    left = {one for one in ADDRESSES if getattr(before, one) and getattr(before, one) != getattr(wish, one)}
    with out.sessions() as session:
        reaches = patients.addresses(session, known.clinic_id, known.id)
        went = {one: to_address(session, known.clinic_id, reaches[ADDRESSES[one]].id) for one in ADDRESSES
                if one in left and ADDRESSES[one] in reaches}  # fmt: skip
    return {name: one for name, one in went.items() if one.all}
