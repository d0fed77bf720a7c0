"""The audit: who did what to whom, when; read only, for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from outreach.domain.window import moment
from outreach.store import audit, colleagues
from outreach.store.audit import Wanted
from outreach.store.office import Audit
from outreach.web.console.desk import AtDesk
from outreach.web.forms import Wired

router = APIRouter()
MOST = 50
KINDS = ("staff", "patient", "key", "system", "operator")
SUBJECTS = (
    "patient",
    "visit",
    "course",
    "message",
    "sequence",
    "list",
    "clinic",
    "staff",
    "pause",
    "sender",
    "key",
    "webhook",
    "task",
    "inbound",
    "words",
)
ALIKE = {"visit": ("visit", "infusion"), "infusion": ("visit", "infusion")}
"""Software's rows called a visit an infusion once, and no row is ever changed: asking for one finds both."""
PLACES = {
    "patient": "/patients/",
    "visit": "/visits/",
    "infusion": "/visits/",
    "sequence": "/sequences/",
    "list": "/imports/",
}
"""Where what an entry tells of can be looked at."""


@dataclass(frozen=True)
class Entry:
    """One row of the page. `who`, `whom`: names of staff, "" otherwise; `link`: "" where there is nothing to open."""

    row: Audit
    who: str
    whom: str
    link: str

    @property
    def said(self) -> list[tuple[str, Any]]:
        """What the row says besides, a line each: old and new values side by side."""
        values = self.row.detail.get("values", {})
        pairs = [(name, f"{old} → {new}") for name, (old, new) in values.items()]
        return pairs + [(name, _plain(value)) for name, value in self.row.detail.items() if name != "values"]


@router.get("/audit")
def shown(
    desk: AtDesk, out: Wired, day: str = "", actor: str = "", subject: str = "", of: str = "", below: str = ""
) -> HTMLResponse:  # fmt: skip
    """Entries of a day (YYYY-MM-DD by the clinic's clock), of somebody (an id, or a kind), about something."""
    typed = {"day": day, "actor": actor, "subject": subject, "of": of}
    since, before = _day(day, desk.clinic.zone)
    staff_id = _id(actor)
    about = ALIKE.get(subject, (subject,) if subject in SUBJECTS else ())
    wanted = Wanted(
        since, before, actor if actor in KINDS else "", staff_id, about, of,
        int(below) if below.isascii() and below.isdigit() and len(below) < 19 else None,
    )  # fmt: skip
    with out.sessions() as session:
        rows = audit.entries(session, desk.clinic.id, wanted, MOST + 1)
        names = colleagues.names(session, desk.clinic.id)
    entries = [_entry(row, names) for row in rows[:MOST]]
    older = ""
    if len(rows) > MOST:
        older = "/audit?" + urlencode({**{k: v for k, v in typed.items() if v}, "below": rows[MOST - 1].seq})
    newest = "/audit?" + urlencode({k: v for k, v in typed.items() if v}) if below else ""
    people = sorted(((str(staff_id), name) for staff_id, name in names.items()), key=lambda one: one[1].casefold())
    return desk.page(
        "audit.html", entries=entries, typed=typed, people=people, kinds=KINDS[1:], subjects=SUBJECTS, older=older,
        newest=newest, strange_day=bool(day) and since is None,
    )  # fmt: skip


def _entry(row: Audit, names: dict[UUID, str]) -> Entry:
    who = names.get(row.actor_id, "") if row.actor_kind == "staff" and row.actor_id else ""
    about = _id(row.subject_id)
    whom = names.get(about, "") if row.subject == "staff" and about else ""
    link = PLACES[row.subject] + row.subject_id if row.subject in PLACES and row.subject_id else ""
    return Entry(row, who, whom, link)


def _day(text: str, zone: str) -> tuple[datetime | None, datetime | None]:
    try:
        start = date.fromisoformat(text)
        return tuple(moment(datetime.combine(one, time()), zone).at for one in (start, start + timedelta(days=1)))  # type: ignore[return-value]
    except (ValueError, OverflowError):
        return None, None


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(one) for one in value)
    return str(value)
