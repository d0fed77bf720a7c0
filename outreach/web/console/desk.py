"""Who is at the desk: every console page asks here first, and every POST shows its secret."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse

from outreach.store import staff
from outreach.store.due import ClinicFacts
from outreach.web.forms import Form, Posted, Wired
from outreach.web.views import page

COOKIE = "outreach_desk"


class SignInFirst(Exception):
    """Nobody is signed in, or no longer."""


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
        return page(f"console/{name}", status, desk=self, **values)


def cookie_name(out: Wired) -> str:
    """Behind TLS the browser itself guards the cookie: host-only, Secure, no other path."""
    return f"__Host-{COOKIE}" if out.settings.public_url.startswith("https:") else COOKIE


def at_desk(request: Request, out: Wired) -> Desk:
    """The desk of whoever sent this request; SignInFirst when nobody is."""
    cookie = request.cookies.get(cookie_name(out), "")
    with out.sessions.begin() as session:
        signed = staff.by_cookie(session, cookie, out.clock()) if cookie else None
        if signed is None:
            raise SignInFirst
        clinic = staff.clinic_of(session, signed.clinic_id)
        return Desk(signed, clinic.facts, clinic.demo, clinic.country, clinic.locale)


AtDesk = Annotated[Desk, Depends(at_desk)]


def checked(desk: AtDesk, form: Posted) -> Form:
    """The form, if it came from one of this session's own pages; 403 otherwise."""
    if not hmac.compare_digest(form.fields.get("csrf", "").encode(), desk.signed.csrf.encode()):
        raise HTTPException(403, "This form is from another session. Load its page again, then send it.")
    return form


Checked = Annotated[Form, Depends(checked)]
