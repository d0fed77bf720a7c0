"""Who holds a patient's link, and what may be shown for it."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from outreach.content.formats import Language, as_bdi, phone
from outreach.content.spoken import Spoken
from outreach.domain.consent import ConsentEvent, Permission, State, may_ask, may_contact
from outreach.domain.decision import REQUEST
from outreach.domain.response import still_asks
from outreach.store import consents, patients
from outreach.store.due import Due, read_due
from outreach.store.vault import vault_of
from outreach.web.forms import Wired
from outreach.web.views import STATIC, page
from outreach.wiring import Outreach

SHOWN_FOR = timedelta(days=180)
"""How long after its end a message is still shown. Stopping by its link works for ever."""
NOBODY = UUID(int=0)
_LETTERS = string.ascii_letters + string.digits + "-_"


@dataclass(frozen=True)
class Reader:
    """A message seen by whoever holds its link, how its address stands, and the language it is read in.

    `chosen`: that language was picked for looking only ("" when it is the patient's own). `over`: nothing of the
    message may be shown.
    """

    due: Due
    token: str
    ledger: Sequence[ConsentEvent]
    permission: Permission
    may_agree: bool
    language: Language
    chosen: str
    over: bool
    spoken: Spoken

    @property
    def locale(self) -> str:
        return self.language.locale

    @property
    def stopped(self) -> bool:
        return self.permission.state is State.OPTED_OUT

    def place(self, path: str = "") -> str:
        """A page behind this link, read in the same language."""
        return f"/p/{self.token}{path}" + (f"?in={self.chosen}" if self.chosen else "")


def tongue_of(request: Request) -> str:
    """The language that `?in=` asks for, as written."""
    return request.query_params.get("in", "")[:20]


In = Annotated[str, Depends(tongue_of)]


class NotShown(Exception):
    """Nothing of a message may be shown for this link: nobody's (`reader` None), or one that is over."""

    def __init__(self, reader: Reader | None = None) -> None:
        super().__init__("over" if reader else "nobody's link")
        self.reader = reader


def readable(session: Session, out: Outreach, token: str, now: datetime, wanted: str = "") -> Reader:
    """Whom a link belongs to, whose message may still be shown; NotShown otherwise."""
    reader = find(session, out, token, now, wanted)
    if reader.over:
        raise NotShown(reader)
    return reader


def find(session: Session, out: Outreach, token: str, now: datetime, wanted: str = "") -> Reader:
    """Whom a link belongs to, over or not; NotShown for any other text.

    No secret is compared: the token is deciphered and its row looked up, a garbled one like a foreign one, so that the
    time an answer takes tells nothing.
    """
    token = token.rstrip("".join(set(token) - set(_LETTERS)))  # a sentence's full stop, caught by the messenger
    message_id = vault_of(session).row_of("message", token) or NOBODY
    found = read_due(session, [message_id])
    if not found:
        raise NotShown
    due = found[0]
    ledger = consents.ledger(session, due.message.address_id) if due.message.address_id else []
    permission = may_contact(ledger, now)
    spoken = out.speakers.view(session, due.clinic, out.words)
    offered = spoken.offered
    own = next((one for one in (due.patient_locale, due.message.locale, due.clinic.locale) if one in offered), "en")
    chosen = wanted if wanted in offered and wanted != own else ""
    return Reader(
        due, token, ledger, permission, _may_agree(due, ledger, now),
        out.words.language(chosen or own), chosen, _over(session, due, permission, now), spoken,
    )  # fmt: skip


def _may_agree(due: Due, ledger: Sequence[ConsentEvent], now: datetime) -> bool:
    """As a "1" by text: not an old link, and not one from before consent was taken away."""
    message = due.message
    asks = still_asks(message.sent_at or message.due_at, ledger, now)
    return message.step == REQUEST and asks and may_ask(ledger, now)


def _over(session: Session, due: Due, permission: Permission, now: datetime) -> bool:
    """Too old; taken back at the clinic; or sent to what is not this patient's phone or mailbox any more: a wrong
    number, once corrected, must not go on reading."""
    message = due.message
    last = message.ended_at or message.sent_at or message.due_at
    if now - last > SHOWN_FOR or permission.state is State.REVOKED_BY_STAFF:
        return True
    return message.address_id is not None and not patients.address(session, message.address_id).active


def show(out: Outreach, name: str, reader: Reader, status: int = 200, **values: Any) -> HTMLResponse:
    """One of the patient's pages: templates/pages/NAME.html in the reader's language."""
    clinic, locale = reader.due.clinic, reader.locale
    number = unbroken(phone(clinic.phone))

    def ui(key: str, **more: object) -> Markup:
        said = reader.spoken.words.ui(key, locale, clinic=clinic.name, phone=number, emergency=clinic.emergency, **more)
        return isolated(said)

    return page(
        f"pages/{name}.html",
        status,
        ui=ui,
        sheet=sheet(),
        reader=reader,
        language=reader.language,
        spoken=[out.words.language(one) for one in reader.spoken.offered],
        clinic=clinic,
        tel="".join(char for char in clinic.phone if char in "+0123456789"),
        **values,
    )


def not_shown(request: Request, error: Exception) -> HTMLResponse:
    """The page of a NotShown. 410 for what is over: nothing of it, but whom to call, and how to stop; else 404."""
    assert isinstance(error, NotShown)
    out: Outreach = request.app.state.outreach
    return show(out, "over", error.reader, 410) if error.reader else gone(out)


def gone(out: Wired) -> HTMLResponse:
    """A friendly 404 in every language we speak: we cannot know whose link it was."""
    keys = ("page.gone", "page.gone.whole")
    spoken = [
        (out.words.language(locale), *(out.words.ui(key, locale) for key in keys)) for locale in out.words.locales
    ]
    return page("pages/gone.html", 404, spoken=spoken, sheet=sheet())


def isolated(text: str) -> Markup:
    """Text whose numbers and Latin names keep their order inside right-to-left lines."""
    return Markup(as_bdi(str(escape(text))))


def unbroken(number: str) -> str:
    """A telephone number that breaks after its country code at most: broken over two lines it is dialled wrong."""
    code, space, rest = number.partition(" ")
    return code + space + rest.replace(" ", "\u00a0").replace("-", "\u2011")


@cache
def sheet() -> str:
    """The patients' own stylesheet: theirs is small, because their phones and contracts may be."""
    digest = hashlib.sha256((STATIC / "patient.css").read_bytes()).hexdigest()[:12]
    return f"/static/patient.css?v={digest}"
