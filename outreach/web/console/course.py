"""What a patient would get of a sequence, word for word and hour by hour; and a test of one message to oneself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from outreach.actions.envisage import Reader
from outreach.actions.try_out import AN_HOUR, Wanted, try_out
from outreach.domain.channel import Channel
from outreach.domain.consent import may_contact
from outreach.domain.plan import Visit
from outreach.domain.sequence import Sequence
from outreach.domain.window import moment
from outreach.errors import BadInput, NotFound, Sentence, say
from outreach.store import choices, consents, enrolments, infusions, patients, readers, stand_ins
from outreach.store.people import Person
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.console.sequences import BY_HAND, example, language_of, lens, sequence_of
from outreach.web.forms import Wired, id_of

router = APIRouter()
MOST = 50
"""So many patients can be chosen from the list; for any other there is a link on the patient's page."""
FIELDS = ("patient", "date", "time", "locale", "wording")
_NO_MESSAGE = say("Choose a message.")
_NO_TIME = say("Choose a date and a time.")


@dataclass(frozen=True)
class Whom:
    """For whom: somebody of the clinic or a sample patient, their visits, and what was wrong with what was typed."""

    reader: Reader
    visits: tuple[Visit, ...]
    person: Person | None
    agreed: bool
    wrong: Mapping[str, Sentence]


@router.get("/sequences/{name}/course")
def envisaged(name: str, request: Request, desk: AtDesk, out: Wired) -> HTMLResponse:
    """Nothing is written: a plan, and its words, for an example or for somebody's own visits."""
    sequence, now = sequence_of(out, name), out.clock()
    values = {field: request.query_params.get(field, "") for field in FIELDS}
    known = desk.may("patients")
    with out.sessions() as session:
        whom = _whom(session, desk, out, values, now)
        people = readers.newest(session, desk.clinic.id, MOST) if known else []
        choice = choices.get(session, desk.clinic.id, name)
    if whom.person and all(one.id != whom.person.id for one in people):
        people = [readers.Known(whom.person.id, whom.person.name), *people]
    items = lens(desk, out).course(choice.of(sequence), whom.reader, whom.visits, now)
    first = whom.visits[0] if whom.visits else example(desk, now)
    shown = {
        "patient": values["patient"], "date": values["date"] or first.starts.date().isoformat(),
        "time": values["time"] or f"{first.starts:%H:%M}", "locale": whom.reader.locale,
        "wording": whom.reader.wording,
    }  # fmt: skip
    return desk.page(
        "sequence_course.html", 422 if whom.wrong else 200, sequence=sequence, choice=choice, whom=whom, items=items,
        people=people, values=shown, languages=_languages(desk, out), language=out.words.language,
    )  # fmt: skip


@router.get("/sequences/{name}/test")
def asked(name: str, desk: AtDesk, out: Wired, step: str = "", sent: str = "") -> HTMLResponse:
    """Which message, in which words, to which of one's own addresses."""
    return _form(desk, out, sequence_of(out, name), {"key": step}, {}, sent=sent == "1")


