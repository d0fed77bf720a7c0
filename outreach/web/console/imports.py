"""Patient lists: upload, say what the columns mean, see what each row would do, load, and take back."""

from __future__ import annotations

import csv
import io
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from outreach.actions import take_back, take_in
from outreach.actions.columns import NAMES, SEPARATE, Reading, missing
from outreach.actions.foresee import Findings
from outreach.actions.listing import guarded
from outreach.actions.sheet import Sheet, too_large
from outreach.errors import BadFile, BadInput, NotAllowed, Sentence, say
from outreach.store import uploads
from outreach.store.uploads import List
from outreach.web.console import import_pages as pages
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.forms import Wired, id_of
from outreach.web.uploads import Uploaded

router = APIRouter()
PAGE = 25
FAR = 1_000_000
"""Pages beyond are none: the database counts no further than it has room for."""
LOADED_IN = "text/csv; charset=utf-8"


@router.get("/imports")
def listed(desk: AtDesk, out: Wired, page: int = 1) -> HTMLResponse:
    """The form for a new list, and the clinic's earlier ones."""
    return _front(desk, out, page=page)


@router.post("/imports")
def upload(desk: AtDesk, sent: Uploaded, out: Wired) -> Response:
    """Read the file, keep it sealed, and go on to its columns or, if those are known, to the dry run."""
    try:
        if sent.too_large:
            raise too_large(sent.name, sent.too_large)
        if sent.data is None:
            return _front(desk, out, wrong=say("Choose a file first."))
        with out.sessions.begin() as session:
            one = take_in.take_in(session, desk.clinic.id, desk.signed.staff_id, sent.name, sent.data, out.clock())
            _check_now(session, one, out)
    except BadFile as error:
        return _front(desk, out, wrong=pages.told(error.line, error.what, error.remedy))
    return _to(one.id)


@router.get("/imports/example.csv")
def example(desk: AtDesk) -> Response:
    """A header and one invented row, to begin a list with."""
    row = {"external_id": "A-1001", "name": "Ana Example", "phone": "+1 202-555-0143", "email": "ana@example.com",
           "language": desk.locale, "zone": desk.clinic.zone, "infusion_start": "2027-03-01T10:00", "minutes": "40",
           "visit_id": "V-1", "consent_sms": "yes", "consent_email": "yes", "consent_date": "2026-11-02",
           "consent_form": "Paper form 1", "consent_warned": "yes", "wording": ""}  # fmt: skip
    names = [name for name in NAMES if name not in SEPARATE]
    return _csv([names, [guarded(row.get(name, "")) for name in names]], "patient-list.csv")


@router.get("/imports/{upload_id}")
def shown(upload_id: str, desk: AtDesk, out: Wired, show: str = "", page: int = 1) -> HTMLResponse:
    """Where the list stands: its columns, its dry run, how far it is, or what it did."""
    with out.sessions() as session:
        one = uploads.get(session, desk.clinic.id, id_of(upload_id))
        if one.state == "mapping":
            return _columns(desk, out, session, one, Reading.of(one.mapping))
        if one.state == "checked":
            return pages.dry_run(desk, session, out, one, show, page)
        if one.state in uploads.WORK:
            return desk.page("import_progress.html", one=one, good=_good(one))
        return pages.result(desk, session, one, page)


@router.get("/imports/{upload_id}/columns")
def columns(upload_id: str, desk: AtDesk, out: Wired) -> Response:
    """Say anew what the columns mean, as long as nothing is loaded."""
    with out.sessions() as session:
        one = uploads.get(session, desk.clinic.id, id_of(upload_id))
        if one.state not in ("mapping", "checked"):
            return _to(one.id)
        return _columns(desk, out, session, one, Reading.of(one.mapping))


