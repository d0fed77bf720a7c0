"""What is seen of a unit while it is typed: the fragment that a script puts in place, the e-mail, the patient's page.

The last two are documents of their own: shown in frames that run nothing and lead nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from outreach.content import candidate
from outreach.content.compose import Words
from outreach.content.values import Values
from outreach.errors import BadInput, NotFound
from outreach.web.translate import patient_page
from outreach.web.translate.seat import AtSeat, FromSeat, Seat
from outreach.web.translate.sight import look, typed

router = APIRouter()
MOST_ASKED = 24_000
"""Characters of an address: words are a hundred at most, and six forms of them."""


@router.post("/translate/{locale}/{key}/preview")
def preview(locale: str, key: str, form: FromSeat, seat: AtSeat) -> HTMLResponse:
    """Findings and previews of the words in the fields; nothing is kept."""
    shelf = seat.bench.shelf(locale)
    line = shelf.line(key)
    sight = look(seat.bench.grounds(), shelf, line, form.fields)
    return seat.piece("preview.html", shelf=shelf, line=line, sight=sight)


@router.get("/translate/{locale}/{key}/email.html")
def email(locale: str, key: str, seat: AtSeat, request: Request) -> HTMLResponse:
    """The e-mail with these words."""
    words, use, samples, sample = _asked(seat, locale, key, request)
    if use is None:
        raise NotFound("no e-mail holds this unit")
    try:
        return HTMLResponse(candidate.email(words, locale, use, samples[sample]).html)
    except BadInput as error:
        return _sorry(str(error))


@router.get("/translate/{locale}/{key}/page.html")
def page(locale: str, key: str, seat: AtSeat, request: Request) -> HTMLResponse:
    """The patient's page with these words."""
    words, use, samples, sample = _asked(seat, locale, key, request)
    spoken = seat.bench.grounds().house.languages.values()
    try:
        return HTMLResponse(patient_page.shown(words, locale, key, use, samples[sample], spoken))
    except BadInput as error:
        return _sorry(str(error))


def _asked(
    seat: Seat, locale: str, key: str, request: Request
) -> tuple[Words, candidate.Use | None, Mapping[str, Values], str]:
    fields = dict(request.query_params) if len(request.url.query) <= MOST_ASKED else {}
    grounds, shelf = seat.bench.grounds(), seat.bench.shelf(locale)
    line = shelf.line(key)
    sight = look(grounds, shelf, line, fields)
    words = candidate.candidate(grounds, shelf, key, typed(line, fields))
    samples = candidate.fitting(grounds, key)
    counted = {name: candidate.counted(values, sight.number) for name, values in samples.items()}
    return words, candidate.uses(grounds, key), counted, sight.sample


def _sorry(why: str) -> HTMLResponse:
    return HTMLResponse(f'<!doctype html><html lang="en"><title>–</title><p>{escape(why)}</p></html>')
