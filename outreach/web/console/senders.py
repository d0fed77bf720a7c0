"""What the clinic writes from: each number and mailbox, its limit, its share, and what it carried since yesterday."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from outreach.actions.twice import answered_twice
from outreach.store import pauses, senders
from outreach.store.senders import Carried, Entry
from outreach.web.console.desk import AtDesk
from outreach.web.forms import Wired

router = APIRouter()
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Line:
    """One sender of the page."""

    sender: Entry
    carried: Carried
    held: bool


@router.get("/senders")
def listed(desk: AtDesk, out: Wired) -> HTMLResponse:
    """Read only: senders are changed by whoever runs the service (`outreach sender`)."""
    now = out.clock()
    with out.sessions() as session:
        found = senders.listing(session, desk.clinic.id)
        carried = senders.carried(session, desk.clinic.id, now - DAY)
        on = pauses.active(session, [desk.clinic.id], now)
        twice = answered_twice(session, desk.clinic.id, out.answering)
    whole = on.clinic_held(desk.clinic.id)
    lines = [
        Line(one, carried.get(one.id, Carried(0, 0)), one.active and on.sender_held(desk.clinic.id, one.id))
        for one in found
        if one.active or one.id in carried
    ]
    return desk.page("senders.html", lines=lines, whole=whole, twice=twice)
