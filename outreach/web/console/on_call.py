"""Who is on call: the order in which something urgent goes to the staff."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from outreach.actions.arrange import arrange
from outreach.errors import say
from outreach.store import on_call
from outreach.web.console.desk import AtDesk, Checked
from outreach.web.forms import Wired

router = APIRouter()
DONE = {"kept": say("Saved. The next urgent reply goes out in this order."), "same": say("Nothing was changed.")}


@router.get("/on-call")
def shown(desk: AtDesk, out: Wired, done: str = "") -> HTMLResponse:
    """Everybody who may answer, with their turn."""
    with out.sessions() as session:
        people = on_call.listing(session, desk.clinic.id)
    return desk.page("on_call.html", people=people, done=DONE.get(done, ""))


@router.post("/on-call")
def kept(desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Make the order that was chosen: by turn; of two with the same turn, whoever stood first on the page."""
    chosen = [(int(turn), UUID(name.removeprefix("turn-"))) for name, turn in form.pairs if _turn(name, turn)]
    ids = [staff_id for _, staff_id in sorted(chosen, key=lambda one: one[0])]
    with out.sessions.begin() as session:
        news = arrange(session, desk.clinic.id, ids, out.clock(), by=desk.signed.staff_id)
    return RedirectResponse(f"/on-call?done={'kept' if news else 'same'}", 303)


def _turn(name: str, turn: str) -> bool:
    """Whether this field of the form gives somebody a turn."""
    try:
        UUID(name.removeprefix("turn-"))
    except ValueError:
        return False
    return name.startswith("turn-") and turn.isascii() and turn.isdigit() and len(turn) < 4 and int(turn) > 0
