"""Saving a unit: into the catalog's file, and only where nobody else has changed it since its page was opened."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from outreach.content import po_writing
from outreach.content.compose import SOURCE
from outreach.content.workbench import Line, Shelf
from outreach.errors import BadFile, BadInput, Sentence, say
from outreach.store import audit
from outreach.web.forms import outreach_of
from outreach.web.translate.pages import SHOW, Narrowed, around, opened
from outreach.web.translate.seat import AtSeat, FromSeat, Seat
from outreach.web.translate.sight import typed

router = APIRouter()
CHANGED = say("Somebody has saved this text since you opened it. Both are shown below; saving again keeps yours.")
BLOCKED = say("Not saved: what is marked as an error must be mended first. What you typed is still here.")
WRITTEN_THERE = say("English is not changed here: it stands in the templates, and every translation follows it.")
OUTDATED = say(
    "Not saved: the English of this text is newer than the file. Bring it up to date first: outreach locales update."
)
EMPTY = say("Not saved: nothing is written yet.")


@router.post("/translate/{locale}/{key}")
def save(locale: str, key: str, form: FromSeat, seat: AtSeat, request: Request) -> Response:
    """Save; or, for `do=preview`, only show what these words would look like."""
    fields = form.fields
    shelf = seat.bench.shelf(locale)
    line = shelf.line(key)
    show = fields.get("show", "all")
    narrowed = Narrowed(show if show in SHOW else "all", fields.get("q", "")[:100])
    if fields.get("do") == "preview":
        return opened(seat, shelf, line, narrowed, fields)
    forms = typed(line, fields)
    wrong = _wrong(shelf, line, forms)
    if wrong:
        return opened(seat, shelf, line, narrowed, fields, 422, wrong=seat.say(wrong))
    after = around(shelf, line, narrowed)[1]
    try:
        with po_writing.alone(shelf.path.parent.parent):
            now_there = seat.bench.shelf(locale).line(key)
            if now_there.digest != fields.get("digest", "") and now_there.forms != forms:
                return opened(seat, seat.bench.shelf(locale), now_there, narrowed, fields, 409,
                              wrong=seat.say(CHANGED), theirs=now_there)  # fmt: skip
            _written(seat, request, shelf, key, forms)
    except BadFile as error:
        return opened(seat, shelf, line, narrowed, fields, 409, wrong=_cannot(seat, error))
    except BadInput as error:
        return opened(seat, shelf, line, narrowed, fields, 422, wrong=seat.say(error))
    goal = after if fields.get("do") == "next" and after else line
    asked = {"saved": key} | ({"show": narrowed.show, "q": narrowed.search} if narrowed != Narrowed("all", "") else {})
    return RedirectResponse(f"/translate/{locale}/{goal.unit.key}?{urlencode(asked)}", 303)


def _wrong(shelf: Shelf, line: Line, forms: tuple[str, ...]) -> Sentence | None:
    if shelf.locale == SOURCE:
        return WRITTEN_THERE
    if line.state == "changed" or (line.state == "missing" and line.unit.key not in shelf.entries):
        return OUTDATED
    if not any(form.strip() for form in forms):
        return EMPTY
    return BLOCKED if any(fault.blocking for fault in shelf.faults(line, forms)) else None


def _written(seat: Seat, request: Request, shelf: Shelf, key: str, forms: tuple[str, ...]) -> None:
    """Into the file; in the console also into the audit, which says so only where the file could be written."""
    if seat.desk is None:
        po_writing.write(shelf.path, {key: forms}, translator=seat.name, now=datetime.now(UTC))
        return
    out = outreach_of(request)
    with out.sessions.begin() as session:
        audit.note(
            session, clinic_id=seat.desk.clinic.id, at=out.clock(), actor_kind="staff",
            actor_id=seat.desk.signed.staff_id, action="words.translated", subject="words", subject_id=key,
            detail={"locale": shelf.locale},
        )  # fmt: skip
        po_writing.write(shelf.path, {key: forms}, translator=seat.name, now=out.clock())


def _cannot(seat: Seat, error: BadFile) -> str:
    what = say("The file cannot be written: %(what)s What you typed is still here: copy it before you leave.",
               what=f"{error.what} {error.remedy}")  # fmt: skip
    return seat.say(what)
