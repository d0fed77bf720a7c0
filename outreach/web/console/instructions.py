"""The clinic's own instructions: written by topic and language, checked as translations are, approved before use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from outreach.actions import instruct
from outreach.actions.review import Changed, Read, State, review, sound, stands
from outreach.content.checker.findings import Fault
from outreach.content.instructions import LONGEST, as_text, objected
from outreach.domain.approval import OWN, TOPICS
from outreach.errors import BadInput, NotFound, Sentence, say
from outreach.web.console.approving import answering, lacking
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.console.typed import sentence
from outreach.web.forms import Wired

router = APIRouter()
DONE = {
    "kept": say("Saved. Patients get it once it is approved."),
    "approved": say("Approved. Patients get these words from now on."),
}
CROSSED = say("Somebody changed these words while you read them. Nothing was approved; read them again.")


@dataclass(frozen=True)
class Line:
    """One topic in one language. `state` None: there is no text.

    `home`: the text in the clinic's own language; `instead`: patients get what is approved of that one.
    """

    topic: str
    text: str
    home: str
    state: State | None
    instead: bool
    digest: str
    faults: tuple[Fault, ...]

    @property
    def waiting(self) -> bool:
        return self.state not in (None, State.APPROVED)


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
    wrong = {f"text.{one.topic}": text for one in lines if (text := _wrong(desk, out, locale, typed[one.topic], one))}
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
    fields = form.fields
    marked = {topic: digest for topic in TOPICS if (digest := fields.get(f"approve.{topic}", ""))}
    by = answering(desk, fields)
    wrong: dict[str, Sentence | str] = {} if marked else {"approve": say("Choose at least one text.")}
    wrong, status = wrong | lacking(desk, fields), 422
    if not wrong:
        wanted = [Read(locale, OWN + topic, digest) for topic, digest in marked.items()]
        try:
            with out.sessions.begin() as session:
                review(session, desk.clinic.id, desk.demo, out.words, out.bench, wanted, by, out.clock())
        except (Changed, NotFound):
            wrong, status = {"": CROSSED}, 409
        except BadInput as error:
            wrong = {"": sentence(error)}
        else:
            return RedirectResponse(f"/instructions?language={locale}&done=approved", 303)
    return _page(desk, out, locale, status, wrong=wrong, fields=fields)


def _locale(desk: Desk, out: Wired, wanted: str) -> str:
    locale = wanted or desk.locale
    if locale not in out.words.voices:
        raise NotFound("no such language")
    return locale


def _clean(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").strip().split("\n"))


def _wrong(desk: Desk, out: Wired, locale: str, typed: str, line: Line) -> Sentence | str:
    """What keeps this text from being saved: what may be said at all is decided before anybody reads it."""
    if not typed or typed == line.text:
        return ""
    home = typed if locale == desk.locale else line.home
    try:
        sound(out.bench, as_text(line.topic, locale, typed, home), desk.locale)
    except BadInput as error:
        return sentence(error)
    return ""


def _lines(desk: Desk, out: Wired, locale: str) -> list[Line]:
    with out.sessions() as session:
        written = instruct.as_written(session, desk.clinic.id, desk.locale)
        spoken, here = (
            out.speakers.view(session, desk.clinic, out.words),
            [t for t in written.values() if t.locale == locale],
        )
        states = {one.text.key: one.state for one in stands(session, desk.clinic.id, spoken, out.bench, here)}
    house, lines = out.bench.grounds().house, []
    for topic in TOPICS:
        text, home = written.get((topic, locale)), written.get((topic, desk.locale))
        words = text.units[0].forms[0] if text else ""
        source = home.units[0].forms[0] if home else ""
        instead = not spoken.own(locale, OWN + topic) and spoken.own(desk.locale, OWN + topic) is not None
        found = objected(house, text, desk.locale) if text else ()
        digest = text.digest.hex() if text else ""
        lines.append(Line(topic, words, source, states.get(OWN + topic), instead, digest, found))
    return lines


def _page(
    desk: Desk,
    out: Wired,
    locale: str,
    status: int = 200,
    *,
    typed: Mapping[str, str] | None = None,
    seen: Mapping[str, str] | None = None,
    wrong: Mapping[str, Sentence | str] | None = None,
    fields: Mapping[str, str] | None = None,
    done: str = "",
) -> HTMLResponse:
    lines = _lines(desk, out, locale)
    stored = {line.topic: line.text for line in lines}
    return desk.page(
        "instructions.html", status, lines=lines, language=out.words.language(locale),
        languages=[out.words.language(one) for one in out.words.voices], home=out.words.language(desk.locale),
        values={f"text.{topic}": text for topic, text in (typed or stored).items()} | dict(fields or {}),
        seen=seen or stored, wrong=wrong or {}, waiting=[line for line in lines if line.waiting], most=LONGEST,
        done=done,
    )  # fmt: skip