@router.post("/sequences/{name}/test")
def tested(name: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Send it, the way of every message."""
    sequence, values, now = sequence_of(out, name), form.fields, out.clock()
    try:
        wanted = Wanted(
            sequence.step(values.get("key", "")), _channel(values.get("channel", "")),
            language_of(desk, out, values.get("locale", "")).locale, _wording(values.get("wording", "")),
        )  # fmt: skip
    except NotFound:
        return _form(desk, out, sequence, values, {"key": _NO_MESSAGE})
    if wanted.step.trigger in BY_HAND:
        return _form(desk, out, sequence, values, {"key": _NO_MESSAGE})
    if wanted.channel not in wanted.step.channels:
        return _form(desk, out, sequence, values, {"channel": say("This message goes another way only.")})
    try:
        with out.sessions.begin() as session:
            try_out(session, desk.clinic.id, desk.signed.staff_id, wanted, now)
    except BadInput as error:
        return _form(desk, out, sequence, values, {"": desk.say(error)})
    return RedirectResponse(f"/sequences/{name}/test?sent=1", 303)


def _whom(session: Session, desk: Desk, out: Wired, values: Mapping[str, str], now: datetime) -> Whom:
    person, reader, agreed = None, Reader("en", desk.clinic.zone), True
    visits: tuple[Visit, ...] = (example(desk, now),)
    if values["patient"]:
        if not desk.may("patients"):
            raise HTTPException(403, desk.say(say("Your role here does not show patients.")))
        person = patients.get(session, desk.clinic.id, id_of(values["patient"]))
        reader, agreed = _reader(session, person, now)
        course = enrolments.active_course(session, desk.clinic.id, person.id)
        theirs = [one for one in infusions.of_course(session, course) if one.status != "cancelled"] if course else []
        visits = tuple(theirs) or visits
    wrong: dict[str, Sentence] = {}
    if values["date"] or values["time"]:
        visits = _typed(desk, values, visits, wrong)
    locale = values["locale"] or (reader.locale if person else desk.locale)
    reader = replace(reader, locale=language_of(desk, out, locale).locale)
    if values["wording"]:
        reader = replace(reader, wording=_wording(values["wording"]))
    if desk.clinic.wording == "neutral":
        reader = replace(reader, wording="neutral")
    return Whom(reader, visits, person, agreed, wrong)


def _reader(session: Session, person: Person, now: datetime) -> tuple[Reader, bool]:
    """(the patient as a reader, whether they have agreed for any channel)."""
    reach = patients.addresses(session, person.clinic_id, person.id)
    ledgers = consents.ledgers(session, [one.id for one in reach.values()])
    permissions = [may_contact(ledgers.get(one.id, ()), now) for one in reach.values()]
    clinical = person.wording == "full" and any(one.warned for one in permissions)
    channels = tuple(channel for channel in Channel if channel in reach)
    wording: Literal["full", "neutral"] = "full" if clinical else "neutral"
    return Reader(person.locale, person.zone, wording, channels), any(one.allowed for one in permissions)


def _typed(
    desk: Desk, values: Mapping[str, str], visits: tuple[Visit, ...], wrong: dict[str, Sentence]
) -> tuple[Visit, ...]:
    """One visit at the time that was typed, by the clinic's clock; what it was where nothing can be made of it."""
    try:
        starts = datetime.fromisoformat(f"{values['date'].strip()}T{values['time'].strip()}")
    except ValueError:
        wrong["date"] = _NO_TIME
        return visits
    if starts.tzinfo is not None or not 2000 <= starts.year <= 2100:
        wrong["date"] = _NO_TIME
        return visits
    if moment(starts, desk.clinic.zone).note.startswith("gap"):
        wrong["time"] = say("This hour does not exist on that day: the clocks go forward. Choose another.")
        return visits
    if any(one.starts == starts for one in visits):
        return visits
    return (visits[0]._replace(starts=starts, zone=desk.clinic.zone),)


def _form(
    desk: Desk, out: Wired, sequence: Sequence, values: Mapping[str, str], wrong: Mapping[str, Sentence | str],
    sent: bool = False,
) -> HTMLResponse:  # fmt: skip
    with out.sessions() as session:
        person = stand_ins.own(session, desk.clinic.id, desk.signed.staff_id)
    kept = {"locale": desk.locale, "wording": "full", "channel": "sms" if Channel.SMS in person.reach else "email"}
    return desk.page(
        "sequence_test.html", 422 if wrong else 200, sequence=sequence, values={**kept, **values}, wrong=wrong,
        steps=[step for step in sequence.steps if step.trigger not in BY_HAND],
        sent=sent, languages=_languages(desk, out), phone=Channel.SMS in person.reach, most=AN_HOUR,
    )  # fmt: skip


def _languages(desk: Desk, out: Wired) -> list[tuple[str, str]]:
    """The languages that messages can be sent in."""
    return [(one, out.words.language(one).own_name) for one in out.spoken(desk.clinic).offered]


def _channel(text: str) -> Channel:
    return Channel.EMAIL if text == Channel.EMAIL.value else Channel.SMS


def _wording(text: str) -> Literal["full", "neutral"]:
    return "neutral" if text == "neutral" else "full"
