"""The ways through the console: what its navigation offers to a role. Who may pass stands in the table of doors."""

from __future__ import annotations

from dataclasses import dataclass

from outreach.domain.access import Role
from outreach.errors import NotAllowed, Sentence, say
from outreach.web.access import staff_may


@dataclass(frozen=True)
class Way:
    """A page of the navigation."""

    path: str
    label: Sentence


DAILY = (
    Way("/today", say("Today")),
    Way("/inbox", say("Inbox")),
    Way("/patients", say("Patients")),
    Way("/imports", say("Imports")),
    Way("/sequences", say("Sequences")),
    Way("/delivery", say("Delivery")),
    Way("/languages", say("Languages")),
)
"""What fits beside the clinic's name on an old laptop. How much is held back or in doubt stands on Today."""
TRANSLATE = Way("/translate", say("Translate"))
MORE = (
    TRANSLATE,
    Way("/held", say("Held back")),
    Way("/doubts", say("In doubt")),
    Way("/settings", say("Settings")),
    Way("/instructions", say("Own instructions")),
    Way("/senders", say("Senders")),
    Way("/staff", say("Staff")),
    Way("/on-call", say("On call")),
    Way("/keys", say("Keys")),
    Way("/webhooks", say("Webhooks")),
    Way("/audit", say("Audit")),
    Way("/account", say("My account")),
)


def ways(role: Role) -> tuple[list[Way], list[Way]]:
    """(daily, more): the pages this role may open. A page that has no door yet is not offered."""
    daily = [*DAILY, TRANSLATE] if role is Role.TRANSLATOR else list(DAILY)
    more = [way for way in MORE if way not in daily]
    return [way for way in daily if _open(role, way.path)], [way for way in more if _open(role, way.path)]


def landing(role: Role) -> str:
    """The first page of this role: the day, or for who sees no patient the languages."""
    return next((path for path in ("/today", "/languages") if _open(role, path)), "/account")


def _open(role: Role, path: str) -> bool:
    try:
        return staff_may(role, "GET", path)
    except NotAllowed:
        return False
