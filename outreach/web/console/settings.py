"""The clinic's settings: who it is, when and how often it writes, what its patients read of it."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from outreach.actions import adjust
from outreach.actions.adjust import Meanwhile
from outreach.actions.twice import answered_twice
from outreach.errors import BadInput, say
from outreach.store import clinics
from outreach.web.console.clocks import zones
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.console.settings_form import FIELDS, MOST, countries, read, typed
from outreach.web.console.typed import sentence
from outreach.web.forms import Wired

router = APIRouter()
DONE = {
    "kept": say("Saved."),
    "hours": say("Saved. What goes out keeps to the new hours from now on; planned times follow within the hour."),
}
SEEN = "seen."
"""Before the name of a field: the mark of the value that the form was filled with."""


@router.get("/settings")
def shown(desk: AtDesk, out: Wired, done: str = "") -> HTMLResponse:
    """The form, as the settings stand."""
    with out.sessions() as session:
        stored = adjust.as_stored(clinics.by_id(session, desk.clinic.id))
    return _page(desk, out, typed(stored), adjust.marks(stored), {}, done=done)


@router.post("/settings")
def saved(desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Save them; or the form again, with everything typed, and a sentence where something is wrong or has changed."""
    fields = form.fields
    seen = {name: fields.get(SEEN + name, "") for name in FIELDS}
    with out.sessions() as session:
        stored = adjust.as_stored(clinics.by_id(session, desk.clinic.id))
    wanted, reading = read(fields, stored, out.words.locales, out.laws)
    if reading.wrong:
        return _page(desk, out, reading.typed, seen, reading.wrong, 422)
    try:
        with out.sessions.begin() as session:
            done = adjust.adjust(session, desk.clinic.id, wanted, seen, out.clock(), by=desk.signed.staff_id)
    except Meanwhile as meanwhile:
        return _crossed(desk, out, wanted, reading.typed, seen, meanwhile)
    except BadInput as error:
        return _page(desk, out, reading.typed, seen, {"quiet_from": sentence(error)}, 422)
    return RedirectResponse(f"/settings?done={'hours' if done.dated_anew else 'kept'}", 303)


def _crossed(
    desk: Desk,
    out: Wired,
    wanted: Mapping[str, object],
    written: Mapping[str, str],
    seen: Mapping[str, str],
    meanwhile: Meanwhile,
) -> HTMLResponse:
    """The form with what this person wrote, and elsewhere with what stands there now: neither's words are lost."""
    with out.sessions() as session:
        stored = adjust.as_stored(clinics.by_id(session, desk.clinic.id))
    there, marks = typed(stored), adjust.marks(wanted)
    values = {name: written[name] if marks[name] != seen[name] else there[name] for name in FIELDS}
    wrong = {"": sentence(meanwhile)} | {
        name: say("Somebody else wrote here: %(value)s", value=there[name] or "–") for name in meanwhile.changed
    }
    return _page(desk, out, values, adjust.marks(stored), wrong, 409)


def _page(
    desk: Desk,
    out: Wired,
    values: Mapping[str, str],
    seen: Mapping[str, str],
    wrong: Mapping[str, str],
    status: int = 200,
    *,
    done: str = "",
) -> HTMLResponse:
    with out.sessions() as session:
        clinic = clinics.by_id(session, desk.clinic.id)
        twice = answered_twice(session, clinic.id, out.answering)
    law = out.laws[clinic.law]
    languages = [("", [(code, out.words.language(code).own_name) for code in out.words.locales])]
    return desk.page(
        "settings.html", status, values=values, wrong=wrong, seen={SEEN + name: mark for name, mark in seen.items()},
        languages=languages, countries=[("", countries(desk.signed.locale))], zones=zones(desk), most=MOST,
        done=DONE.get(done, ""), law=law, laws=[("", [(one.code, one.name) for one in out.laws.values()])],
        laxer=law.laxer(clinic.quiet_from, clinic.quiet_to, clinic.most_a_day, clinic.most_a_week),
        twice=twice, join=f"{out.settings.public_url}/join/{clinic.slug}",
    )  # fmt: skip
