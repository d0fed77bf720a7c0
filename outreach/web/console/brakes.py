"""Held back: what is paused and how much waits for it, what needs a look, and the switches for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from outreach.actions.fallback import UNUSABLE
from outreach.actions.hold import choices, hold
from outreach.domain.brakes import Scope
from outreach.domain.channel import Channel
from outreach.errors import BadInput, NotFound, say
from outreach.store import alerts, audit, patients, pauses, unusable
from outreach.store.alerts import Raised
from outreach.store.pauses import Held
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.forms import Wired, id_of
from outreach.web.views import language

router = APIRouter()
SHOWN = 60
"""Alerts of one page."""
DONE = {
    "paused": say("Paused. What is due from now on waits here; nothing is lost while it is still useful."),
    "resumed": say("Resumed. What waited goes out within a few seconds."),
    "cleared": say("Taken off the list. If it happens again, it comes back."),
    "gone": say("Somebody else was faster: it was over already."),
}


@dataclass(frozen=True)
class Line:
    """A pause as a card. `what`: its key in words. `ours`: this clinic may resume it; the operator's it may not."""

    held: Held
    what: str
    waiting: int
    by: str
    ours: bool


@dataclass(frozen=True)
class Owner:
    """Whose number or mailbox an alert is about."""

    patient_id: UUID
    name: str
    channel: Channel


@router.get("/held")
def listed(desk: AtDesk, out: Wired, done: str = "", after: str = "") -> HTMLResponse:
    """What is paused at this clinic, and its open alerts."""
    return _page(desk, out, done=DONE.get(done, ""), after=after)


@router.post("/held")
def pause(desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Pause what was chosen, with the reason that was given."""
    chosen, reason = form.fields.get("what", ""), form.fields.get("reason", "")
    try:
        scope, key = _chosen(chosen)
        with out.sessions.begin() as session:
            known = choices(session, desk.clinic.id, out.sequences, out.words.locales)
            hold(session, desk.clinic.id, scope, key, known, reason=reason, actor=_actor(desk),
                 now=out.clock())  # fmt: skip
            _audit(session, desk, out, "pause.begun", scope.value, key)
    except BadInput as error:
        return _page(desk, out, values={"what": chosen, "reason": reason}, wrong=desk.say(error))
    return RedirectResponse("/held?done=paused", 303)


@router.post("/held/{pause_id}/resume")
def resume(pause_id: str, desk: AtDesk, _form: Checked, out: Wired) -> Response:
    """Lift a pause of this clinic and wake what waited."""
    try:
        with out.sessions.begin() as session:
            pauses.lift(session, id_of(pause_id), _actor(desk), out.clock(), desk.clinic.id)
            _audit(session, desk, out, "pause.ended", "pause", pause_id)
    except NotFound:
        return RedirectResponse("/held?done=gone", 303)
    return RedirectResponse("/held?done=resumed", 303)


@router.post("/held/alerts/{alert_id}")
def clear(alert_id: str, desk: AtDesk, _form: Checked, out: Wired) -> Response:
    """Somebody has seen to it."""
    with out.sessions.begin() as session:
        found = alerts.clear_by_id(session, desk.clinic.id, id_of(alert_id), out.clock())
        if found:
            _audit(session, desk, out, "alert.seen", "alert", alert_id)
    return RedirectResponse(f"/held?done={'cleared' if found else 'gone'}", 303)


def count(session: Session, clinic_id: UUID, now: datetime) -> tuple[int, int]:
    """(pauses, alerts) that are open, for the day's page."""
    return len(pauses.listing(session, clinic_id, now)), len(alerts.open_alerts(session, clinic_id))


def _page(
    desk: Desk, out: Wired, done: str = "", values: Mapping[str, str] | None = None, wrong: str = "", after: str = ""
) -> HTMLResponse:
    now = out.clock()
    with out.sessions() as session:
        known = choices(session, desk.clinic.id, out.sequences, out.words.locales)
        lines = [_line(session, desk, out, one, known) for one in pauses.listing(session, desk.clinic.id, now)]
        open_alerts, following = alerts.page(session, desk.clinic.id, SHOWN, after)
        owners = _owners(session, desk.clinic.id, open_alerts)
    return desk.page(
        "brakes.html",
        422 if wrong else 200,
        lines=lines,
        alerts=open_alerts,
        following=following,
        after=after,
        owners=owners,
        named={key: words for scope in known for key, words in _words(desk, scope, known).items()},
        choices={scope.value: _words(desk, scope, known) for scope in known if known[scope]},
        values=values or {},
        wrong={"": wrong} if wrong else {},
        done=done,
    )


def _chosen(value: str) -> tuple[Scope, str]:
    scope, _, key = value.partition(":")
    if scope not in {one.value for one in Scope if one is not Scope.SERVICE}:
        raise BadInput(say("Choose from the list what to pause."))
    return Scope(scope), key


def _line(session: Session, desk: Desk, out: Wired, held: Held, known: Mapping[Scope, Mapping[str, str]]) -> Line:
    what = _words(desk, held.scope, known).get(held.key, held.key)
    by = "you" if held.actor == _actor(desk) else held.actor.partition(":")[0]
    waiting = pauses.waiting(session, held, desk.clinic.id, out.clock())
    return Line(held, what, waiting, by, held.clinic_id == desk.clinic.id)


def _owners(session: Session, clinic_id: UUID, raised: list[Raised]) -> dict[str, Owner]:
    """By the alert's key, which holds no name: it is looked up for whoever is signed in, and kept nowhere."""
    keys = [UUID(one.key) for one in raised if one.kind == UNUSABLE]
    found = unusable.owners(session, clinic_id, keys) if keys else {}
    people = patients.named(session, clinic_id, {patient_id for patient_id, _ in found.values()})
    return {
        str(address_id): Owner(patient_id, people[patient_id].name, channel)
        for address_id, (patient_id, channel) in found.items()
    }


def _words(desk: Desk, scope: Scope, known: Mapping[Scope, Mapping[str, str]]) -> dict[str, str]:
    names = dict(known.get(scope, {}))
    return {one: language(one, desk.signed.locale) for one in names} if scope is Scope.LOCALE else names


def _audit(session: Session, desk: Desk, out: Wired, action: str, subject: str, subject_id: str) -> None:
    audit.note(session, clinic_id=desk.clinic.id, at=out.clock(), actor_kind="staff", actor_id=desk.signed.staff_id,
               action=action, subject=subject, subject_id=subject_id)  # fmt: skip


def _actor(desk: Desk) -> str:
    return f"staff:{desk.signed.staff_id}"
