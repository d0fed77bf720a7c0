"""Patients: the list, narrowed and a page at a time, and the search by whatever the front desk knows."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from outreach.domain.finding import wanted
from outreach.store import roll
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.forms import Wired
from outreach.web.views import language

router = APIRouter()
PAGE = 50


@router.get("/patients")
def listed(desk: AtDesk, out: Wired, show: str = "", language: str = "", after: str = "") -> HTMLResponse:
    """The clinic's patients, the latest enrolled first, a page at a time."""
    return _list(desk, out, "", show, language, after)


@router.post("/patients")
def found(desk: AtDesk, form: Checked, out: Wired) -> HTMLResponse:
    """Whoever meets all words of what is looked for. A POST: what is looked for stays out of every log."""
    fields = form.fields
    return _list(desk, out, fields.get("find", "").strip(), fields.get("show", ""), fields.get("language", ""),
                 fields.get("after", ""))  # fmt: skip


def languages(desk: Desk, out: Wired) -> list[tuple[str, list[tuple[str, str]]]]:
    """One group for a select."""
    return [("", [(locale, language(locale, desk.signed.locale)) for locale in out.words.locales])]


def _list(desk: Desk, out: Wired, find: str, show: str, language: str, after: str) -> HTMLResponse:
    show = show if show in roll.SHOWS else ""
    language = language if language in out.words.locales else ""
    meanings = wanted(find, desk.country) if find else None
    with out.sessions() as session:
        page = roll.page(
            session, desk.clinic.id, PAGE, meanings=meanings, locale=language, show=show, before=after
        )  # fmt: skip
    return desk.page(
        "patients.html", people=page.people, next=page.next, find=find, after=after,
        values={"show": show, "language": language}, languages=languages(desk, out)[0][1],
    )  # fmt: skip
