"""Enrolling: patient, addresses, consent, course and visits from one form; the same form twice changes nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions import fallback, move
from outreach.actions.book import NewVisit, book
from outreach.actions.replan import Planning, quiet_of, replan
from outreach.actions.sign import Paper, sign
from outreach.domain import contact
from outreach.domain.channel import Channel
from outreach.domain.consent import State, may_ask, may_contact
from outreach.domain.plan import at_once
from outreach.domain.sequence import Sequence
from outreach.domain.window import zone
from outreach.errors import BadInput
from outreach.store import clinics, consents, enrolments, inbox, messages, patients
from outreach.store.people import Person, Reach
from outreach.store.tables import Clinic

__all__ = ["Enrol", "Enrolled", "NewVisit", "Paper", "Planning", "ask", "enrol", "replan", "take_turn"]


@dataclass(frozen=True)
class Enrol:
    """The form. `external`: the clinic's own identifier of the patient; the same one is the same patient.

    `zone` and `wording` of None leave those of a known patient, else are the clinic's; "" leaves a known address.
    """

    clinic_id: UUID
    name: str
    locale: str
    visits: tuple[NewVisit, ...]
    zone: str | None = None
    phone: str = ""
    email: str = ""
    external: str = ""
    wording: str | None = None
    paper: Paper = field(default_factory=Paper)
    actor: str = "staff"


@dataclass(frozen=True)
class Enrolled:
    """What enrolling did. Visits as positions in the form's tuple."""

    patient_id: UUID
    course_id: UUID
    new: bool
    changed: bool
    added: tuple[int, ...]
    moved: tuple[int, ...]
    planning: Planning
    asked: int


def take_turn(session: Session, form: Enrol) -> None:
    """Wait until nobody else enrols the same person; before looking whether they are known, and held until the end.

    Else a form sent twice at once finds nobody both times, and makes two patients. BadInput as enrol().
    """
    who = unicodedata.normalize("NFC", form.external.strip())
    if not who:
        given = _addresses(clinics.by_id(session, form.clinic_id), form)
        first = next((contact.index_form(channel, value) for channel, value in given.items()), "")
        who = first or " ".join(form.name.split()).casefold()
    enrolments.take_turn(session, form.clinic_id, who)


def enrol(session: Session, form: Enrol, sequence: Sequence, now: datetime) -> Enrolled:
    """Make the database say what the form says, plan, and ask for consent where none is recorded.

    BadInput when something cannot be; run it in a savepoint where others must not be lost with it. Take turns first
    (take_turn), except in one transaction over a whole file: the database could not hold that many locks, and there
    the index of identifiers refuses the second.
    """
    clinic = clinics.by_id(session, form.clinic_id)
    given = _addresses(clinic, form)
    name = _check(form, clinic)
    person, reach, changed = _known(session, clinic, form, given, name, now)
    new = person is None
    if person is None:
        external, wording = form.external.strip(), form.wording or clinic.wording
        person, reach = patients.add_with(
            session, clinic_id=clinic.id, name=name, locale=form.locale, zone=form.zone or clinic.zone,
            wording=wording, external=external, now=now, given=given,
        )  # fmt: skip
    if not reach:
        raise BadInput("There is neither a phone number nor an e-mail address. Give at least one.")
    signed = sign(session, clinic, person, reach, form.paper, actor=form.actor, now=now, new=new)
    course_of = enrolments.add_course if new else enrolments.course_for
    course_id = course_of(session, clinic.id, person.id, now)
    if not new:
        enrolments.lock_course(session, course_id)  # before its visits, as everywhere: who moves one meanwhile waits
    added, moved = book(session, clinic, course_id, form.visits, now, empty=new)
    planning = replan(session, course_id, sequence, now)
    sequence = planning.by or sequence
    for old in moved.values():
        move.tell(session, old, sequence, now)
    asked = ask(session, clinic, person, reach, sequence, now)
    return Enrolled(person.id, course_id, new, changed or signed, added, tuple(moved), planning, asked)


def ask(
    session: Session, clinic: Clinic, person: Person, reach: Mapping[Channel, Reach], sequence: Sequence, now: datetime
) -> int:
    """Queue the opt-in request to each address that has not answered yet. Once per address, ever. Returns how many.

    An address that somebody in the clinic shares and has stopped is not asked: it has said no, under another name. Nor
    is a number from which somebody wrote STOP before it was anybody's here.
    """
    said = consents.ledgers(session, [one.id for one in reach.values()])
    open_to = {channel: one for channel, one in reach.items() if one.usable and may_ask(said.get(one.id, ()), now)}
    if not open_to:
        return 0
    shared = {one.id: one for one in patients.sharing(session, [one.id for one in open_to.values()])}
    ledgers = consents.ledgers(session, shared)
    no = {(one.channel, one.value.casefold()) for one in shared.values()
          if may_contact(ledgers.get(one.id, ()), now).state is State.OPTED_OUT}  # fmt: skip
    wanted: list[messages.Occasion] = []
    for step in sequence.triggered("enrolment"):
        for channel in (channel for channel in step.channels if channel in open_to):
            to = open_to[channel]
            if (channel, to.value.casefold()) in no:
                continue
            if inbox.stopped_before(session, clinic.id, channel, contact.index_form(channel, to.value)):
                continue
            one = at_once(step, channel, person.zone, now, quiet=quiet_of(clinic))
            wanted.append({
                "clinic_id": clinic.id, "patient_id": person.id, "address_id": to.id, "channel": channel,
                "step": step.key, "occasion": f"ask:{to.id}", "zone": one.zone, "due_at": one.due_at,
                "useful_until": one.useful_until, "wall": one.wall, "tz_version": one.tz_version,
            })  # fmt: skip
    queued = messages.add_occasions(session, wanted)
    return len(queued) - queued.count(None)


def _check(form: Enrol, clinic: Clinic) -> str:
    """The name as it is written. BadInput for what no patient can have."""
    name = " ".join(form.name.split())
    if not name:
        raise BadInput("The name is empty. Give the name the patient goes by.")
    if (form.wording or clinic.wording) not in ("full", "neutral"):
        raise BadInput("The wording must be full or neutral.")
    zone(form.zone or clinic.zone)  # BadInput for a name that is none
    return name


def _known(
    session: Session, clinic: Clinic, form: Enrol, given: Mapping[Channel, str], name: str, now: datetime
) -> tuple[Person | None, dict[Channel, Reach], bool]:
    """(patient, addresses, whether the form changed their data), if the clinic has them by its identifier."""
    known = patients.by_external(session, clinic.id, form.external) if form.external else None
    if known is None:
        return None, {}, False
    wanted = {"name": name, "locale": form.locale, "zone": form.zone or known.zone,
              "wording": form.wording or known.wording}  # fmt: skip
    news = {key: value for key, value in wanted.items() if getattr(known, key) != value}
    if news:
        patients.change(session, known, news)
        known = patients.get(session, clinic.id, known.id)
    fresh = False
    for channel, value in given.items():
        fresh = patients.set_address(session, clinic.id, known.id, channel, value, now)[1] or fresh
    if fresh:
        fallback.corrected(session, clinic.id, known.id, now)
    return known, patients.addresses(session, clinic.id, known.id), bool(news) or fresh


def _addresses(clinic: Clinic, form: Enrol) -> dict[Channel, str]:
    """The addresses that the form gives, in normal form."""
    given = {}
    if form.phone.strip():
        given[Channel.SMS] = contact.phone(form.phone, clinic.country, lenient=True)
    if form.email.strip():
        given[Channel.EMAIL] = contact.email(form.email)
    return given
