"""Links that lead nowhere: cut off, with something stuck to their end, or made up."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from outreach.web.forms import Wired
from outreach.web.patient.reader import gone

router = APIRouter()


@router.api_route("/p/{rest:path}", methods=["GET", "HEAD"])
def lost(rest: str, out: Wired) -> HTMLResponse:
    """The same friendly page as for an unknown link; a patient must not be told of staff's pages."""
    return gone(out)


@router.api_route("/u/{rest:path}", methods=["GET", "HEAD"])
def lost_too(rest: str, out: Wired) -> HTMLResponse:
    """The same for links that stop."""
    return gone(out)