@router.post("/imports/{upload_id}/columns")
def understand(upload_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Take what was said of the columns, and check every row."""
    with out.sessions.begin() as session:
        one = uploads.get(session, desk.clinic.id, id_of(upload_id))
        kept = uploads.content(session, one)
        if kept is None:
            return _to(one.id)
        headers = Sheet.of(kept).headers
        reading = Reading({}, {}, form.fields.get("dates", "iso"))
        try:
            reading = take_in.chosen_reading(form.fields, headers)
            take_in.understand(session, one, headers, reading, out.clock())
        except BadInput as error:
            return _columns(desk, out, session, one, reading, error)
        except NotAllowed:
            return _to(one.id)
        _check_now(session, uploads.get(session, desk.clinic.id, one.id), out)
    return _to(one.id)


@router.post("/imports/{upload_id}/load")
def load(upload_id: str, desk: AtDesk, _form: Checked, out: Wired) -> Response:
    """Let a worker load the good rows. A second click finds it begun."""
    with out.sessions.begin() as session:
        one = uploads.get(session, desk.clinic.id, id_of(upload_id))
        if _good(one):
            take_in.let_go(session, one, desk.signed.staff_id, out.clock())
    return _to(one.id)


@router.post("/imports/{upload_id}/drop")
def drop(upload_id: str, desk: AtDesk, _form: Checked, out: Wired) -> Response:
    """Do not load it; what stood in it is forgotten."""
    with out.sessions.begin() as session:
        one = uploads.get(session, desk.clinic.id, id_of(upload_id))
        take_in.drop(session, one, desk.signed.staff_id, out.clock())
    return RedirectResponse("/imports", 303)


@router.get("/imports/{upload_id}/errors.csv")
def errors(upload_id: str, desk: AtDesk, out: Wired) -> Response:
    """Every fault with its row, column and remedy, for whoever corrects the file. No value of a cell is in it."""
    with out.sessions() as session:
        one = uploads.get(session, desk.clinic.id, id_of(upload_id))
        findings = Findings.of(uploads.faults(session, one))
        names = pages.column_names(session, one, desk)
    head = [desk.say(word) for word in (say("Row"), say("Column"), say("What is wrong"), say("What would be right"))]
    rows = [[str(error.line), names.get(error.column, error.column), desk.say(error.problem), desk.say(error.remedy)]
            for error in findings.errors]  # fmt: skip
    return _csv([head, *([guarded(cell) for cell in row] for row in rows)], "errors.csv")


@router.get("/imports/{upload_id}/undo")
def undo_preview(upload_id: str, desk: AtDesk, out: Wired) -> Response:
    """Who can be taken back and who cannot, before anything is."""
    with out.sessions() as session:
        one = uploads.get(session, desk.clinic.id, id_of(upload_id))
        if not take_back.may_be_undone(one):
            return _to(one.id)
        return pages.undo(desk, session, one)


@router.post("/imports/{upload_id}/undo")
def undo(upload_id: str, desk: AtDesk, _form: Checked, out: Wired) -> Response:
    """Let a worker take back what can be. A second click finds it begun."""
    with out.sessions.begin() as session:
        one = uploads.get(session, desk.clinic.id, id_of(upload_id))
        if take_back.may_be_undone(one):
            take_back.begin(session, one, desk.signed.staff_id, out.clock())
    return _to(one.id)


def _check_now(session: Session, one: List, out: Wired) -> None:
    """A short list is checked while the person waits; a long one by the worker."""
    if one.state == "checking" and one.total <= take_in.SMALL:
        take_in.dry_run(session, one, out.words, out.clock())


def _good(one: List) -> int:
    """Rows that will be loaded."""
    return one.total - int(one.result.get("foreseen", {}).get("wrong", 0))


def _front(desk: Desk, out: Wired, page: int = 1, wrong: Sentence | None = None) -> HTMLResponse:
    with out.sessions() as session:
        number = min(max(page, 1), FAR)
        lists, total = uploads.listing(session, desk.clinic.id, PAGE, (number - 1) * PAGE)
    return desk.page("imports.html", 422 if wrong else 200, lists=lists, good=_good, number=number,
                     pages=max(1, -(-total // PAGE)), wrong={"file": wrong} if wrong else {})  # fmt: skip


def _columns(
    desk: Desk, out: Wired, session: Session, one: List, reading: Reading, error: BadInput | None = None
) -> HTMLResponse:
    kept = uploads.content(session, one)
    assert kept is not None  # only lists that are not decided about come here
    needed = missing(reading.columns, reading.fixed)
    wrong = {f"column.{name}": pages.needed(name) for name in needed} if error else {}
    if error and not wrong:
        wrong[""] = error.args[0]
    values = {f"column.{name}": str(at) for name, at in reading.columns.items()}
    values |= {f"fixed.{name}": value for name, value in reading.fixed.items()}
    values |= {"dates": reading.dates}
    return pages.columns(desk, out, one, Sheet.of(kept), values, wrong)


def _to(upload_id: UUID) -> Response:
    return RedirectResponse(f"/imports/{upload_id}", 303)


def _csv(rows: list[list[str]], name: str) -> Response:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    # With a mark, or Excel reads accents as Windows-1252.
    return Response("\ufeff" + text.getvalue(), media_type=LOADED_IN,
                    headers={"Content-Disposition": f'attachment; filename="{name}"'})  # fmt: skip
