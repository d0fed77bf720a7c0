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
    Way("/translate", say("Translate")),
    Way("/held", say("Held back")),
    Way("/doubts", say("In doubt")),
)
MORE = (
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
    return [way for way in DAILY if _open(role, way)], [way for way in MORE if _open(role, way)]


def _open(role: Role, way: Way) -> bool:
    try:
        return staff_may(role, "GET", way.path)
    except NotAllowed:
        return False
