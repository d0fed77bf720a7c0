"""The clinic's own instructions: written by topic and language, checked as translations are, approved before use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from outreach.actions import instruct
from outreach.actions.approve import Reviewer, approve
from outreach.content.checker.findings import Fault
from outreach.content.checker.house import House
from outreach.content.instructions import LONGEST, faults
from outreach.domain.access import Permission, may
from outreach.domain.approval import OWN, TOPICS, Text
from outreach.errors import BadInput, NotFound, say
from outreach.settings import ROOT
from outreach.store import approvals
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.console.typed import sentence
from outreach.web.forms import Wired

router = APIRouter()
DONE = {
    "kept": say("Saved. Patients get it once it is approved."),
    "approved": say("Approved. Patients get these words from now on."),
}


@dataclass(frozen=True)
class Line:
    """One topic in one language. `state`: current, waiting (patients get earlier words, or none), or "" (no text).

    `home`: the text in the clinic's own language; `earlier`: whether earlier words of it are sent meanwhile.
    """

    topic: str
    text: str
    home: str
    state: str
    earlier: bool
    digest: str
    faults: tuple[Fault, ...]


@cache
def _house() -> House:
    return House(ROOT)


@router.get("/instructions")
def shown(desk: AtDesk, out: Wired, language: str = "", done: str = "") -> HTMLResponse:
    """Every topic in one language; the clinic's own where none is named."""
    return _page(desk, out, _locale(desk, out, language), done=DONE.get(done, ""))


@router.post("/instructions")
def saved(desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Write them down, or the form again with everything typed and a sentence where something is wrong."""
    locale = _locale(desk, out, form.fields.get("language", ""))
    typed = {topic: _clean(form.fields.get(f"text.{topic}", "")) for topic in TOPICS}
    seen = {topic: _clean(form.fields.get(f"seen.{topic}", "")) for topic in TOPICS}
    lines = _lines(desk, out, locale)
    wrong = {f"text.{line.topic}": text for line in lines if (text := _wrong(desk, locale, typed[line.topic], line))}
    if wrong:
        return _page(desk, out, locale, 422, typed=typed, seen=seen, wrong=wrong)
    try:
        with out.sessions.begin() as session:
            instruct.instruct(
                session, desk.clinic.id, locale, typed, seen, out.clock(), by=desk.signed.staff_id
            )  # fmt: skip
    except instruct.Meanwhile as meanwhile:
        there = {line.topic: line.text for line in _lines(desk, out, locale)}
        wrong = {"": sentence(meanwhile)} | {
            f"text.{topic}": say("Somebody else wrote here: %(value)s", value=there[topic] or "–")
            for topic in meanwhile.topics
        }
        return _page(desk, out, locale, 409, typed=typed, seen=there, wrong=wrong)
    return RedirectResponse(f"/instructions?language={locale}&done=kept", 303)


@router.post("/instructions/approve")
def approved(desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Approve the marked topics exactly as the page showed them."""
    locale = _locale(desk, out, form.fields.get("language", ""))
    marked = {topic: form.fields.get(f"approve.{topic}", "") for topic in TOPICS}
    by = Reviewer(form.fields.get("reviewer", "").strip(), form.fields.get("role", "").strip(), desk.signed.staff_id,
                  "demo" if desk.demo else "named")  # fmt: skip
    try:
        with out.sessions.begin() as session:
            written = instruct.as_written(session, desk.clinic.id, desk.locale)
            wanted = [_unchanged(written.get((topic, locale)), digest) for topic, digest in marked.items() if digest]
            for text in wanted:  # what may not be said may have changed since it was written
                _sound(text, locale == desk.locale)
            approve(session, desk.clinic.id, wanted, by, out.clock())
    except BadInput as error:
        return _page(desk, out, locale, 422, wrong={"": sentence(error)}, reviewer=(by.name, by.role))
    return RedirectResponse(f"/instructions?language={locale}&done=approved", 303)


def _unchanged(text: Text | None, digest: str) -> Text:
    if text is None or text.digest.hex() != digest:
        raise BadInput(say("Somebody changed these words while you read them. Nothing was approved; read them again."))
    return text


def _sound(text: Text, own: bool) -> None:
    [unit] = text.units
    if wrong := _blocking(text.locale, unit.forms[0], unit.source, own):
        raise BadInput(wrong)


def _locale(desk: Desk, out: Wired, wanted: str) -> str:
    locale = wanted or desk.locale
    if locale not in out.words.voices:
        raise NotFound("no such language")
    return locale


def _clean(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").strip().split("\n"))


def _wrong(desk: Desk, locale: str, typed: str, line: Line) -> str:
    """What keeps this text from being saved: what may be said at all is decided before anybody reads it."""
    if not typed or typed == line.text:
        return ""
    return _blocking(locale, typed, line.home, locale == desk.locale)


def _blocking(locale: str, text: str, home: str, own: bool) -> str:
    """`home`: the text in the clinic's own language; `own`: this is it."""
    if not home and not own:
        return say("Write it in the clinic's own language first: it is what translations are read against.")
    blocking = [one for one in faults(_house(), locale, text, home, own) if one.blocking]
    return " ".join(f"{one.what[:1].upper()}{one.what[1:]} {one.remedy}" for one in blocking)


def _lines(desk: Desk, out: Wired, locale: str) -> list[Line]:
    with out.sessions() as session:
        written = instruct.as_written(session, desk.clinic.id, desk.locale)
        standing = approvals.standing(session, desk.clinic.id)
    approved = {one.digest for one in standing}
    said = {one.key for one in standing if one.locale == locale}
    lines = []
    for topic in TOPICS:
        text, home = written.get((topic, locale)), written.get((topic, desk.locale))
        words = text.units[0].forms[0] if text else ""
        source = home.units[0].forms[0] if home else ""
        state = "" if text is None else "current" if text.digest in approved else "waiting"
        found = tuple(faults(_house(), locale, words, source, locale == desk.locale)) if words else ()
        lines.append(
            Line(topic, words, source, state, OWN + topic in said, text.digest.hex() if text else "", found)
        )  # fmt: skip
    return lines


def _page(
    desk: Desk,
    out: Wired,
    locale: str,
    status: int = 200,
    *,
    typed: Mapping[str, str] | None = None,
    seen: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
    reviewer: tuple[str, str] = ("", ""),
    done: str = "",
) -> HTMLResponse:
    lines = _lines(desk, out, locale)
    stored = {line.topic: line.text for line in lines}
    return desk.page(
        "instructions.html", status, lines=lines, language=out.words.language(locale),
        languages=[out.words.language(one) for one in out.words.voices], home=out.words.language(desk.locale),
        values={f"text.{topic}": text for topic, text in (typed or stored).items()}, seen=seen or stored,
        wrong=wrong or {}, waiting=[line for line in lines if line.state == "waiting"], most=LONGEST, done=done,
        deciding=may(desk.signed.role, Permission.APPROVE), reviewer=reviewer,
    )  # fmt: skip
