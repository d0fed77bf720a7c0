"""Which pages are measured: every GET of the table of doors with what the stock has for its path, and its filters."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import text

from outreach.domain.access import Role
from outreach.web.access import DOORS, PUBLIC, staff_may
from outreach.wiring import Outreach


class Room(Enum):
    """Who asks: staff with a session, a patient with a link, other software with a key."""

    CONSOLE = "console"
    PATIENT = "patient"
    API = "api"


@dataclass(frozen=True)
class Door:
    """A request. `name`: what the figures call it; `path` as it is asked for; `form`: what is posted, None: a GET."""

    room: Room
    name: str
    path: str
    form: Mapping[str, str] | None = None

    @property
    def inbox(self) -> bool:
        return self.room is Room.CONSOLE and self.path.startswith("/inbox")


_WAITS = "select {} from task where closed_at is null and patient_id is not null order by opened_at, id limit 1"
_VISIT = "select {} from infusion i join course c on c.id = i.course_id where i.status = 'booked' order by i.id limit 1"
# The patient with the most still to come, whose page composes the most words: drawn by chance, two looks would differ.
_FULL = (
    "select patient_id from message where patient_id is not null group by 1"
    " order by count(*) filter (where status = 'scheduled') desc, count(*) desc, 1 limit 1"
)
_SAID = (
    "select m.id from message m join attempt a on a.id = m.attempt_id where a.body_sealed is not null"
    " and m.status = 'delivered' order by m.id limit 1"
)
# For each name in a path, or for a whole path, what the stock has.
EXAMPLES = {
    "patient_id": _FULL,
    "/inbox/patients/{patient_id}": "select patient_id from inbound where patient_id is not null"
    " group by 1 order by count(*) desc limit 1",
    "task_id": _WAITS.format("id"),
    "inbound_id": "select id from inbound where patient_id is null order by received_at limit 1",
    "visit_id": _VISIT.format("i.id"),
    "infusion_id": _VISIT.format("i.id"),
    "course_id": _VISIT.format("c.id"),
    "message_id": "select message_id from attempt where body_sealed is not null order by message_id limit 1",
    "webhook_id": "select id from webhook limit 1",
    "upload_id": "select id from upload where state = 'checked'",
    "/imports/{upload_id}/columns": "select id from upload where state = 'mapping'",
    "/imports/{upload_id}/undo": "select id from upload where state = 'done'",
    "slug": "select slug from clinic",
    "token": _SAID,
}
FIXED = {
    "name": "ketamine-infusion", "locale": "es", "key": "pre.tomorrow.sms", "text": "pre.tomorrow",
    "/languages/{locale}/{key}": "pre.tomorrow",
}  # fmt: skip
NO_PAGES = (".csv", ".xlsx", ".css", ".ics")
PATIENTS_OWN = ("/p/", "/u/", "/join/")
LEFT_OUT = ("{rest:path}", "/invite/{token}", "/sign-in/code")  # lost pages; what needs a link of one use
MORE = (
    "/today?day={tomorrow}", "/today/messages?show=trouble", "/today/messages?show=arrived&after=200",
    "/patients?show=no_consent", "/patients?show=unusable", "/patients?show=inactive", "/patients?language=ar",
    "/inbox?show=urgent", "/inbox?show=mine", "/inbox?show=all", "/inbox/numbers/{inbound_id}",
    "/audit?actor=patient", "/audit?subject=visit", "/audit?subject=webhook", "/audit?day={tomorrow}",
    "/delivery?by=step", "/patients/{patient_id}?start=0",
    "/api/v1/patients?limit=200", "/api/v1/messages?limit=200", "/api/v1/messages?status=failed&limit=200",
    "/api/v1/inbound?needs_person=true&limit=200", "/api/v1/tasks?state=all&limit=200",
    "/api/v1/messages?status=unknown&channel=email", "/api/v1/messages?status=scheduled&limit=200",
    "/api/v1/messages?status=sending&limit=200", "/api/v1/messages?status=cancelled&limit=200",
    "/api/v1/messages?status=delivered&limit=200", "/api/v1/messages?status=expired&limit=200",
    "/api/v1/messages?status=accepted&status=sent&limit=200",
)  # fmt: skip
"""Pages with a question: each way to narrow a list that reads something else than the list does."""


def doors(out: Outreach) -> Iterator[Door]:
    """Every page to be measured; one that the stock has nothing for is told of and left out."""
    own = [path for (method, path), _ in DOORS.items() if method == "GET" and _is_page(path)]
    for path in [*own, *MORE]:
        asked = _filled(out, path)
        if asked is not None:
            room = Room.API if path.startswith("/api/") else Room.PATIENT if path.startswith(PATIENTS_OWN) else None
            yield Door(room or Room.CONSOLE, path, asked)


def _is_page(path: str) -> bool:
    if path.endswith(NO_PAGES) or any(one in path for one in LEFT_OUT) or path.startswith("/styleguide"):
        return False
    who = DOORS["GET", path]
    return who is PUBLIC or path.startswith("/api/") or staff_may(Role.ADMINISTRATOR, "GET", path)


def _filled(out: Outreach, path: str) -> str | None:
    whole = path.partition("?")[0]
    with out.sessions() as session:
        for name in re.findall(r"\{(\w+)\}", path):
            found: Any = FIXED.get(whole, "") if name == "key" else None
            found = found or FIXED.get(name)
            if name == "tomorrow":
                found = session.scalar(text("select (now() + interval '1 day')::date::text"))
            elif found is None and name in EXAMPLES:
                found = session.scalar(text(EXAMPLES.get(whole, EXAMPLES[name])))
            if found is None:
                sys.stderr.write(f"left out: {path}; the stock has no {name}\n")
                return None
            value = out.vault.token("message", found) if name == "token" else str(found)
            path = path.replace("{" + name + "}", value)
    return path
