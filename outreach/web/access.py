"""The table of doors: every route of the application and who may pass. A route that is not here opens for nobody."""

from __future__ import annotations

from enum import Enum

from outreach.domain.access import Permission, Role, Scope, may
from outreach.errors import NotAllowed


class Anyone(Enum):
    """Doors without a role. PUBLIC: nobody signs in (a link, a signature or nothing is enough). SIGNED: any staff."""

    PUBLIC = "public"
    SIGNED = "signed"


Who = Permission | Scope | Anyone
PUBLIC, SIGNED = Anyone.PUBLIC, Anyone.SIGNED
P, S = Permission, Scope

DOORS: dict[tuple[str, str], Who] = {
    # Everybody's
    ("GET", "/"): PUBLIC,
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/sign-in"): PUBLIC,
    ("POST", "/sign-in"): PUBLIC,
    ("GET", "/sign-in/code"): PUBLIC,
    ("POST", "/sign-in/code"): PUBLIC,
    ("GET", "/invite/{token}"): PUBLIC,
    ("POST", "/invite/{token}"): PUBLIC,
    # The carriers', who sign
    ("POST", "/hooks/twilio/inbound"): PUBLIC,
    # The patients', by unguessable links
    ("GET", "/p/{token}"): PUBLIC,
    ("POST", "/p/{token}/agree"): PUBLIC,
    ("POST", "/p/{token}/stop"): PUBLIC,
    ("GET", "/u/{token}"): PUBLIC,
    ("POST", "/u/{token}"): PUBLIC,
    # Staff's
    ("POST", "/sign-out"): SIGNED,
    ("GET", "/styleguide"): SIGNED,
    ("GET", "/styleguide.css"): SIGNED,
    ("GET", "/today"): P.PATIENTS,
    ("GET", "/patients"): P.PATIENTS,
    ("POST", "/patients"): P.PATIENTS,
    ("GET", "/patients/{patient_id}"): P.PATIENTS,
    ("GET", "/patients/new"): P.ENROL,
    ("POST", "/patients/new"): P.ENROL,
    ("GET", "/visits/{visit_id}"): P.ENROL,
    ("POST", "/visits/{visit_id}/move"): P.ENROL,
    ("POST", "/visits/{visit_id}/cancel"): P.ENROL,
    ("GET", "/doubts"): P.DELIVERY,
    ("POST", "/doubts/{message_id}"): P.DELIVERY,
    ("GET", "/held"): P.DELIVERY,
    ("POST", "/held"): P.DELIVERY,
    ("POST", "/held/{pause_id}/resume"): P.DELIVERY,
    ("POST", "/held/alerts/{alert_id}"): P.DELIVERY,
    ("GET", "/senders"): P.DELIVERY,
}


def who_may(method: str, path: str) -> Who:
    """What the door of this route asks for. NotAllowed for a route that the table does not know: closed, not open."""
    found = DOORS.get((("GET" if method == "HEAD" else method), path))
    if found is None:
        raise NotAllowed("This page is not in the table of doors, so nobody may see it.")
    return found


def staff_may(role: Role, method: str, path: str) -> bool:
    """Whether a signed-in person of this role may pass."""
    needed = who_may(method, path)
    return needed in (PUBLIC, SIGNED) or (isinstance(needed, Permission) and may(role, needed))
