"""Joining by oneself on the clinic's public page: one question goes to what was typed, whoever typed it.

Nobody learns here whether the clinic knows a number. What is typed is nobody's word yet: only the answer to the
question, from that very phone or mailbox, is consent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.enrol import ask
from outreach.actions.replan import quiet_of
from outreach.domain.channel import Channel
from outreach.domain.consent import JOIN, NO_MORE, ConsentKind, State, may_ask, may_contact
from outreach.domain.contact import index_form
from outreach.domain.decision import REQUEST
from outreach.domain.plan import at_once
from outreach.domain.sequence import Sequence
from outreach.store import alerts, audit, consents, inbox, joins, messages, patients, tasks
from outreach.store.inbox import Sender
from outreach.store.tables import Clinic

PER_ADDRESS, PER_CLINIC = 2, 60
"""Questions to one number or mailbox in a day; of one clinic in an hour. More is somebody who earns by our texts."""
EVER = 3
"""Questions to one number or mailbox that nobody answers."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FLOOD = "join flood"
TASK = "join"
LOOK_WITHIN = timedelta(days=1)


@dataclass(frozen=True)
class Joining:
    """What was typed, in normal form, and the words above the form. `given`: at least one address."""

    name: str
    locale: str
    given: Mapping[Channel, str]
    wording: str
    wording_version: str = ""


def join(session: Session, clinic: Clinic, wish: Joining, sequence: Sequence, now: datetime) -> int:
    """Queue the question to what was typed. Returns how many; the page says the same for any number.

    Known numbers are asked again where nobody has answered; whoever had stopped is left in peace, and staff are told.
    """
    joins.turn(session, clinic.id)
    if joins.tries(session, clinic.id, "asked", now - HOUR) >= PER_CLINIC:
        alerts.raise_alert(session, clinic.id, FLOOD, "", f"{PER_CLINIC} questions in an hour", now)
        return 0
    given = {channel: value for channel, value in wish.given.items() if _room(session, clinic, channel, value, now)}
    joins.count(session, clinic.id, [_key(channel, value) for channel, value in given.items()], now)
    known = {channel: inbox.senders(session, clinic.id, channel, index_form(channel, value))
             for channel, value in given.items()}  # fmt: skip
    holders = {one.address_id: one.patient_id for people in known.values() for one in people if one.active}
    if not given:
        return 0
    if any(_said_no(session, clinic, channel, given[channel], people, now) for channel, people in known.items()):
        # Nor is what else was typed asked, and no patient is made: somebody with that number wants no more of us.
        for patient_id in sorted(set(holders.values())):
            _tell(session, clinic, patient_id, f"{JOIN}:{patient_id}:{now:%Y-%m-%d}", now)
        asked = 0
    elif holders:
        asked = sum(_again(session, clinic, one, sequence, now) for people in known.values()
                    for one in _not_too_often(session, people))  # fmt: skip
    else:
        asked = _new(session, clinic, wish, given, sequence, now)
    joins.count(session, clinic.id, ["asked"] * asked, now)
    return asked


def _new(
    session: Session, clinic: Clinic, wish: Joining, given: Mapping[Channel, str], sequence: Sequence, now: datetime
) -> int:
    """A patient without visits: nothing but the question is ever sent until staff book one."""
    person, reach = patients.add_with(
        session, clinic_id=clinic.id, name=wish.name, locale=wish.locale, zone=clinic.zone, wording=clinic.wording,
        now=now, given=given,
    )  # fmt: skip
    patient_id = person.id
    for channel, one in reach.items():
        consents.add(
            session, clinic_id=clinic.id, patient_id=patient_id, address_id=one.id, channel=channel,
            kind=ConsentKind.ASKED, method=JOIN, actor="patient", at=now, evidence=f"{JOIN}:{one.id}",
            wording=wish.wording, wording_version=wish.wording_version, locale=wish.locale,
        )  # fmt: skip
    asked = ask(session, clinic, person, reach, sequence, now)
    _tell(session, clinic, patient_id, f"{JOIN}:{patient_id}", now)
    audit.note(session, clinic_id=clinic.id, at=now, actor_kind="patient", actor_id=patient_id,
               action="patient.joined", subject="patient", subject_id=patient_id,
               detail={"channels": sorted(reach), "locale": wish.locale})  # fmt: skip
    return asked


def _again(session: Session, clinic: Clinic, address_id: UUID, sequence: Sequence, now: datetime) -> int:
    """The question once more to whoever has not answered. What else was typed is not believed: it may be anybody's."""
    reach = patients.address(session, address_id)
    person, ledger = patients.get(session, clinic.id, reach.patient_id), consents.ledger(session, address_id)
    permission = may_contact(ledger, now)
    if permission.allowed or not person.active:
        return 0
    if not may_ask(ledger, now) or not reach.usable:
        if permission.state is not State.NONE:
            _tell(session, clinic, person.id, f"{JOIN}:{person.id}:{now:%Y-%m-%d}", now)
        return 0
    step = next(one for one in sequence.triggered("enrolment") if one.key == REQUEST)
    one = at_once(step, reach.channel, person.zone, now, quiet=quiet_of(clinic))
    queued = messages.add_occasion(
        session, clinic_id=clinic.id, patient_id=person.id, address_id=address_id, channel=reach.channel, step=REQUEST,
        occasion=f"{JOIN}:{address_id}:{now:%Y-%m-%d}", zone=one.zone, due_at=one.due_at,
        useful_until=one.useful_until, wall=one.wall, tz_version=one.tz_version,
    )  # fmt: skip
    return int(queued is not None)


def _said_no(
    session: Session, clinic: Clinic, channel: Channel, value: str, people: Collection[Sender], now: datetime
) -> bool:
    """Whether anybody, here or before the number was anybody's here, ended it: by any way, under any name."""
    ledgers = consents.ledgers(session, [one.address_id for one in people])
    if any(may_contact(ledger, now).state in NO_MORE for ledger in ledgers.values()):
        return True
    return inbox.stopped_before(session, clinic.id, channel, index_form(channel, value))


def _not_too_often(session: Session, people: Collection[Sender]) -> list[UUID]:
    """The addresses of one number that may be asked once more; a number that never answers is left alone for good."""
    left = max(0, EVER - joins.questions(session, [one.address_id for one in people], REQUEST))
    return [one.address_id for one in people if one.active][:left]


def _tell(session: Session, clinic: Clinic, patient_id: UUID, occasion: str, now: datetime) -> None:
    tasks.open_task(session, clinic_id=clinic.id, patient_id=patient_id, kind=TASK, occasion=occasion, now=now,
                    due_at=now + LOOK_WITHIN)  # fmt: skip


def _room(session: Session, clinic: Clinic, channel: Channel, value: str, now: datetime) -> bool:
    return joins.tries(session, clinic.id, _key(channel, value), now - DAY) < PER_ADDRESS


def _key(channel: Channel, value: str) -> str:
    return f"{channel.value} {index_form(channel, value)}"
