"""Who is at the desk: every console page asks here first, and every POST shows its secret."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse

from outreach.domain.access import Permission, may
from outreach.errors import OutreachError, Sentence, say
from outreach.store import staff
from outreach.store.due import ClinicFacts
from outreach.web.access import staff_may
from outreach.web.forms import Form, Posted, Wired
from outreach.web.numbers import grouped
from outreach.web.tongue import tongue
from outreach.web.views import formats_of, page
from outreach.web.ways import landing

COOKIE = "outreach_desk"
FIRST = "/today"
"""Where bookmarks and links of old lead, also of those who have another first page."""


class SignInFirst(Exception):
    """Nobody is signed in, or no longer."""


class NotYours(HTTPException):
    """The role of who is signed in does not pass this door. `instead`: the page that is theirs, to be led to; ""
    where they asked for something of its own, and are told."""

    def __init__(self, instead: str = "") -> None:
        super().__init__(403, say("An administrator of your clinic can change your role."))
        self.instead = instead


@dataclass(frozen=True)
class Desk:
    """A signed-in person and their clinic; every query of the console is by `clinic.id`."""

    signed: staff.Signed
    clinic: ClinicFacts
    demo: bool
    country: str
    locale: str

    def page(self, name: str, /, status: int = 200, **values: Any) -> HTMLResponse:
        """A console page with its frame."""
        return page(f"console/{name}", status, staff_locale=self.signed.locale, desk=self, **values)

    def say(self, text: str | OutreachError) -> str:
        """A sentence, or an error's, in the reader's language."""
        spoken = tongue(self.signed.locale)
        if isinstance(text, OutreachError):
            text = text.args[0] if text.args and isinstance(text.args[0], Sentence) else str(text)
        return spoken.gettext(text)

    def number(self, number: int) -> str:
        """1,234 as the reader's language writes it."""
        return grouped(number, formats_of(self.signed.locale))

    def may(self, permission: str) -> bool:
        """For templates: whether to show a way at all. The door itself is guarded by the table (web.access)."""
        return may(self.signed.role, Permission(permission))


def cookie_name(out: Wired) -> str:
    """Behind TLS the browser itself guards the cookie: host-only, Secure, no other path."""
    return f"__Host-{COOKIE}" if out.settings.public_url.startswith("https:") else COOKIE


def at_desk(request: Request, out: Wired) -> Desk:
    """The desk of whoever sent this request; SignInFirst when nobody is; 403 when their role may not pass this door."""
    with out.sessions.begin() as session:
        found = staff.by_cookie(session, request.cookies.get(cookie_name(out), ""), out.clock())
    if found is None:
        raise SignInFirst
    signed, clinic = found
    request.state.staff_locale = signed.locale  # for pages of trouble, which have no desk
    request.state.may_see_patients = may(signed.role, Permission.PATIENTS)
    if not staff_may(signed.role, request.method, request.scope["route"].path):
        raise NotYours(landing(signed.role) if (request.method, request.url.path) == ("GET", FIRST) else "")
    return Desk(signed, clinic.facts, clinic.demo, clinic.country, clinic.locale)


AtDesk = Annotated[Desk, Depends(at_desk)]


def checked(desk: AtDesk, form: Posted) -> Form:
    """The form, if it came from one of this session's own pages; 403 otherwise."""
    if not hmac.compare_digest(form.fields.get("csrf", "").encode(), desk.signed.csrf.encode()):
        raise HTTPException(403, say("This form is from another session. Load its page again, then send it."))
    return form


Checked = Annotated[Form, Depends(checked)]
