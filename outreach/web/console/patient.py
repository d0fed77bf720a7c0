"""One patient: visits, messages with everything known of each, agreement, notes; and what staff write down there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from outreach.actions.give_back import may_give_back
from outreach.actions.jot import jot
from outreach.actions.sign import Paper, record
from outreach.actions.silence import silence, silence_later
from outreach.content.formats import phone as readable
from outreach.domain.channel import Channel
from outreach.domain.consent import NO_MORE, State, may_contact
from outreach.domain.plan import Visit
from outreach.domain.window import wall_at
from outreach.errors import BadInput, say
from outreach.store import changes, clinics, consents, enrolments, inbox, infusions, notes, patients, seen, todo
from outreach.store.messages import HANDED_OVER
from outreach.store.people import Reach
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.console.enrol_form import day_signed
from outreach.web.console.timeline import Item, items, with_news
from outreach.web.console.typed import date_of, sentence
from outreach.web.forms import Form, Wired, id_of

router = APIRouter()
SHOWN, BEFORE = 40, 12
"""Messages on one page; of them at most so many that are over."""
SAVED = {
    "enrolled": say("Enrolled. Below is what will be sent, and when."),
    "moved": say("The visit was moved and its messages were planned anew."),
    "cancelled": say("The visit was cancelled, and with it the messages that had not gone out."),
    "added": say("Booked. Below is what will be sent, and when."),
    "changed": say("Saved. The plan below follows it."),
    "same": say("Nothing was changed."),
    "noted": say("The note is kept."),
    "agreed": say("The agreement is written down. What waited for it goes out when its time comes."),
    "later": say("Written down, but the patient stopped on that day or later. The later word counts: nothing is sent."),
    "stop_later": say("Noted as a task with its deadline. Until it is done, messages still go out."),
    "given_back": say("This patient is written to again; the others on the same number are not."),
    "stopped": say("Stopped at the desk, as the patient asked. Only a new agreement of the patient changes that."),
}


@dataclass(frozen=True)
class Contact:
    """A patient's address as a line of the page. `warned`: agreed to words that name the treatment.

    `shared_stop`: it is stopped, and somebody who shares it (or another of this patient's) may have sent that STOP.
    """

    address_id: UUID
    channel: Channel
    shown: str
    dial: str
    state: State
    usable: bool
    warned: bool
    shared_stop: bool = False


@dataclass(frozen=True)
class Part:
    """A stretch of the timeline; where the earlier and the later one begin, None at the ends."""

    rows: list[seen.Seen]
    earlier: int | None
    later: int | None


@router.get("/patients/{patient_id}")
def shown(
    patient_id: str, desk: AtDesk, out: Wired, saved: str = "", start: str = "", stop: str = ""
) -> HTMLResponse:  # fmt: skip
    """One patient: visits, everything planned and sent, what they wrote, what they agreed to. `stop`: the form that
    stops messages is open."""
    return page_of(desk, out, id_of(patient_id), saved=SAVED.get(saved, ""), start=start, stopping=bool(stop))


@router.post("/patients/{patient_id}/notes")
def noted(patient_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Keep a note for colleagues; patients never see it."""
    who = id_of(patient_id)
    if wrong := keep_note(desk, out, who, form):
        return page_of(desk, out, who, values=form.fields, wrong=wrong)
    return RedirectResponse(f"/patients/{who}?saved=noted#notes", 303)


def keep_note(desk: Desk, out: Wired, who: UUID, form: Form) -> dict[str, str]:
    """Keep what was written into the field `note`; what is wrong with it, by field."""
    try:
        with out.sessions.begin() as session:
            jot(session, desk.clinic.id, who, form.fields.get("note", ""), staff_id=desk.signed.staff_id,
                now=out.clock())  # fmt: skip
    except BadInput as error:
        return {"note": sentence(error)}
    return {}


@router.post("/patients/{patient_id}/agreement")
def agreed(patient_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """A form on paper, signed: for which channels, when, and whether it warned."""
    who, fields, now = id_of(patient_id), form.fields, out.clock()
    try:
        signed = day_signed(fields.get("signed", ""), wall_at(now, desk.clinic.zone).date())
    except BadInput as error:
        return page_of(desk, out, who, values=fields, wrong={"signed": sentence(error)})
    channels = frozenset(one for one in Channel if fields.get(f"for_{one.value}"))
    paper = Paper(channels=channels, on=signed, form="console", warned=bool(fields.get("warned")))
    try:
        with out.sessions.begin() as session:
            still = record(session, desk.clinic.id, who, paper, staff_id=desk.signed.staff_id, now=now)
    except BadInput as error:
        return page_of(desk, out, who, values=fields, wrong={"for": sentence(error)})
    return RedirectResponse(f"/patients/{who}?saved={'later' if still else 'agreed'}", 303)


@router.post("/patients/{patient_id}/stop")
def stopped(patient_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """The patient told the clinic to stop: all messages, or those of one channel; at once, or as a task."""
    who, fields, now, clinic = id_of(patient_id), form.fields, out.clock(), desk.clinic
    here, staff_id = wall_at(now, clinic.zone).date(), desk.signed.staff_id
    asked_on = date_of(fields.get("asked_on", "")) if fields.get("asked_on") else here
    if asked_on is None or asked_on > here:
        wrong = {"asked_on": say("Give the day on which the patient asked; it cannot be in the future.")}
        return page_of(desk, out, who, values=fields, wrong=wrong)
    if not fields.get("asked") and fields.get("when") != "later":
        wrong = {"asked": say("Tick this first: one press ends this patient's messages.")}
        return page_of(desk, out, who, values=fields, wrong=wrong)
    channels = [one for one in Channel if fields.get("channel", "") in ("", one.value)]
    with out.sessions.begin() as session:
        law = out.laws[clinics.by_id(session, clinic.id).law]
        if fields.get("when") == "later":
            due = law.stop_due(asked_on, clinic.zone)
            silence_later(session, clinic.id, who, asked_on=asked_on, due_at=due, staff_id=staff_id, now=now)
            return RedirectResponse(f"/patients/{who}?saved=stop_later", 303)
        silence(session, clinic.id, who, staff_id=staff_id, now=now, channels=channels, asked_on=asked_on,
                every_channel=law.ends_every_channel(here))  # fmt: skip
    return RedirectResponse(f"/patients/{who}?saved=stopped", 303)


def page_of(
    desk: Desk, out: Wired, patient_id: UUID, *, saved: str = "", start: str = "", stopping: bool = False,
    values: Mapping[str, str] | None = None, wrong: Mapping[str, str] | None = None,
) -> HTMLResponse:  # fmt: skip
    """The patient's page; with `wrong`, as it comes back with a form that has faults."""
    now, clinic_id = out.clock(), desk.clinic.id
    with out.sessions() as session:
        person = patients.get(session, clinic_id, patient_id)
        reaches = _contacts(session, clinic_id, patient_id, now)
        part = _part(seen.timeline(session, clinic_id, patient_id), now, start)
        return desk.page(
            "patient.html",
            422 if wrong else 200,
            person=person,
            gone=not person.active and bool(changes.taken_back(session, clinic_id, [patient_id])),
            reaches=reaches,
            words=_words(person.wording, desk.clinic.wording, reaches),
            visits=_visits(session, clinic_id, patient_id),
            now=now,
            items=_lines(session, desk, out, part, now),
            part=part,
            went_to=_went_to(session, part.rows, reaches),
            heard=inbox.heard_from(session, clinic_id, patient_id)[-SHOWN:],
            proofs=consents.history(session, clinic_id, patient_id),
            notes=notes.of_patient(session, clinic_id, patient_id),
            tasks=todo.of_patient(session, clinic_id, patient_id),
            saved=saved,
            stopping=stopping,
            today=f"{wall_at(now, desk.clinic.zone):%Y-%m-%d}",
            values=values or {},
            wrong=wrong or {},
        )


def _part(rows: list[seen.Seen], now: datetime, start: str) -> Part:
    """From a dozen before now on, or from where the reader asked; a course of a year is not one page."""
    over = sum(row.due_at < now for row in rows)
    usual = max(0, min(over - BEFORE, len(rows) - SHOWN))
    first = min(int(start), max(0, len(rows) - 1)) if start.isascii() and start.isdigit() and len(start) < 6 else usual
    after = first + SHOWN
    return Part(rows[first:after], max(0, first - SHOWN) if first else None, after if after < len(rows) else None)


def _lines(session: Session, desk: Desk, out: Wired, part: Part, now: datetime) -> list[Item]:
    shown = items(session, out, part.rows, desk.clinic.zone, now, desk.signed.locale)
    return with_news(session, desk.clinic.id, shown)


def _contacts(session: Session, clinic_id: UUID, patient_id: UUID, now: datetime) -> list[Contact]:
    reaches = patients.addresses(session, clinic_id, patient_id)
    ledgers = consents.ledgers(session, [reach.id for reach in reaches.values()])
    found = []
    for channel, reach in sorted(reaches.items(), reverse=True):
        permission = may_contact(ledgers.get(reach.id, []), now)
        shared = permission.state is State.OPTED_OUT and may_give_back(session, reach.id, now)
        found.append(
            Contact(
                reach.id, channel, _shown(reach), reach.value, permission.state, reach.usable, permission.warned, shared
            )
        )
    return found


def _words(wished: str, of_clinic: str, reaches: list[Contact]) -> str:
    """Which words go, as actions.compose.wording_of decides for each address: full, neutral (as wished), clinic (its
    rule), unwarned (was not told of the channel), partly, later (no address has agreed; our question warns)."""
    if wished != "full":
        return "neutral"
    if of_clinic != "full":
        return "clinic"
    agreed = [one for one in reaches if one.state is State.AGREED]
    told = {one in agreed and one.warned for one in reaches if one.state not in NO_MORE}
    if not agreed:
        return "later"
    return "partly" if len(told) > 1 else "unwarned" if told == {False} else "full"


def _went_to(session: Session, rows: list[seen.Seen], reaches: list[Contact]) -> dict[UUID, str]:
    """The number or mailbox of each message that went to another than today's, by the message's id."""
    today = {one.address_id for one in reaches}
    gone = {row.id: row.address_id for row in rows
            if row.status in HANDED_OVER and row.address_id and row.address_id not in today}  # fmt: skip
    shown = {one: _shown(patients.address(session, one)) for one in set(gone.values())}
    return {message_id: shown[address_id] for message_id, address_id in gone.items()}


def _shown(reach: Reach) -> str:
    return readable(reach.value) if reach.channel is Channel.SMS else reach.value


def _visits(session: Session, clinic_id: UUID, patient_id: UUID) -> list[list[Visit]]:
    """By course, the newest last; within, by time."""
    courses = enrolments.courses(session, clinic_id, patient_id)
    booked = infusions.of_courses(session, courses)
    return [booked[one] for one in courses if one in booked]
