"""Answering a patient: words of staff, sent within what the patient agreed to; and whether they can be sent at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions import attend
from outreach.actions.replan import quiet_of
from outreach.content.compose import Values, Words
from outreach.content.shorteners import Shorteners
from outreach.domain.channel import Channel
from outreach.domain.consent import may_contact
from outreach.domain.decision import AT_ONCE
from outreach.domain.message import Content
from outreach.domain.window import tz_version, wall_at
from outreach.errors import BadInput, Reason, say
from outreach.store import audit, clinics, consents, messages, patients, talk, tasks
from outreach.store.due import ClinicFacts
from outreach.store.people import Person
from outreach.store.tables import Clinic

STEP = talk.BY_STAFF
LONGEST = 1000
MOST_PARTS = 6
USEFUL = timedelta(days=1)
LATELY = timedelta(hours=4)
"""Written in the evening, answered the same evening; a question of the morning wakes nobody in the night."""


class Crossed(BadInput):
    """Somebody else has answered since the page was loaded: read that first."""


@dataclass(frozen=True)
class Outlook:
    """Whether words could go now. `refusal`: why they cannot, None when they can; then they go at `at`.

    `live`: the patient has just written, or waits in need, and is answered at any hour.
    """

    address_id: UUID | None
    refusal: Reason | None
    at: datetime
    live: bool = False


@dataclass(frozen=True)
class Draft:
    """What somebody wrote. `seen`: the newest answer of staff on their page, "" for none; `once`: their form's id."""

    text: str
    seen: str
    once: UUID


def outlook(session: Session, clinic: Clinic | ClinicFacts, person: Person, now: datetime) -> Outlook:
    """What dispatch would decide now: the patient, the number, the agreement, the quiet hours."""
    reach = patients.addresses(session, clinic.id, person.id).get(Channel.SMS)
    if reach is None:
        return Outlook(None, Reason.NO_ADDRESS, now)
    if not person.active:
        return Outlook(reach.id, Reason.PATIENT_INACTIVE, now)
    if not reach.usable:
        return Outlook(reach.id, Reason.ADDRESS_UNUSABLE, now)
    permission = may_contact(consents.ledger(session, reach.id), now)
    if not permission.allowed:
        return Outlook(reach.id, permission.reason or Reason.NO_CONSENT, now)
    if _live(session, clinic.id, person.id, now):
        return Outlook(reach.id, None, now, live=True)
    return Outlook(reach.id, None, quiet_of(clinic).next_open(now, person.zone))


def _live(session: Session, clinic_id: UUID, patient_id: UUID, now: datetime) -> bool:
    """Whether an answer goes at any hour: to someone who was awake to write, and to someone in need."""
    wrote_at = talk.wrote_at(session, clinic_id, patient_id)
    return (wrote_at is not None and wrote_at > now - LATELY) or tasks.urgent_open(session, clinic_id, patient_id)


def compose(words: Words, clinic: Clinic | ClinicFacts, person: Person, text: str, shorteners: Shorteners) -> Content:
    """The text as it would arrive, with its segments. BadInput: it is empty or too long, or cannot be sent."""
    text = " ".join(text.split())
    if not text:
        raise BadInput(say("Write something first."))
    if len(text) > LONGEST:
        raise BadInput(say("This has %(n)s characters; an answer may have %(most)s. Shorten it, or call.",
                           n=len(text), most=LONGEST))  # fmt: skip
    shorteners.refuse(text)
    values = Values(clinic.name, clinic.phone, person.zone, text=text)
    content = words.compose(STEP, Channel.SMS, person.locale, "neutral", values)
    if content.segments > MOST_PARTS:
        raise BadInput(say("This would go out as %(n)s SMS parts; %(most)s are the most. Shorten it, or call.",
                           n=content.segments, most=MOST_PARTS))  # fmt: skip
    return content


def answer(
    session: Session, clinic_id: UUID, patient_id: UUID, draft: Draft, words: Words, now: datetime, *, by: UUID,
    shorteners: Shorteners, take: bool = True,
) -> datetime:  # fmt: skip
    """Queue the answer, with `take` take the patient's tasks that nobody has, and return when it goes.

    Crossed: somebody else was quicker. BadInput: it cannot go, and why. The same form sent twice is one answer.
    """
    person, clinic = patients.lock(session, clinic_id, patient_id), clinics.by_id(session, clinic_id)
    content = compose(words, clinic, person, draft.text, shorteners)
    occasion = f"staff:{draft.once}"
    sent = messages.due_of(session, patient_id, occasion)
    if sent is not None:
        return sent
    newest = talk.newest_of_staff(session, clinic_id, patient_id)
    if str(newest or "") != draft.seen:
        raise Crossed(say("Somebody has answered in the meantime. Read it above; send yours if it is still needed."))
    can = outlook(session, clinic, person, now)
    if can.refusal is not None or can.address_id is None:
        raise BadInput(say("This patient cannot be sent a text now. Call instead."))
    message_id = messages.add_occasion(
        session, clinic_id=clinic_id, patient_id=patient_id, address_id=can.address_id, channel=Channel.SMS, step=STEP,
        occasion=occasion, zone=person.zone, due_at=can.at, useful_until=can.at + USEFUL,
        wall=wall_at(can.at, person.zone), tz_version=tz_version(), locale=person.locale, rule="written by staff",
        facts={"text": " ".join(draft.text.split()), "by": str(by)} | ({AT_ONCE: "yes"} if can.live else {}),
    )  # fmt: skip
    if take:
        attend.take_free(session, clinic_id, patient_id, by, now)
    audit.note(
        session, clinic_id=clinic_id, at=now, actor_kind="staff", actor_id=by, action="answer.sent",
        subject="patient", subject_id=patient_id, detail={"message": str(message_id), "parts": content.segments},
    )  # fmt: skip
    return can.at
