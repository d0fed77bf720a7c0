"""Messages in doubt: what is known of each, both possibilities, and the decision that only a person can take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from outreach.actions.resolve import Decision, resolve, why_not_again
from outreach.domain.doubt import next_ask
from outreach.domain.status import Status
from outreach.errors import NotAllowed, say
from outreach.store import audit, patients, undecided
from outreach.store.undecided import Known
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.console.timeline import Item, items
from outreach.web.forms import Wired, id_of

router = APIRouter()
MOST = 50
SAVED = {
    Decision.ARRIVED: say("Noted: it did arrive. It counts as delivered, on your word."),
    Decision.AGAIN: say("It goes out again now, as a new message."),
    Decision.LEFT: say("Noted: nothing more is sent. It counts as not arrived."),
}


@dataclass(frozen=True)
class Line:
    """A message in doubt as a card. `why_not`: why it cannot go again, "" when it can; `next_at`: the next question."""

    item: Item
    attempt: str
    started_at: datetime
    known: tuple[Known, ...]
    why_not: str
    next_at: datetime | None


@router.get("/doubts")
def listed(desk: AtDesk, out: Wired, saved: str = "") -> HTMLResponse:
    """The clinic's messages in doubt, the longest in doubt first."""
    done = SAVED[Decision[saved]] if saved in Decision.__members__ else ""
    return _page(desk, out, done=done)


@router.post("/doubts/{message_id}")
def decided(message_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """One of three buttons, for the very attempt the page showed: news that came meanwhile wins."""
    fields = form.fields
    if fields.get("decision") not in set(Decision):
        raise HTTPException(400, say("Choose one of the three buttons."))
    decision, wanted, attempt = Decision(fields["decision"]), id_of(message_id), id_of(fields.get("attempt", ""))
    try:
        with out.sessions.begin() as session:
            now_is = resolve(session, desk.clinic.id, wanted, attempt, decision, desk.signed.staff_id, out.clock())
            if now_is is None:
                audit.note(session, clinic_id=desk.clinic.id, at=out.clock(), actor_kind="staff",
                           actor_id=desk.signed.staff_id, action="message.decided", subject="message",
                           subject_id=wanted, detail={"decision": decision.value})  # fmt: skip
    except NotAllowed as error:
        return _page(desk, out, 409, wrong=say("Nothing was done. %(why)s", why=desk.say(error)))
    if now_is is not None:
        return _page(desk, out, 409, meanwhile=now_is)
    return RedirectResponse(f"/doubts?saved={decision.name}", 303)


def _page(
    desk: Desk, out: Wired, status: int = 200, *, done: str = "", wrong: str = "", meanwhile: Status | None = None
) -> HTMLResponse:
    now = out.clock()
    with out.sessions() as session:
        lines = _lines(session, desk, out, now)
        total = undecided.count(session, desk.clinic.id)
    return desk.page("doubts.html", status, lines=lines, more=total - len(lines), done=done, wrong=wrong,
                     meanwhile=meanwhile, Decision=Decision)  # fmt: skip


def _lines(session: Session, desk: Desk, out: Wired, now: datetime) -> list[Line]:
    found = undecided.of_clinic(session, desk.clinic.id, MOST)
    shown = items(session, out, [one.seen for one in found], desk.clinic.zone, now)
    people = patients.named(session, desk.clinic.id, {one.seen.patient_id for one in found})
    hold = timedelta(seconds=out.settings.doubt_hold_seconds)
    return [
        Line(
            replace(item, name=people[one.seen.patient_id].name), str(one.attempt_id), one.started_at, one.known,
            why_not_again(one, now), next_ask(one.seen.channel, one.started_at, one.asked, hold),
        )
        for one, item in zip(found, shown, strict=True)
    ]  # fmt: skip
