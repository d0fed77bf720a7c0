"""The first page: what is here, how to sign in, what to try."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from outreach.store import clinics, staff
from outreach.web.console.desk import cookie_name
from outreach.web.forms import Wired, language_of
from outreach.web.views import page
from outreach.web.ways import landing

router = APIRouter()


@router.get("/")
def start(request: Request, out: Wired) -> Response:
    """The demo's three lines. Who is signed in goes to their first page, a clinic in service to its day."""
    with out.sessions.begin() as session:
        signed = staff.by_cookie(session, request.cookies.get(cookie_name(out), ""), out.clock())
        clinic = clinics.demo(session)
    if signed is not None:
        return RedirectResponse(landing(signed[0].role), 303)
    if clinic is None:
        return RedirectResponse("/today", 303)
    settings = out.settings
    phones = f"http://127.0.0.1:{settings.sandbox_http_port}/phones" if settings.sandbox else ""
    return page(
        "console/start.html",
        staff_locale=language_of(request),
        desk=None,
        clinic=clinic,
        email=staff.DEMO_EMAIL,
        password=staff.DEMO_PASSWORD,
        phones=phones,
    )
