"""The page behind a message's link: its words, when to call, the visit, and answers. GET shows; only POST acts."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import structlog
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup
from sqlalchemy.orm import Session

from outreach.actions import agree as agreement
from outreach.actions.compose import topics_of, values_of
from outreach.actions.press import asks, in_time, press
from outreach.content.formats import phone
from outreach.content.interpreters import offer
from outreach.domain.channel import Channel
from outreach.domain.decision import REQUEST
from outreach.errors import BadInput, NotApproved
from outreach.store import answers, audit
from outreach.store.seen import by_token
from outreach.web.forms import Posted, Wired
from outreach.web.patient import visit as visits
from outreach.web.patient.reader import OF_CARE, In, Reader, isolated, mark, readable, show, tells, unbroken

log = structlog.get_logger()
router = APIRouter()


class Question(NamedTuple):
    """What a message asks. `buttons`: (digit, words), none once it is `answered` (digit) or too late."""

    buttons: list[tuple[str, Markup]]
    answered: str
    said: Markup


@router.api_route("/p/{token}", methods=["GET", "HEAD"])
def read(token: str, out: Wired, wanted: In) -> HTMLResponse:
    """The message in full, in the patient's language; nothing is noted, because mail scanners open links too."""
    now = out.clock()
    with out.sessions() as session:
        reader = readable(session, out, token, now, wanted)
        visit = visits.shown(session, reader, now)
        question = _question(session, out, reader, now)
        body = _body(session, out, reader, now)
    of_care = reader.due.message.step.startswith(OF_CARE)
    agreed = reader.permission.allowed and reader.due.message.step == REQUEST
    return show(out, "message", reader, body=body, visit=visit, question=question, of_care=of_care, agreed=agreed,
                mark=mark(body.striptags()), refused=False)  # fmt: skip


@router.api_route("/p/{token}/privacy", methods=["GET", "HEAD"])
def privacy(token: str, out: Wired, wanted: In) -> HTMLResponse:
    """What is kept of a patient, who sees it, how long, how to stop, whom to ask."""
    with out.sessions() as session:
        reader = readable(session, out, token, out.clock(), wanted)
    return show(out, "privacy", reader)


@router.post("/p/{token}/agree")
def agree(token: str, form: Posted, out: Wired, wanted: In) -> Response:
    """The button of the opt-in request. Pressed twice, or after a STOP, it changes nothing more. 409, and nothing is
    recorded, where the request may not be read in this language, or was another when the button was shown."""
    now = out.clock()
    with out.sessions.begin() as session:
        reader = readable(session, out, token, now, wanted)
        message, body = reader.due.message, _body(session, out, reader, now)
        shown = body.striptags()
        if reader.withheld or (reader.may_agree and form.fields.get("shown") != mark(shown)):
            return show(out, "message", reader, 409, body=body, visit=None, question=None, of_care=False, agreed=False,
                        mark=mark(shown), refused=True)  # fmt: skip
        if reader.may_agree and message.address_id:
            agreement.agree(session, message.address_id, method="page", evidence=f"page:{message.id}",
                            locale=reader.locale, wording=shown, now=now)  # fmt: skip
            audit.note(
                session, clinic_id=message.clinic_id, at=now, actor_kind="patient", actor_id=message.patient_id,
                action="consent.agreed", subject="patient", subject_id=message.patient_id,
                detail={"channels": [message.channel.value], "message": str(message.id)},
            )  # fmt: skip
    return RedirectResponse(reader.place(), 303)


@router.post("/p/{token}/answer")
def answer(token: str, form: Posted, out: Wired, wanted: In) -> Response:
    """A button of a question. Pressed twice it counts once; too late, or without a digit, it changes nothing. 409
    where the clinic has approved no words in which it could be asked."""
    now, digit = out.clock(), form.fields.get("answer", "")
    with out.sessions.begin() as session:
        reader = readable(session, out, token, now, wanted)
        if reader.mute:  # nothing asks here: nobody is held to have answered it
            return show(out, "message", reader, 409)
        due = reader.due
        if digit in asks(due, out.sequences) and in_time(due, visits.about(due, now), now):
            press(session, due, digit, reader.locale, now)
    return RedirectResponse(reader.place() + "#answer", 303)


def _question(session: Session, out: Wired, reader: Reader, now: datetime) -> Question | None:
    digits = asks(reader.due, out.sequences)
    if not digits:
        return None
    step, locale, ui = reader.due.message.step, reader.locale, reader.spoken.words.ui

    def words(digit: str) -> Markup:
        return isolated(ui(f"page.answer.{step}.{digit}", locale))

    given = answers.to(session, reader.due.message)
    if given and given.digit in digits:
        said = isolated(ui("page.answered", locale, answer=ui(f"page.answer.{step}.{given.digit}", locale)))
        return Question([], given.digit, said)
    open_still = in_time(reader.due, visits.about(reader.due, now), now)
    return Question([(digit, words(digit)) for digit in digits] if open_still else [], "", Markup(""))


def _body(session: Session, out: Wired, reader: Reader, now: datetime) -> Markup:
    """The full words: whoever prefers neutral messages reads them here. Where they cannot be made, what was sent."""
    due = reader.due
    public = out.settings.public_url
    try:
        step, spoken = due.message.step, reader.spoken
        locale, offering = _told(reader)
        own = spoken.instructions(locale, due.clinic.phone, topics_of(step, out.sequences))
        values = values_of(due, f"{public}/p/{reader.token}", f"{public}/u/{reader.token}", now, own)
        html = spoken.words.page(step, locale, "full", values)
        number = phone(due.clinic.phone)
        return _offer(reader, offering) + _in(out, reader, locale, Markup(html.replace(number, unbroken(number))))
    except BadInput:
        log.warning("page from stored words", message=str(due.message.id), step=due.message.step)
        number = phone(due.clinic.phone)
        lines = by_token(session, reader.token).body.replace(number, unbroken(number)).splitlines()
        said = Markup("\n").join(Markup("<p>{}</p>").format(line) for line in lines if line.strip())
        return _in(out, reader, due.message.locale or reader.locale, said)


def _told(reader: Reader) -> tuple[str, str]:
    """(the language of the full words, that of a line before them that offers an interpreter or ""). BadInput:
    nothing may be said but what was sent."""
    step, spoken, page = reader.due.message.step, reader.spoken, reader.locale
    if reader.withheld:
        raise NotApproved(step, reader.wished)
    choice = spoken.choice(step, Channel.EMAIL, reader.wished, "full")
    if tells(spoken, page, step):
        return page, choice.interpreter if choice and choice.locale == page else ""
    if choice is None:
        raise NotApproved(step, page)
    return choice.locale, choice.interpreter


def _offer(reader: Reader, locale: str) -> Markup:
    """The line about an interpreter, in the reader's own language."""
    if not locale:
        return Markup("")
    voice = reader.spoken.words.voices[locale]
    line = isolated(offer(voice, reader.due.clinic.phone))
    return Markup('<p lang="{}" dir="{}">{}</p>\n').format(voice.language.tag, voice.language.direction, line)


def _in(out: Wired, reader: Reader, locale: str, said: Markup) -> Markup:
    """Marked as another language than the page's, for screen readers and for its direction."""
    if locale == reader.locale or locale not in out.words.voices:
        return said
    language = out.words.language(locale)
    return Markup('<div lang="{}" dir="{}">{}</div>').format(language.tag, language.direction, said)
