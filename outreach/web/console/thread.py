"""One conversation of the inbox: read, answered, noted; of a patient, or of a number that nobody has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from outreach.actions import answer, attend
from outreach.actions.answer import Crossed, Draft
from outreach.actions.escalate import STEP
from outreach.content.formats import phone as readable
from outreach.domain.channel import Channel
from outreach.errors import BadInput, Sentence, say
from outreach.store import colleagues, enrolments, inbox, infusions, notes, patients, tasks
from outreach.store import talk as said
from outreach.store.people import Person, Reach
from outreach.store.told import Told, of_tasks
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.console.patient import keep_note
from outreach.web.console.talk import SHOWN, place, symptoms, talk
from outreach.web.console.typed import sentence
from outreach.web.forms import Wired, id_of

router = APIRouter()
DONE = {
    "taken": say("It is yours now. Nobody else is told of it any more."),
    "given_back": say("Given back: others can take it."),
    "closed": say("Closed."),
    "read": say("Marked as read."),
    "noted": say("The note is kept."),
    "sent": say("Your answer is on its way."),
    "later": say("Your answer goes out in the morning, when the patient's quiet hours are over."),
}
LATE = {
    "late": say("Somebody else was quicker: look below who has it, or how it ended."),
    "choose": say("Choose how it ended, then close it."),
    "news": say("Something new has come in. Read it, then close."),
}
CANNED = "canned."
VISITS, NOTES = 12, 5
"""The newest so many stand beside a conversation; all of them on the patient's page."""


@dataclass(frozen=True)
class Canned:
    """An answer to choose, in the patient's language and in that of whoever chooses it."""

    key: str
    theirs: str
    ours: str


@router.get("/inbox/patients/{patient_id}")
def shown(
    patient_id: str, desk: AtDesk, out: Wired, done: str = "", before: str = "", why: str = ""
) -> HTMLResponse:  # fmt: skip
    """The whole conversation with a patient, a part at a time, and what can be done about it."""
    return _page(desk, out, id_of(patient_id), done=done, before=before, why=bool(why))


