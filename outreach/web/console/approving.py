"""Approving at the desk: the texts of a language, the exact words of one, and a reviewer's yes or no to them."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from outreach.actions.approve import Reviewer, withdraw
from outreach.actions.review import Changed, Read, Stand, State, review, reviewer, stands
from outreach.content import approvals as content
from outreach.content.objections import blocked
from outreach.errors import BadInput, NotFound, Sentence, say
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.console.text_view import view
from outreach.web.console.typed import sentence
from outreach.web.forms import Form, Wired

router = APIRouter()
DONE = {
    "approved": say("Approved. Patients get these words from now on; what waited for them goes out."),
    "withdrawn": say("Withdrawn. Nobody gets these words any more."),
    "nothing": say("There was no approval to take back."),
}
NOT_READ = say("Tick that you have read the words.")
NOBODY = say("Say who has read them.")
NO_ROLE = say("Say what they are, such as: certified medical translator.")
LONGEST = 200


@router.get("/languages/{locale}")
def language(locale: str, desk: AtDesk, out: Wired, done: str = "") -> HTMLResponse:
    """Every text of a language, and how it stands at this clinic."""
    return _list(desk, out, locale, done=done)


@router.post("/languages/{locale}")
def several(locale: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Approve the marked texts; each mark names the words that were shown."""
    _known(out, locale)
    marked = [value for name, value in form.pairs if name == "text"]
    wanted = [Read(locale, *one.split(":", 1)) for one in marked if ":" in one]
    wrong = lacking(desk, form.fields)
    if not wanted:
        wrong = {"text": say("Choose at least one text.")} | wrong
    if not wrong:
        try:
            _approve(desk, out, wanted, form.fields)
        except BadInput as error:
            status = 409 if isinstance(error, Changed) else 422
            return _list(desk, out, locale, form, {"": sentence(error)}, status)
        return RedirectResponse(f"/languages/{locale}?done=approved", 303)
    return _list(desk, out, locale, form, wrong, 422)


@router.get("/languages/{locale}/{key}")
def text(locale: str, key: str, desk: AtDesk, out: Wired, done: str = "") -> HTMLResponse:
    """The exact words of one text."""
    return _text(desk, out, locale, key, done=done)


@router.post("/languages/{locale}/{key}")
def approve(locale: str, key: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Approve exactly the words that the page showed."""
    _known(out, locale, key)
    wrong = lacking(desk, form.fields)
    if wrong:
        return _text(desk, out, locale, key, form.fields, wrong, 422)
    try:
        _approve(desk, out, [Read(locale, key, form.fields.get("digest", ""))], form.fields)
    except BadInput as error:
        status = 409 if isinstance(error, Changed) else 422
        return _text(desk, out, locale, key, form.fields, {"": sentence(error)}, status)
    return RedirectResponse(f"/languages/{locale}/{key}?done=approved", 303)


@router.post("/languages/{locale}/{key}/withdraw")
def take_back(locale: str, key: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Take back every approval of this text, of earlier words too."""
    _known(out, locale, key)
    by = reviewer(Reviewer(desk.signed.name, desk.signed.role.value, desk.signed.staff_id), desk.demo)
    with out.sessions.begin() as session:
        taken = withdraw(session, desk.clinic.id, locale, key, by, out.clock())
    return RedirectResponse(f"/languages/{locale}/{key}?done={'withdrawn' if taken else 'nothing'}", 303)


def _approve(desk: Desk, out: Wired, wanted: list[Read], fields: Mapping[str, str]) -> None:
    by = answering(desk, fields)
    with out.sessions.begin() as session:
        review(session, desk.clinic.id, desk.demo, out.words, out.bench, wanted, by, out.clock())


def answering(desk: Desk, fields: Mapping[str, str]) -> Reviewer:
    """Who answers for the words: whom the form names, and in the demo, where nobody need be, who is signed in."""
    name, role = fields.get("reviewer", "").strip(), fields.get("role", "").strip()
    if desk.demo:
        name, role = name or desk.signed.name, role or desk.signed.role.value
    return Reviewer(name, role, desk.signed.staff_id)


def lacking(desk: Desk, fields: Mapping[str, str]) -> dict[str, Sentence]:
    """What the form lacks. Of the demo clinic nobody need be named."""
    name, role = fields.get("reviewer", "").strip(), fields.get("role", "").strip()
    wrong: dict[str, Sentence] = {}
    if not name and not desk.demo:
        wrong["reviewer"] = NOBODY
    if not role and not desk.demo:
        wrong["role"] = NO_ROLE
    for field, value in (("reviewer", name), ("role", role)):
        if len(value) > LONGEST or not value.isprintable():
            wrong[field] = say("At most %(n)s characters, on one line.", n=LONGEST)
    if not fields.get("read"):
        wrong["read"] = NOT_READ
    return wrong


def _known(out: Wired, locale: str, key: str = "") -> None:
    if locale not in out.words.voices or (key and key not in content.grouped(out.words)):
        raise NotFound("no such text")


def _list(
    desk: Desk, out: Wired, locale: str, form: Form | None = None, wrong: Mapping[str, Sentence | str] | None = None,
    status: int = 200, *, done: str = "",
) -> HTMLResponse:  # fmt: skip
    _known(out, locale)
    with out.sessions() as session:
        spoken = out.speakers.view(session, desk.clinic, out.words)
        wanted = [one for one in out.speakers.texts(out.words).values() if one.locale == locale]
        lines = stands(session, desk.clinic.id, spoken, out.bench, wanted)
    marked = {value for name, value in form.pairs if name == "text"} if form else set()
    shelf = out.bench.shelf(locale)
    refused = {line.text.key for line in lines if blocked(shelf, line.text)}
    return desk.page(
        "language.html", status, language=out.words.language(locale), lines=lines, refused=refused, marked=marked,
        open={line.text.key for line in lines if _open(line) and line.text.key not in refused},
        lacking=spoken.lacking(locale), values=form.fields if form else _prefilled(lines), wrong=wrong or {},
        done=DONE.get(done, ""), states=[line.state.value for line in lines],
    )  # fmt: skip


def _text(
    desk: Desk, out: Wired, locale: str, key: str, fields: Mapping[str, str] | None = None,
    wrong: Mapping[str, Sentence | str] | None = None, status: int = 200, *, done: str = "",
) -> HTMLResponse:  # fmt: skip
    _known(out, locale, key)
    with out.sessions() as session:
        seen = view(session, desk.clinic, out, locale, key)
    return desk.page(
        "language_text.html", status, language=out.words.language(locale), seen=seen,
        values=fields or _prefilled([seen.stand]), wrong=wrong or {}, done=DONE.get(done, ""),
    )  # fmt: skip


def _open(line: Stand) -> bool:
    return line.state is not State.APPROVED and line.text.complete


def _prefilled(lines: list[Stand]) -> dict[str, str]:
    """The reviewer that the repository names, where all that is open carries one and the same signature."""
    signed = {(line.signature.reviewer, line.signature.role) if line.signature else None for line in lines if
              _open(line)}  # fmt: skip
    only = signed.pop() if len(signed) == 1 else None
    return {"reviewer": only[0], "role": only[1]} if only else {}
