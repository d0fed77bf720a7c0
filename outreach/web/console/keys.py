"""Keys of the API: made, shown once, taken back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from outreach.domain.access import Scope, grantable, may_revoke
from outreach.domain.window import moment, wall_at
from outreach.errors import BadInput, NotFound, Sentence, say
from outreach.store import audit, keys
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.forms import Form, Wired, id_of

router = APIRouter()
MOST = 50
LONGEST = 80
SHOWN = 50
"""Keys of one page: those that were revoked stay in the list."""
WORDS: dict[Scope, Sentence] = {
    Scope.PATIENTS_READ: say("Read patients: names, numbers, visits, consent"),
    Scope.PATIENTS_WRITE: say("Enrol and change patients"),
    Scope.CONSENTS_WRITE: say("Record and revoke consent"),
    Scope.VISITS_WRITE: say("Add, move and cancel visits"),
    Scope.MESSAGES_READ: say("Read messages and what became of them"),
    Scope.INBOUND_READ: say("Read what patients write, and tasks"),
    Scope.SEQUENCES_READ: say("Read sequences and words, and preview plans"),
    Scope.APPROVALS_WRITE: say("Approve words"),
    Scope.WEBHOOKS_WRITE: say("Set up webhooks"),
}


@router.get("/keys")
def listed(desk: AtDesk, out: Wired, done: str = "", after: str = "") -> HTMLResponse:
    """The clinic's keys, and the form for a new one."""
    return _page(desk, out, done=done, after=after)


@router.post("/keys")
def made(desk: AtDesk, form: Checked, out: Wired) -> Response:
    """A new key. Its secret stands on the page that answers, and nowhere again."""
    now = out.clock()
    typed, wrong = _typed(form), dict[str, str]()
    if not typed["name"] or len(typed["name"]) > LONGEST or not typed["name"].isprintable():
        wrong["name"] = say("Give a name of up to %(most)s characters, such as the program's.", most=LONGEST)
    scopes = [scope for scope in grantable(desk.signed.role) if scope.value in typed["scopes"]]
    if not scopes:
        wrong["scopes"] = say("Choose what the key may do.")
    try:
        expires_at = _expiry(typed["expires"], desk.clinic.zone, now)
    except BadInput as error:
        expires_at, wrong["expires"] = None, desk.say(error)
    if wrong:
        return _page(desk, out, typed=typed, wrong=wrong)
    with out.sessions.begin() as session:
        if len([one for one in keys.listing(session, desk.clinic.id) if one.state(now) == "active"]) >= MOST:
            wrong[""] = say("There are %(most)s keys already. Revoke one that nobody uses.", most=MOST)
        else:
            key_id, bearer = keys.make(
                session, clinic_id=desk.clinic.id, name=typed["name"], scopes=scopes, expires_at=expires_at,
                staff_id=desk.signed.staff_id, now=now,
            )  # fmt: skip
            audit.note(session, clinic_id=desk.clinic.id, at=now, actor_kind="staff", actor_id=desk.signed.staff_id,
                       action="key.made", subject="key", subject_id=key_id,
                       detail={"scopes": [scope.value for scope in scopes]})  # fmt: skip
    return _page(desk, out, typed=typed, wrong=wrong) if wrong else _page(desk, out, bearer=bearer)


@router.post("/keys/{key_id}/revoke")
def revoked(key_id: str, desk: AtDesk, _form: Checked, out: Wired) -> Response:
    """From now on it opens nothing. Twice is harmless."""
    found, now = id_of(key_id), out.clock()
    with out.sessions.begin() as session:
        key = next((one for one in keys.listing(session, desk.clinic.id) if one.id == found), None)
        if key is None:
            raise NotFound("no such key in this clinic")
        if not may_revoke(desk.signed.role, key.scopes):
            raise HTTPException(403, desk.say(say("An administrator revokes this key.")))
        if keys.revoke(session, desk.clinic.id, found, now):
            audit.note(session, clinic_id=desk.clinic.id, at=now, actor_kind="staff", actor_id=desk.signed.staff_id,
                       action="key.revoked", subject="key", subject_id=found)  # fmt: skip
    return RedirectResponse("/keys?done=revoked", 303)


def _typed(form: Form) -> dict[str, Any]:
    return {
        "name": " ".join(form.fields.get("name", "").split()),
        "expires": form.fields.get("expires", "").strip(),
        "scopes": [value for name, value in form.pairs if name == "scopes"],
    }


def _expiry(text: str, zone: str, now: datetime) -> datetime | None:
    """The end of that day by the clinic's clock; "" is never."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
        at = moment(datetime.combine(day + timedelta(days=1), time(0)), zone).at
    except (ValueError, OverflowError):
        raise BadInput(say("Give a day such as 2027-06-30, or leave it empty.")) from None
    if at <= now or day.year > wall_at(now, zone).year + 10:
        raise BadInput(say("Choose a day that is still to come, within ten years."))
    return at


def _page(
    desk: Desk,
    out: Wired,
    *,
    done: str = "",
    bearer: str = "",
    typed: Mapping[str, Any] | None = None,
    wrong: Mapping[str, str] | None = None,
    after: str = "",
) -> HTMLResponse:
    now = out.clock()
    with out.sessions() as session:
        found, following = keys.page(session, desk.clinic.id, SHOWN, after)
    return desk.page(
        "keys.html",
        422 if wrong else 200,
        keys=[(one, one.state(now), may_revoke(desk.signed.role, one.scopes)) for one in found],
        scopes=[(scope.value, desk.say(WORDS[scope])) for scope in grantable(desk.signed.role)],
        scope_words={scope: WORDS[scope] for scope in Scope},
        following=following,
        after=after,
        bearer=bearer,
        done=done,
        values=typed or {},
        wrong=wrong or {},
        api=f"{out.settings.public_url}/api/v1",
    )
