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

from outreach.content.compose import SOURCE
from outreach.content.formats import Language, as_bdi, phone
from outreach.content.spoken import Spoken
from outreach.domain.consent import ConsentEvent, ConsentKind, Permission, State, may_ask, may_contact
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
PAGE, CONSENT = "page", "consent."
OF_CARE = ("pre.", "post.", "visit.")
"""So begin the steps that tell of a treatment: below them stands when to call the clinic."""
"""The text of these pages; what the keys of messages about an agreement begin with."""
_LETTERS = string.ascii_letters + string.digits + "-_"


@dataclass(frozen=True)
class Reader:
    """A message seen by whoever holds its link, how its address stands, and the language it is read in.

    `chosen`: that language was picked for looking only ("" when it is the patient's own). `over`: nothing of the
    message may be shown. `withheld`: the message asks for an agreement in words that the clinic has not approved in the
    language of whoever reads it: only what was sent is shown, and nobody agrees to it here. `mute`: no language has
    approved words for the pages at all. `wished`: the language that was asked for, or the patient's.
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
    wished: str
    withheld: bool
    mute: bool

    @property
    def locale(self) -> str:
        return self.language.locale

    @property
    def stopped(self) -> bool:
        return self.permission.state is State.OPTED_OUT

    @property
    def declined(self) -> bool:
        """Whether the question of this message was answered with no, and never with yes."""
        asked = self.due.message.step == REQUEST
        return asked and self.stopped and all(event.kind != ConsentKind.AGREED for event in self.ledger)

    @property
    def said_no(self) -> bool:
        """Whether that no was this page's own button: a STOP by text, or by another button, is not that answer."""
        here = f"page:{self.due.message.id}:"
        return any(event.kind == ConsentKind.OPTED_OUT and event.id.startswith(here) for event in self.ledger)

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
    due = read_due(session, message_id)
    if due is None:
        raise NotShown
    ledger = consents.ledger(session, due.message.address_id) if due.message.address_id else []
    permission = may_contact(ledger, now)
    spoken = out.speakers.view(session, due.clinic, out.words)
    step, known = due.message.step, out.words.voices
    picked = wanted if wanted in known else ""
    wished = picked or due.patient_locale
    mine = (due.patient_locale, due.message.locale or due.patient_locale, due.clinic.locale)
    own = next((one for one in mine if tells(spoken, one, step)), "")
    own = own if own == due.patient_locale or not step.startswith(CONSENT) else ""
    own = own or next((one for one in (*mine, SOURCE, *known) if spoken.state(one, PAGE)), "")
    chosen = picked if picked != due.patient_locale and tells(spoken, picked, step) else ""
    withheld = step.startswith(CONSENT) and not tells(spoken, wished, step)
    return Reader(
        due, token, ledger, permission, not withheld and _may_agree(due, ledger, now),
        out.words.language(chosen or own or SOURCE), chosen, _over(session, due, permission, now), spoken, wished,
        withheld, not (chosen or own),
    )  # fmt: skip


def tells(spoken: Spoken, locale: str, step: str) -> bool:
    """Whether a message may be shown in a language: the words of the page and its own. What staff wrote has none."""
    return bool(spoken.state(locale, PAGE)) and (step not in spoken.texts or bool(spoken.state(locale, step)))


def mark(shown: str) -> str:
    """Which words were shown: a digest, since they change with templates, catalogs and the clinic's figures. The form
    carries it, so that nobody is held to have agreed to words that came after those on the screen."""
    return hashlib.sha256(shown.encode()).hexdigest()[:12]


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
    """One of the patient's pages: templates/pages/NAME.html in the reader's language. Without approved words for the
    pages in any language, the clinic's numbers and a button to stop: stopping needs nobody's approval."""
    clinic, locale, step = reader.due.clinic, reader.locale, reader.due.message.step
    tel = "".join(char for char in clinic.phone if char in "+0123456789")
    number = unbroken(phone(clinic.phone))
    if reader.mute:
        return page("pages/bare.html", status, sheet=sheet(), reader=reader, clinic=clinic, number=number, tel=tel)

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
        spoken=[out.words.language(one) for one in out.words.voices if tells(reader.spoken, one, step)],
        offered=[out.words.language(one) for one in reader.spoken.offered],
        clinic=clinic,
        tel=tel,
        **values,
    )


def not_shown(request: Request, error: Exception) -> HTMLResponse:
    """The page of a NotShown. 410 for what is over: nothing of it, but whom to call, and how to stop; else 404."""
    assert isinstance(error, NotShown)
    out: Outreach = request.app.state.outreach
    return show(out, "over", error.reader, 410) if error.reader else gone(out)


def gone(out: Wired) -> HTMLResponse:
    """A friendly 404 in every language we speak: we cannot know whose link it was. No clinic is known, so none can
    have approved these words: they are the shipped ones."""
    keys = ("page.gone", "page.gone.whole")
    spoken = [
        (out.words.language(locale), *(out.words.ui(key, locale) for key in keys)) for locale in out.words.locales
    ]
    return page("pages/gone.html", 404, spoken=spoken, sheet=sheet())


def isolated(text: str) -> Markup:
    """Text whose numbers and Latin names keep their order inside right-to-left lines."""
    return Markup(as_bdi(str(escape(text))))


def unbroken(number: str) -> str:
    """A telephone number that stays on one line: broken over two it is dialled wrong."""
    return number.replace(" ", "\u00a0").replace("-", "\u2011")


@cache
def sheet() -> str:
    """The patients' own stylesheet: theirs is small, because their phones and contracts may be."""
    digest = hashlib.sha256((STATIC / "patient.css").read_bytes()).hexdigest()[:12]
    return f"/static/patient.css?v={digest}"
