"""Preferring: what patients change for themselves on their page; each change stands in the ledger of consent."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions import agree, withdraw
from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentEvent, ConsentKind, State, may_contact
from outreach.store import audit, consents, patients
from outreach.store.due import Due
from outreach.store.people import Person, Reach

PAGE = "page"


class Way(StrEnum):
    """How a channel stands for its patient."""

    ON = "on"
    RESUMABLE = "resumable"
    NEVER = "never"
    CLOSED = "closed"
    BROKEN = "broken"


def way(reach: Reach, ledger: Sequence[ConsentEvent], now: datetime) -> Way:
    """Whether this address is written to, and if not, whether the patient may bring that back without anybody."""
    permission = may_contact(ledger, now)
    if not reach.usable:
        return Way.BROKEN
    if permission.allowed:
        return Way.ON
    if permission.state in (State.REVOKED_BY_STAFF, State.REVOKED_BY_CARRIER):
        return Way.CLOSED
    soon = now + timedelta(seconds=1)  # a START counts only when it is later than the STOP
    again = ConsentEvent(ConsentKind.RESTORED, soon, reach.channel, method=PAGE)
    return Way.RESUMABLE if may_contact([*ledger, again], soon).allowed else Way.NEVER


def language(session: Session, due: Due, locale: str, offered: Collection[str], now: datetime) -> bool:
    """Write to the patient in this language from now on; what waits is composed in it when it is claimed."""
    person = _person(session, due)
    if locale not in offered or person.locale == locale:
        return False
    patients.change(session, person, {"locale": locale})
    _record(session, due, f"language: {locale}", locale, now)
    _note(session, due, "patient.language_chosen", {"from": person.locale, "to": locale}, now)
    return True


def short(session: Session, due: Due, locale: str, now: datetime) -> bool:
    """Only neutral words from now on."""
    person = _person(session, due)
    if person.wording == "neutral":
        return False
    patients.change(session, person, {"wording": "neutral"})
    _record(session, due, "wording: neutral", locale, now)
    _note(session, due, "patient.wording_chosen", {"to": "neutral"}, now)
    return True


def full(session: Session, due: Due, warning: str, locale: str, now: datetime) -> bool:
    """Full words, after `warning` was shown and agreed to. It is kept with each address that is written to anyway:
    where there is no agreement, this makes none."""
    person = _person(session, due)
    evidence = _evidence("full", due, now)
    warned = []
    for reach in patients.addresses(session, person.clinic_id, person.id).values():
        permission = may_contact(consents.ledger(session, reach.id), now)
        if permission.allowed and not permission.warned:
            agree.agree(session, reach.id, method=PAGE, evidence=evidence, locale=locale, wording=warning, now=now)
            warned.append(reach.channel.value)
    if person.wording == "full" and not warned:
        return False
    patients.change(session, person, {"wording": "full"})
    _record(session, due, f"wording: full. {warning}", locale, now)
    _note(session, due, "patient.wording_chosen", {"to": "full", "warned": warned}, now)
    return True


def stop(session: Session, due: Due, channels: Collection[Channel], locale: str, now: datetime) -> bool:
    """No more on these channels; everybody who shares the number is included, as with every STOP."""
    reach = patients.addresses(session, due.message.clinic_id, due.message.patient_id)
    ledgers = consents.ledgers(session, [one.id for one in reach.values()])
    going = [
        one
        for channel, one in reach.items()
        if channel in channels and may_contact(ledgers.get(one.id, ()), now).state is not State.OPTED_OUT
    ]
    if not going:
        return False
    withdraw.stop(session, [one.id for one in going], method=PAGE, evidence=_evidence("stop", due, now), now=now,
                  locale=locale)  # fmt: skip
    message = due.message
    withdraw.ask_whose(session, message.clinic_id, message.patient_id, [one.id for one in going], message.id, now)
    _note(session, due, "consent.stopped", {"channels": sorted(one.channel.value for one in going)}, now)
    return True


def resume(session: Session, due: Due, channel: Channel, locale: str, now: datetime) -> bool:
    """What the patient had agreed to and stopped, goes on: for this patient alone, whoever shares the number.

    False: it is off and stays off, since the patient alone cannot bring it back.
    """
    reach = patients.addresses(session, due.message.clinic_id, due.message.patient_id).get(channel)
    stands = way(reach, consents.ledger(session, reach.id), now) if reach else Way.NEVER
    if reach is None or stands is not Way.RESUMABLE:
        return stands is Way.ON
    if not withdraw.restore(session, reach.id, method=PAGE, evidence=_evidence("resume", due, now), now=now,
                            locale=locale, alone=True):  # fmt: skip
        return False
    _note(session, due, "consent.restored", {"channels": [channel.value]}, now)
    return True


def _person(session: Session, due: Due) -> Person:
    return patients.get(session, due.message.clinic_id, due.message.patient_id)


def _evidence(what: str, due: Due, now: datetime) -> str:
    """The message whose page it was, and the moment: the same choice made again later counts again."""
    return f"page:{due.message.id}:{what}:{now:%Y%m%dT%H%M%S%f}"


def _record(session: Session, due: Due, choice: str, locale: str, now: datetime) -> None:
    message = due.message
    if message.address_id is None:
        return
    consents.add(
        session, clinic_id=message.clinic_id, patient_id=message.patient_id, address_id=message.address_id,
        channel=message.channel, kind=ConsentKind.CHOSEN, method=PAGE, actor="patient", at=now,
        evidence=_evidence(choice.partition(":")[0], due, now), wording=choice, locale=locale,
    )  # fmt: skip


def _note(session: Session, due: Due, action: str, detail: Mapping[str, object], now: datetime) -> None:
    patient_id: UUID = due.message.patient_id
    audit.note(
        session, clinic_id=due.message.clinic_id, at=now, actor_kind="patient", actor_id=patient_id, action=action,
        subject="patient", subject_id=patient_id, detail={**detail, "message": str(due.message.id)},
    )  # fmt: skip
