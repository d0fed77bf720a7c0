"""Webhooks: where the clinic's other programs listen, how that goes, and telling them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from outreach.domain.news import Kind
from outreach.errors import BadInput, Sentence, say
from outreach.providers.listener import place
from outreach.store import audit, calls, webhooks
from outreach.store.calls import Made
from outreach.store.webhooks import MOST, Hook
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.forms import Wired, id_of

router = APIRouter()
SHOWN = 50
TRIAL = "webhook.trial"
WORDS: dict[str, Sentence] = {
    Kind.DELIVERED: say("A message was delivered"),
    Kind.FAILED: say("A message could not be sent"),
    Kind.UNDELIVERED: say("A message did not arrive"),
    Kind.SUPPRESSED: say("A message was not sent: no consent, or a stop"),
    Kind.EXPIRED: say("A message was too late to send"),
    Kind.CANCELLED: say("A message stepped aside: its visit was moved or cancelled, or its course ended"),
    Kind.CONSENT: say("Consent changed"),
    Kind.INBOUND: say("A patient wrote"),
    Kind.TASK: say("Something needs a person"),
    Kind.APPROVAL: say("Words were approved, or an approval was withdrawn"),
    TRIAL: say("A trial"),
}


@dataclass(frozen=True)
class Line:
    """A call of the history in words."""

    call: Made
    what: Sentence | str


@router.get("/webhooks")
def listed(desk: AtDesk, out: Wired, done: str = "") -> HTMLResponse:
    """All of them, and the form for a new one."""
    return _page(desk, out, done=done)


@router.post("/webhooks")
def added(desk: AtDesk, form: Checked, out: Wired) -> Response:
    """A new one. Its secret stands on the page that answers, and nowhere again."""
    typed: dict[str, Any] = {
        "url": form.fields.get("url", "").strip(),
        "kinds": [value for name, value in form.pairs if name == "kinds"],
    }
    kinds, wrong = {kind for kind in Kind if kind.value in typed["kinds"]}, dict[str, str]()
    try:
        place(typed["url"], out.settings.demo)
    except BadInput as error:
        wrong["url"] = desk.say(error)
    if not kinds:
        wrong["kinds"] = say("Choose what it is to be told.")
    if wrong:
        return _page(desk, out, typed=typed, wrong=wrong)
    with out.sessions.begin() as session:
        known = webhooks.listing(session, desk.clinic.id)
        if len(known) >= MOST or any(one.url == typed["url"] and set(one.kinds) == kinds for one in known):
            full = say("There are %(most)s webhooks already. Take one away first.", most=MOST)
            wrong[""] = full if len(known) >= MOST else say("This address is told exactly that already.")
        else:
            webhook_id, secret = webhooks.add(session, desk.clinic.id, typed["url"], kinds, out.clock())
            _note(session, desk, out, "webhook.added", webhook_id, kinds=sorted(kinds))
    return _page(desk, out, typed=typed, wrong=wrong) if wrong else _page(desk, out, secret=secret)


@router.get("/webhooks/{webhook_id}")
def shown(webhook_id: str, desk: AtDesk, out: Wired, done: str = "") -> HTMLResponse:
    """One, with the calls of the last days."""
    with out.sessions() as session:
        hook = webhooks.get(session, desk.clinic.id, id_of(webhook_id))
        found = calls.history(session, desk.clinic.id, hook.id, SHOWN)
    lines = [Line(one, WORDS.get(one.kind, one.kind)) for one in found]
    failed = any(one.state == "given_up" for one in found)
    return desk.page("webhook.html", hook=hook, lines=lines, done=done, words=WORDS, failed=failed,
                     most=SHOWN)  # fmt: skip


@router.post("/webhooks/{webhook_id}/switch")
def switched(webhook_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """On or off. What waited is told when it is switched on."""
    on = form.fields.get("on") == "1"
    with out.sessions.begin() as session:
        hook = webhooks.get(session, desk.clinic.id, id_of(webhook_id))
        webhooks.change(session, hook, out.clock(), active=on)
        _note(session, desk, out, "webhook.changed", hook.id, active=on)
    return _back(hook, "on" if on else "off")


@router.post("/webhooks/{webhook_id}/try")
def tried(webhook_id: str, desk: AtDesk, _form: Checked, out: Wired) -> Response:
    """A call that tells nothing, to see whether it arrives."""
    with out.sessions.begin() as session:
        hook = webhooks.get(session, desk.clinic.id, id_of(webhook_id))
        calls.add(session, desk.clinic.id, hook.id, TRIAL, f"trial:{uuid4()}", {}, out.clock())
    return _back(hook, "tried")


@router.post("/webhooks/{webhook_id}/calls/{call_id}/replay")
def replayed(webhook_id: str, call_id: str, desk: AtDesk, _form: Checked, out: Wired) -> Response:
    """One call again, with the same id."""
    with out.sessions.begin() as session:
        hook = webhooks.get(session, desk.clinic.id, id_of(webhook_id))
        again = calls.replay(session, desk.clinic.id, hook.id, id_of(call_id), out.clock())
        if again:
            _note(session, desk, out, "webhook.replayed", hook.id, call=call_id)
    return _back(hook, "again" if again else "due")


@router.post("/webhooks/{webhook_id}/replay")
def replayed_failed(webhook_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """All that were given up in so many days."""
    days = form.fields.get("days", "")
    back = timedelta(days=int(days) if days in map(str, range(1, 31)) else 30)
    with out.sessions.begin() as session:
        hook = webhooks.get(session, desk.clinic.id, id_of(webhook_id))
        count = calls.replay_failed(session, desk.clinic.id, hook.id, out.clock() - back, out.clock())
        if count:
            _note(session, desk, out, "webhook.replayed", hook.id, calls=count)
    return _back(hook, "again" if count else "none")


@router.post("/webhooks/{webhook_id}/remove")
def removed(webhook_id: str, desk: AtDesk, _form: Checked, out: Wired) -> Response:
    """Take it away with its history."""
    with out.sessions.begin() as session:
        hook = webhooks.get(session, desk.clinic.id, id_of(webhook_id))
        webhooks.remove(session, desk.clinic.id, hook.id, out.clock())
        _note(session, desk, out, "webhook.removed", hook.id)
    return RedirectResponse("/webhooks?done=removed", 303)


def _note(session: Session, desk: Desk, out: Wired, action: str, webhook_id: UUID, **detail: object) -> None:
    now: datetime = out.clock()
    audit.note(session, clinic_id=desk.clinic.id, at=now, actor_kind="staff", actor_id=desk.signed.staff_id,
               action=action, subject="webhook", subject_id=webhook_id, detail=detail)  # fmt: skip


def _back(hook: Hook, done: str) -> Response:
    return RedirectResponse(f"/webhooks/{hook.id}?done={done}", 303)


def _page(
    desk: Desk,
    out: Wired,
    *,
    done: str = "",
    secret: str = "",
    typed: Mapping[str, Any] | None = None,
    wrong: Mapping[str, str] | None = None,
) -> HTMLResponse:
    with out.sessions() as session:
        hooks = webhooks.listing(session, desk.clinic.id)
    return desk.page(
        "webhooks.html",
        422 if wrong else 200,
        hooks=hooks,
        words=WORDS,
        kinds=[(kind.value, desk.say(WORDS[kind])) for kind in Kind],
        secret=secret,
        done=done,
        values=typed or {},
        wrong=wrong or {},
    )
