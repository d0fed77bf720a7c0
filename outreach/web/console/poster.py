"""The poster for the waiting room: a code to scan and a short address, with one line in each language we speak."""

from __future__ import annotations

import segno
from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from outreach.store import clinics
from outreach.web.console.desk import AtDesk
from outreach.web.forms import Wired

router = APIRouter()
LINE = "consent.request.body.title"


@router.get("/join-poster")
def poster(desk: AtDesk, out: Wired) -> HTMLResponse:
    """To be printed and put up. Where the public page is closed it says so, since the code would lead nowhere."""
    with out.sessions() as session:
        clinic = clinics.by_id(session, desk.clinic.id)
    link = f"{out.settings.public_url}/join/{clinic.slug}"
    drawn = segno.make(link, error="m").svg_inline(scale=8, border=2, svgclass="code", lineclass=None, omitsize=True)
    lines = [(out.words.language(one), out.words.ui(LINE, one)) for one in out.spoken(desk.clinic).offered]
    return desk.page("poster.html", link=link, code=Markup(drawn), lines=lines, open=clinic.join_open)
