"""The page where patients change language, channels and wording for themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from outreach.actions import prefer
from outreach.actions.prefer import Way
from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentKind, may_contact
from outreach.domain.decision import REQUEST
from outreach.store import consents, patients
from outreach.web.forms import Posted, Wired
from outreach.web.patient.reader import In, Reader, readable, show

router = APIRouter()
WARNING = "consent.request.body.open"
"""The words that tell that texts and e-mail are not encrypted: the same as in the request for consent."""


class Line(NamedTuple):
    """One channel. `by_text`: it was stopped by a text, which the phone's carrier may have heard too."""

    channel: str
    way: str
    by_text: bool


class Wrong(NamedTuple):
    """What could not be done, and where it is said: the key of its words, at `field`."""

    field: str
    words: str


@router.api_route("/p/{token}/preferences", methods=["GET", "HEAD"])
def choices(token: str, out: Wired, wanted: In, saved: str = "") -> HTMLResponse:
    """How the patient is written to now, with a button for each change."""
    now = out.clock()
    with out.sessions() as session:
        reader = readable(session, out, token, now, wanted)
        return _page(session, out, reader, now, saved=saved == "1")


@router.post("/p/{token}/preferences")
def choose(token: str, form: Posted, out: Wired, wanted: In) -> Response:
    """One change, named by the button. What is so already stays so, however often it is pressed."""
    now = out.clock()
    with out.sessions.begin() as session:
        reader = readable(session, out, token, now, wanted)
        # Without approved words nothing that could be read says what a choice would mean; stopping needs none.
        unread = reader.mute and not form.fields.get("do", "").startswith("stop")
        wrong = Wrong("all", "choices.not_here") if unread else _do(session, out, reader, form.fields, now)
        if wrong:
            return _page(session, out, reader, now, wrong=wrong)
    # A new language is the page's language at once, whatever it was looked at in.
    place = f"/p/{reader.token}/preferences" if form.fields.get("do") == "language" else reader.place("/preferences")
    return RedirectResponse(f"{place}{'&' if '?' in place else '?'}saved=1", 303)


def _do(session: Session, out: Wired, reader: Reader, typed: Mapping[str, str], now: datetime) -> Wrong | None:
    due, locale = reader.due, reader.locale
    channels = [one for one in Channel if one.value == typed.get("channel")]

    def language() -> Wrong | None:
        picked = typed.get("language", "")
        if picked not in reader.spoken.offered:
            return Wrong("language", "choices.language.pick")
        prefer.language(session, due, picked, reader.spoken.offered, now)
        return None

    def full() -> Wrong | None:
        if due.clinic.wording != "full" or not _may_warn(reader):
            return Wrong("words", "choices.not_here" if due.clinic.wording == "full" else "choices.clinic_short")
        if typed.get("read") != "yes":
            return Wrong("read", "choices.read.first")
        prefer.full(session, due, reader.spoken.words.ui(WARNING, locale), locale, now)
        return None

    def short() -> None:
        prefer.short(session, due, locale, now)

    def stop() -> None:
        prefer.stop(session, due, channels, locale, now)

    def stop_all() -> None:
        prefer.stop(session, due, list(Channel), locale, now)

    def resume() -> Wrong | None:
        on = all(prefer.resume(session, due, channel, locale, now) for channel in channels)
        return None if on else Wrong("ways", "choices.not_here")

    doing: dict[str, Callable[[], Wrong | None]] = {
        "language": language, "full": full, "short": short, "stop": stop, "stop_all": stop_all, "resume": resume,
    }  # fmt: skip
    act = doing.get(typed.get("do", ""))
    return act() if act else Wrong("all", "choices.not_here")


def _may_warn(reader: Reader) -> bool:
    """Whether the clinic has approved the warning in this language: nobody accepts words that it does not stand by."""
    return bool(reader.spoken.state(reader.locale, REQUEST))


def _page(
    session: Session, out: Wired, reader: Reader, now: datetime, *, saved: bool = False, wrong: Wrong | None = None
) -> HTMLResponse:
    due = reader.due
    reach = patients.addresses(session, due.message.clinic_id, due.message.patient_id)
    ledgers = consents.ledgers(session, [one.id for one in reach.values()])
    lines, warned = [], []
    for channel, one in reach.items():
        events = ledgers.get(one.id, [])
        way = prefer.way(one, events, now)
        stops = [event for event in events if event.kind in (ConsentKind.OPTED_OUT, ConsentKind.REVOKED_BY_CARRIER)]
        by_text = channel is Channel.SMS and way is Way.RESUMABLE and stops[-1].method != prefer.PAGE
        lines.append(Line(channel.value, way.value, by_text))
        if way is Way.ON:
            warned.append(may_contact(events, now).warned)
    return show(
        out, "preferences", reader, 422 if wrong else 200, lines=sorted(lines, reverse=True), saved=saved,
        wrong=wrong or Wrong("", ""), mine=due.patient_locale, warning=WARNING,
        clinic_full=due.clinic.wording == "full", may_warn=_may_warn(reader),
        full=due.patient_wording == "full" and bool(warned) and all(warned),
    )  # fmt: skip
