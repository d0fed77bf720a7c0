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
from outreach.domain.channel import Channel
from outreach.domain.decision import REQUEST
from outreach.errors import BadInput, NotApproved
from outreach.store import answers, audit
from outreach.web.forms import Posted, Wired
from outreach.web.patient import visit as visits
from outreach.web.patient.reader import In, Reader, isolated, readable, show, unbroken

log = structlog.get_logger()
router = APIRouter()
_OF_CARE = ("pre.", "post.", "visit.")


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
    of_care = reader.due.message.step.startswith(_OF_CARE)
    agreed = reader.permission.allowed and reader.due.message.step == REQUEST
    return show(out, "message", reader, body=_body(out, reader, now), visit=visit, question=question, of_care=of_care,
                agreed=agreed)  # fmt: skip


@router.api_route("/p/{token}/privacy", methods=["GET", "HEAD"])
def privacy(token: str, out: Wired, wanted: In) -> HTMLResponse:
    """What is kept of a patient, who sees it, how long, how to stop, whom to ask."""
    with out.sessions() as session:
        reader = readable(session, out, token, out.clock(), wanted)
    return show(out, "privacy", reader)


@router.post("/p/{token}/agree")
def agree(token: str, out: Wired, wanted: In) -> Response:
    """The button of the opt-in request. Pressed twice, or after a STOP, it changes nothing more."""
    now = out.clock()
    with out.sessions.begin() as session:
        reader = readable(session, out, token, now, wanted)
        message = reader.due.message
        if reader.may_agree and message.address_id:
            shown = _body(out, reader, now).striptags()
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
    """A button of a question. Pressed twice it counts once; too late, or without a digit, it changes nothing."""
    now, digit = out.clock(), form.fields.get("answer", "")
    with out.sessions.begin() as session:
        reader = readable(session, out, token, now, wanted)
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


def _body(out: Wired, reader: Reader, now: datetime) -> Markup:
    """The full words: whoever prefers neutral messages reads them here. Where they cannot be made, what was sent."""
    due = reader.due
    public = out.settings.public_url
    try:
        step, spoken = due.message.step, reader.spoken
        choice = spoken.choice(step, Channel.EMAIL, reader.locale, "full")
        if choice is None:
            raise NotApproved(step, reader.locale)
        own = spoken.instructions(choice.locale, topics_of(step, out.sequences))
        values = values_of(due, f"{public}/p/{reader.token}", f"{public}/u/{reader.token}", now, own)
        html = choice.words.page(step, choice.locale, "full", values)
        number = phone(due.clinic.phone)
        return Markup(html.replace(number, unbroken(number)))
    except BadInput:
        log.warning("page from stored words", message=str(due.message.id), step=due.message.step)
        lines = due.message.body.splitlines()
        return Markup("\n").join(Markup("<p>{}</p>").format(line) for line in lines if line.strip())