@router.post("/inbox/patients/{patient_id}/answer")
def answered(patient_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Send what was written. A canned answer is put into the field first; `count` only counts."""
    who, fields, now = id_of(patient_id), form.fields, out.clock()
    if "canned" in fields or "count" in fields:
        return _page(desk, out, who, values=_with_canned(desk, out, who, fields), counted=True)
    try:
        draft = Draft(fields.get("text", ""), fields.get("seen", ""), UUID(fields.get("once", "")))
    except ValueError:
        return _page(desk, out, who, values=fields, wrong={"text": say("This form is not one of ours. Try again.")})
    try:
        with out.sessions.begin() as session:
            at = answer.answer(session, desk.clinic.id, who, draft, out.words, now, by=desk.signed.staff_id,
                               shorteners=out.shorteners, take="take" in fields)  # fmt: skip
            if (until := place(fields.get("until", ""))) is not None:
                attend.mark_read(session, desk.clinic.id, who, until, now, by=desk.signed.staff_id)
    except Crossed as crossed:
        return _page(desk, out, who, values=fields, wrong={"text": sentence(crossed)}, status=409)
    except BadInput as error:
        return _page(desk, out, who, values=fields, wrong={"text": sentence(error)})
    return RedirectResponse(f"/inbox/patients/{who}?done={'later' if at > now else 'sent'}", 303)


@router.post("/inbox/patients/{patient_id}/count")
def counted(patient_id: str, desk: AtDesk, form: Checked, out: Wired) -> PlainTextResponse:
    """How many SMS parts it would be, or what is wrong with it, for whoever is typing."""
    with out.sessions() as session:
        person = patients.get(session, desk.clinic.id, id_of(patient_id))
    return PlainTextResponse(_parts(desk, out, person, form.fields.get("text", "")))


@router.post("/inbox/patients/{patient_id}/notes")
def noted(patient_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Keep a note for colleagues."""
    who = id_of(patient_id)
    if wrong := keep_note(desk, out, who, form):
        return _page(desk, out, who, values=form.fields, wrong=wrong)
    return RedirectResponse(f"/inbox/patients/{who}?done=noted#notes", 303)


@router.post("/inbox/patients/{patient_id}/read")
def read(patient_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Mark as read what stood on the page."""
    who = id_of(patient_id)
    with out.sessions.begin() as session:
        patients.get(session, desk.clinic.id, who)
        _mark(session, desk, out, who, form.fields.get("until", ""))
    return RedirectResponse(f"/inbox/patients/{who}?done=read", 303)


@router.get("/inbox/numbers/{inbound_id}")
def unknown(
    inbound_id: str, desk: AtDesk, out: Wired, done: str = "", before: str = "", why: str = ""
) -> HTMLResponse:  # fmt: skip
    """What a number wrote that no patient has."""
    clinic_id, now = desk.clinic.id, out.clock()
    with out.sessions() as session:
        who = said.stranger(session, clinic_id, id_of(inbound_id))
        theirs = said.heard_from_stranger(session, clinic_id, who, SHOWN + 1, place(before))
        known = tasks.of_stranger(session, clinic_id, who.index)
        told = _told(session, desk, known)
        return desk.page(
            "number.html", number=readable(who.number), tasks=known, told=told,
            symptoms=symptoms(known, theirs, (), desk.clinic.zone),
            names=_names(session, desk, known, told),
            talk=talk(session, out, desk.clinic.zone, [], theirs, now, why=bool(why)), now=now,
            own=f"/inbox/numbers/{inbound_id}", done=DONE.get(done, ""), late=LATE.get(done, ""),
            outcomes=attend.OUTCOMES, before=before, stopped=inbox.stop_stands(session, clinic_id, who.index),
            answered=said.stranger_answered(session, clinic_id, who),
        )  # fmt: skip


@router.post("/inbox/numbers/{inbound_id}/read")
def read_unknown(inbound_id: str, desk: AtDesk, form: Checked, out: Wired) -> Response:
    """The same of an unknown number."""
    which = id_of(inbound_id)
    with out.sessions.begin() as session:
        who = said.stranger(session, desk.clinic.id, which)
        _mark(session, desk, out, who, form.fields.get("until", ""))
    return RedirectResponse(f"/inbox/numbers/{which}?done=read", 303)


def _mark(session: Session, desk: Desk, out: Wired, whose: UUID | said.Stranger, until: str) -> None:
    if (at := place(until)) is not None:
        attend.mark_read(session, desk.clinic.id, whose, at, out.clock(), by=desk.signed.staff_id)


def _page(
    desk: Desk, out: Wired, patient_id: UUID, *, done: str = "", before: str = "", counted: bool = False,
    values: Mapping[str, str] | None = None, wrong: Mapping[str, Sentence | str] | None = None, status: int = 422,
    why: bool = False,
) -> HTMLResponse:  # fmt: skip
    now, clinic_id, zone, typed = out.clock(), desk.clinic.id, desk.clinic.zone, values or {}
    with out.sessions() as session:
        person = patients.get(session, clinic_id, patient_id)
        ours = said.said_to(session, clinic_id, patient_id, SHOWN + 1, place(before))
        theirs = said.heard_from(session, clinic_id, patient_id, SHOWN + 1, place(before))
        known = tasks.of_patient(session, clinic_id, patient_id)
        courses = infusions.of_courses(session, enrolments.courses(session, clinic_id, patient_id))
        visits = sorted((one for course in courses.values() for one in course), key=lambda one: one.start)
        spoken = talk(session, out, zone, ours, theirs, now, why=why)
        reach = patients.addresses(session, clinic_id, patient_id).get(Channel.SMS)
        told = _told(session, desk, known)
        return desk.page(
            "thread.html", status if wrong else 200,
            person=person, own=f"/inbox/patients/{person.id}", talk=spoken, tasks=known, told=told,
            symptoms=symptoms(known, theirs, visits, person.zone),
            names=_names(session, desk, known, told, {line.by for line in spoken.lines if line.by}),
            can=answer.outlook(session, desk.clinic, person, now), sharing=_sharing(session, person, reach),
            dial=reach.value if reach else "", number=readable(reach.value) if reach else "",
            free=sum(one.closed_at is None and one.taken_by is None for one in known),
            canned=_canned(desk, out, person), visits=visits[-VISITS:],
            notes=notes.of_patient(session, clinic_id, person.id, NOTES),
            language=out.words.voices[person.locale].language if person.locale in out.words.voices else None,
            now=now, before=before, done=DONE.get(done, ""),
            late=LATE.get(done, ""), outcomes=attend.OUTCOMES, values=typed, wrong=wrong or {}, once=str(uuid4()),
            seen=str(said.newest_of_staff(session, clinic_id, person.id) or ""), longest=answer.LONGEST,
            parts=_parts(desk, out, person, typed.get("text", "")) if counted else "",
        )  # fmt: skip


def _told(session: Session, desk: Desk, known: Collection[tasks.Known]) -> Mapping[UUID, list[Told]]:
    """Who on call was told of what is urgent."""
    return of_tasks(session, desk.clinic.id, [one.id for one in known if one.kind == "urgent"], STEP)


def _names(
    session: Session, desk: Desk, known: Collection[tasks.Known], told: Mapping[UUID, list[Told]],
    others: Collection[str] = (),
) -> dict[str, str]:  # fmt: skip
    """Of the staff that tasks and messages tell of, by id as text."""
    wanted = {one for task in known for one in (task.taken_by, task.closed_by) if one} | {UUID(one) for one in others}
    wanted |= {one.to for each in told.values() for one in each}
    found = colleagues.names(session, desk.clinic.id, wanted)
    return {str(staff_id): name for staff_id, name in found.items()}


def _sharing(session: Session, person: Person, reach: Reach | None) -> list[Person]:
    """Who else has this patient's phone: what comes from it may be theirs."""
    others = patients.sharing(session, [reach.id]) if reach else []
    named = patients.named(session, person.clinic_id, {one.patient_id for one in others} - {person.id})
    return [one for one in named.values() if not one.test]


def _canned(desk: Desk, out: Wired, person: Person) -> list[Canned]:
    """The answers there are words for in the patient's language, once the clinic has approved them in it."""
    clinic, spoken = desk.clinic, out.spoken(desk.clinic)
    if not spoken.state(person.locale, "canned"):
        return []
    words = spoken.words
    ours = desk.signed.locale if desk.signed.locale in words.voices else "en"
    values = {"phone": readable(clinic.phone), "address": clinic.address, "clinic": clinic.name}
    known, read = words.voices[person.locale].catalog.forms, words.voices[ours].catalog.forms
    both = [key for key in words.units if key.startswith(CANNED) and key in known and key in read]
    return [Canned(key, words.ui(key, person.locale, **values), words.ui(key, ours, **values)) for key in both]


def _with_canned(desk: Desk, out: Wired, patient_id: UUID, fields: Mapping[str, str]) -> dict[str, str]:
    """What was typed, with the chosen answer behind it."""
    with out.sessions() as session:
        person = patients.get(session, desk.clinic.id, patient_id)
    chosen = next((one.theirs for one in _canned(desk, out, person) if one.key == fields.get("canned")), "")
    return {**fields, "text": f"{fields.get('text', '').strip()} {chosen}".strip()}


def _parts(desk: Desk, out: Wired, person: Person, text: str) -> str:
    """For the line under the field."""
    try:
        content = answer.compose(out.words, desk.clinic, person, text, out.shorteners)
    except BadInput as error:
        return desk.say(sentence(error))
    return desk.say(say("SMS parts: %(n)s", n=content.segments))
