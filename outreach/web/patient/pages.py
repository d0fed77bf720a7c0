"""The page behind a message's link, and the one behind its unsubscribe header. GET shows; only POST acts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from outreach.actions import agree as agreement
from outreach.actions import withdraw
from outreach.actions.compose import values_of
from outreach.content.formats import phone
from outreach.domain.consent import Permission, State, may_ask, may_contact
from outreach.domain.decision import REQUEST
from outreach.errors import BadInput, NotFound
from outreach.store import consents
from outreach.store.due import Due, read_due
from outreach.store.seen import by_token
from outreach.web.forms import Wired
from outreach.web.views import page

log = structlog.get_logger()
router = APIRouter()
_UNBROKEN = str.maketrans(" -", "\u00a0\u2011")  # a number that breaks over two lines is dialled wrong


@dataclass(frozen=True)
class Reader:
    """A message seen by whoever holds its link, and how its address stands."""

    due: Due
    permission: Permission
    may_agree: bool
    locale: str


@router.get("/p/{token}")
def show(token: str, out: Wired) -> HTMLResponse:
    """The message in full, in the patient's language; nothing is noted, because mail scanners open links too."""
    now = out.clock()
    with out.sessions() as session:
        try:
            reader = _reader(session, token, out, now)
        except NotFound:
            return _gone(out)
    return _page(out, "message", reader, body=_body(out, reader, token, now), token=token)


@router.post("/p/{token}/agree")
def agree(token: str, out: Wired) -> Response:
    """The button of the opt-in request. Pressed twice, or after a STOP, it changes nothing more."""
    now = out.clock()
    with out.sessions.begin() as session:
        try:
            reader = _reader(session, token, out, now)
        except NotFound:
            return _gone(out)
        message = reader.due.message
        if reader.may_agree and message.address_id:
            shown = _body(out, reader, token, now).striptags()
            agreement.agree(session, message.address_id, method="page", evidence=f"page:{message.id}",
                            locale=reader.locale, wording=shown, now=now)  # fmt: skip
    return RedirectResponse(f"/p/{token}", 303)


@router.post("/p/{token}/stop")
def stop(token: str, out: Wired) -> Response:
    """The stop button; its effect is for everything not yet handed over."""
    try:
        _stop(out, token, "page")
    except NotFound:
        return _gone(out)
    return RedirectResponse(f"/p/{token}", 303)


@router.get("/u/{token}")
def ask_to_stop(token: str, out: Wired) -> HTMLResponse:
    """Asks; it does not unsubscribe."""
    with out.sessions() as session:
        try:
            reader = _reader(session, token, out, out.clock())
        except NotFound:
            return _gone(out)
    return _page(out, "unsubscribe", reader, token=token)


@router.post("/u/{token}")
def unsubscribe(token: str, out: Wired) -> HTMLResponse:
    """RFC 8058 one-click, and the button of the page above: no cookie, no redirect, 200 however often it comes."""
    try:
        reader = _stop(out, token, "one_click")
    except NotFound:
        return _gone(out)
    return _page(out, "unsubscribe", reader, token=token)


def _stop(out: Wired, token: str, method: str) -> Reader:
    now = out.clock()
    with out.sessions.begin() as session:
        reader = _reader(session, token, out, now)
        message = reader.due.message
        if message.address_id and reader.permission.state is not State.OPTED_OUT:
            # A second STOP after a START must count again: the evidence carries the moment, not only the message.
            evidence = f"{method}:{message.id}:{now:%Y%m%dT%H%M%S}"
            withdraw.stop(session, message.address_id, method=method, evidence=evidence, now=now)
        return _reader(session, token, out, now)


def _reader(session: Session, token: str, out: Wired, now: datetime) -> Reader:
    due = read_due(session, [by_token(session, token).id])[0]
    ledger = consents.ledger(session, due.message.address_id) if due.message.address_id else []
    asking = due.message.step == REQUEST and may_ask(ledger, now)
    return Reader(due, may_contact(ledger, now), asking, _locale(out, due))


def _locale(out: Wired, due: Due) -> str:
    """The language the message was written in, else the patient's, else English."""
    known = out.words.voices
    return next((x for x in (due.message.locale, due.patient_locale, "en") if x in known), "en") or "en"


def _body(out: Wired, reader: Reader, token: str, now: datetime) -> Markup:
    """The full words: whoever prefers neutral messages reads them here. Where they cannot be made, what was sent."""
    due = reader.due
    public = out.settings.public_url
    try:
        values = values_of(due, f"{public}/p/{token}", f"{public}/u/{token}", now)
        return Markup(out.words.page(due.message.step, reader.locale, "full", values))
    except BadInput:
        log.warning("page from stored words", message=str(due.message.id), step=due.message.step)
        lines = due.message.body.splitlines()
        return Markup("\n").join(Markup("<p>{}</p>").format(line) for line in lines if line.strip())


def _page(out: Wired, name: str, reader: Reader, **values: Any) -> HTMLResponse:
    clinic, locale = reader.due.clinic, reader.locale

    def ui(key: str) -> Markup:
        number = phone(clinic.phone).translate(_UNBROKEN)
        return _isolated(out.words.ui(key, locale, clinic=clinic.name, phone=number, emergency=clinic.emergency))

    return page(
        f"pages/{name}.html",
        ui=ui,
        language=out.words.language(locale),
        clinic=clinic,
        tel="".join(char for char in clinic.phone if char in "+0123456789"),
        stopped=reader.permission.state is State.OPTED_OUT,
        agreed=reader.permission.allowed and reader.due.message.step == REQUEST,
        may_agree=reader.may_agree,
        **values,
    )


def _gone(out: Wired) -> HTMLResponse:
    """A friendly 404 in every language we speak: we cannot know whose link it was."""
    spoken = [(out.words.language(locale), out.words.ui("page.gone", locale)) for locale in out.words.locales]
    return page("pages/gone.html", 404, spoken=spoken)


def _isolated(text: str) -> Markup:
    """Text whose numbers and Latin names keep their order inside right-to-left lines."""
    return Markup(str(escape(text)).replace("\u2068", "<bdi>").replace("\u2069", "</bdi>"))
