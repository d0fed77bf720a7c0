"""The day's messages and how many of each there are."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from outreach.domain.status import Status
from outreach.domain.window import moment, wall_at
from outreach.store import patients, seen, undecided
from outreach.web.console import brakes
from outreach.web.console.desk import AtDesk
from outreach.web.console.timeline import Item
from outreach.web.forms import Wired

router = APIRouter()
MOST = 300


@router.get("/today")
def today(desk: AtDesk, out: Wired, day: str = "") -> HTMLResponse:
    """Messages due on one day of the clinic's calendar; `day` is YYYY-MM-DD, today by default."""
    zone = desk.clinic.zone
    present = wall_at(out.clock(), zone).date()
    shown = _date(day) or present
    start, end = (moment(datetime.combine(one, time()), zone).at for one in (shown, shown + timedelta(days=1)))
    with out.sessions() as session:
        rows = seen.for_day(session, desk.clinic.id, start, end)
        in_doubt = undecided.count(session, desk.clinic.id)
        held_back = brakes.count(session, desk.clinic.id, out.clock())
        names = {one.id: one.name for one in patients.listing(session, desk.clinic.id)}
    counts = Counter(row.status for row in rows)
    items = [replace(Item(row, row.due_at, zone), name=names.get(row.patient_id, "?")) for row in rows[:MOST]]
    return desk.page(
        "today.html",
        date=datetime.combine(shown, time()),
        before=shown - timedelta(days=1),
        after=shown + timedelta(days=1),
        is_today=shown == present,
        counts=[(status, counts[status]) for status in Status if counts[status]],
        items=items,
        more=len(rows) - len(items),
        held_back=held_back,
        in_doubt=in_doubt,
    )


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2100 else None
