"""Signing: an agreement or a refusal on paper is written down for the addresses it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions import agree
from outreach.actions.replan import quiet_of
from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentKind, may_contact
from outreach.domain.window import moment
from outreach.errors import BadInput, say
from outreach.store import audit, clinics, consents, messages, patients, told_once
from outreach.store.patients import Person, Reach
from outreach.store.tables import Clinic


@dataclass(frozen=True)
class Paper:
    """What was signed on paper: for which channels, when (the clinic's calendar), on which form.

    `refused`: channels the patient said no to. `warned`: the form told that SMS and e-mail are not encrypted.
    """

    channels: frozenset[Channel] = frozenset()
    refused: frozenset[Channel] = frozenset()
    on: date | None = None
    form: str = ""
    warned: bool = False


def sign(
    session: Session,
    clinic: Clinic,
    person: Person,
    reach: Mapping[Channel, Reach],
    paper: Paper,
    *,
    actor: str,
    now: datetime,
    new: bool = False,
) -> bool:
    """Write down what was signed. Whether anything of it was news. BadInput: no date, or no address for a channel.

    `new`: the patient was made just now, and nothing of theirs can have waited for it.
    """
    news = False
    if not paper.channels and not paper.refused:
        return False
    if paper.on is None:
        raise BadInput(say("Consent on paper needs the date it was signed."))
    # The first minute of that day: a STOP of the same day is the later word, which is the safe way to be wrong.
    at = moment(datetime.combine(paper.on, time(0)), clinic.zone).at
    for channel in sorted(paper.channels | paper.refused):
        if channel not in reach:
            raise BadInput(say("There is consent for %(channel)s, but no address for it.", channel=channel.value))
        agreed = channel in paper.channels
        consent_id = consents.add(
            session, clinic_id=clinic.id, patient_id=person.id, address_id=reach[channel].id, channel=channel,
            kind=ConsentKind.AGREED if agreed else ConsentKind.REVOKED_BY_STAFF, method="paper", actor=actor, at=at,
            evidence=f"paper:{paper.form}:{paper.on.isoformat()}", warned=agreed and paper.warned,
            wording_version=paper.form,
        )  # fmt: skip
        news = news or consent_id is not None
        if consent_id and agreed and may_contact(consents.ledger(session, reach[channel].id), now).allowed:
            if not new:
                messages.revive(session, [reach[channel].id], now, agree.UNDONE)
                told_once.reconsider(session, [reach[channel].id], now)
            agree.confirm(session, reach[channel], person, consent_id, now, quiet=quiet_of(clinic))
    return news


def record(
    session: Session, clinic_id: UUID, patient_id: UUID, paper: Paper, *, staff_id: UUID, now: datetime
) -> set[Channel]:
    """A paper that staff hold in their hands. Returns the channels of it that still may not be written to.

    Those are where the patient stopped, or was taken off, on that day or later: the later word counts.
    """
    clinic, person = clinics.by_id(session, clinic_id), patients.lock(session, clinic_id, patient_id)
    reach = patients.addresses(session, clinic_id, patient_id)
    if not paper.channels:
        raise BadInput(say("Choose what the patient agreed to."))
    news = sign(session, clinic, person, reach, paper, actor=f"staff:{staff_id}", now=now)
    ledgers = consents.ledgers(session, [reach[channel].id for channel in paper.channels])
    if news:
        audit.note(
            session, clinic_id=clinic_id, at=now, actor_kind="staff", actor_id=staff_id, action="consent.recorded",
            subject="patient", subject_id=patient_id,
            detail={"channels": sorted(paper.channels), "on": str(paper.on), "warned": paper.warned},
        )  # fmt: skip
    return {one for one in paper.channels if not may_contact(ledgers.get(reach[one].id, ()), now).allowed}
