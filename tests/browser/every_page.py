"""The list of pages that the table of doors gives: one that is added there is looked at without being named here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from outreach.domain.access import Role
from outreach.web.access import DOORS, PUBLIC, staff_may
from tests.browser.site import Site

PATIENTS_OWN = ("/p/", "/u/", "/join/")
NO_PAGES = ("/api/", "/hooks/", "/healthz")
FILES = (".csv", ".xlsx", ".css", ".ics", ".json", "/email.html", "/page.html")  # the last two: within frames

NO_LINK = "no-such-link"

BOOKED = (
    "SELECT i.id FROM infusion i JOIN course c ON c.id = i.course_id WHERE i.status = 'booked' ORDER BY i.id LIMIT 1"
)
# For each name in a path, or for a whole path: a value that is there in the demo.
EXAMPLES = {
    "patient_id": BOOKED.replace("i.id", "c.patient_id"),
    "visit_id": BOOKED,
    "upload_id": "SELECT id FROM upload WHERE state = 'checked'",
    "task_id": "SELECT id FROM task LIMIT 1",
    "inbound_id": "SELECT id FROM inbound WHERE patient_id IS NULL LIMIT 1",
    "webhook_id": "SELECT id FROM webhook",
    "message_id": "SELECT id FROM message WHERE said_id IS NOT NULL ORDER BY sent_at LIMIT 1",
    "/imports/{upload_id}/undo": "SELECT id FROM upload WHERE state = 'done'",
}
FIXED = {"name": "ketamine-infusion", "token": NO_LINK, "locale": "ar", "key": "pre.tomorrow.sms"}

PLACES = {"/languages/{locale}/{key}": "/languages/ar/pre.tomorrow"}  # there the key is a text's, not a unit's

# What of a page stands out of a telephone's screen.
WIDEST = """() => [...document.querySelectorAll("main *, header *")]
    .filter(one => { const box = one.getBoundingClientRect(); return box.right > 361 || box.left < -1 })
    .slice(0, 3).map(one => one.outerHTML.slice(0, 120))"""


def console_pages(site: Site, role: Role = Role.ADMINISTRATOR) -> list[str]:
    """Every page of the console that somebody of this role signs in for, with the demo's ids in its path."""
    return [
        _filled(site, path)
        for (method, path), who in DOORS.items()
        if method == "GET" and who is not PUBLIC and _is_page(path) and staff_may(role, method, path)
    ]


def open_pages(site: Site) -> list[str]:
    """The pages of the console that are there for everybody: the first one, signing in."""
    return [
        _filled(site, path) for (method, path), who in DOORS.items()
        if method == "GET" and who is PUBLIC and _is_page(path)
    ]  # fmt: skip


def patients_pages(site: Site, locale: str) -> Iterator[str]:
    """The pages behind the links of one patient of this language."""
    message = site.one(
        "SELECT m.id FROM message m JOIN patient p ON p.id = m.patient_id WHERE p.locale = :locale ORDER BY m.id"
        " LIMIT 1",
        locale=locale,
    )
    token = site.out.vault.token("message", message)
    for method, path in DOORS:
        if method == "GET" and path.startswith(PATIENTS_OWN) and not path.endswith((*FILES, "{rest:path}")):
            clinic = site.one("SELECT slug FROM clinic WHERE join_open")
            yield path.replace("{token}", token).replace("{slug}", f"{clinic}?in={locale}")
    yield f"/p/{NO_LINK}"


def _is_page(path: str) -> bool:
    return not path.startswith((*NO_PAGES, *PATIENTS_OWN)) and not path.endswith(FILES)


def _filled(site: Site, path: str) -> str:
    asked, path = path, PLACES.get(path, path)
    for name in re.findall(r"\{(\w+)\}", path):
        if name in FIXED:
            value = FIXED[name]
        else:
            assert name in EXAMPLES, f"{path}: say in EXAMPLES where the demo has a {name}"
            value = site.one(EXAMPLES.get(asked, EXAMPLES[name]))
        path = path.replace("{" + name + "}", str(value))
    return path
