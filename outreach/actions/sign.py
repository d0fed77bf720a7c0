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
from outreach.store.people import Person, Reach
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
    if not paper.channels and not paper.refused:
        return False
    if paper.on is None:
        raise BadInput(say("Consent on paper needs the date it was signed."))
    # The first minute of that day: a STOP of the same day is the later word, which is the safe way to be wrong.
    at = moment(datetime.combine(paper.on, time(0)), clinic.zone).at
    named = sorted(paper.channels | paper.refused)
    missing = next((channel for channel in named if channel not in reach), None)
    if missing is not None:
        raise BadInput(say("There is consent for %(channel)s, but no address for it.", channel=missing.value))
    ids, ledgers = consents.add_all(session, [_said(person, reach[one], paper, actor, at) for one in named])
    fresh = [(reach[channel], consent_id) for channel, consent_id in zip(named, ids, strict=True)
             if consent_id is not None]  # fmt: skip
    open_now = [(one, consent_id) for one, consent_id in fresh
                if one.channel in paper.channels and may_contact(ledgers.get(one.id, ()), now).allowed]  # fmt: skip
    if open_now and not new:
        messages.revive(session, [one.id for one, _ in open_now], now, agree.UNDONE)
        told_once.reconsider(session, [one.id for one, _ in open_now], now)
    agree.confirm(session, person, open_now, now, quiet=quiet_of(clinic))
    return bool(fresh)


def _said(person: Person, reach: Reach, paper: Paper, actor: str, at: datetime) -> consents.Said:
    agreed = reach.channel in paper.channels
    return {
        "clinic_id": person.clinic_id, "patient_id": person.id, "address_id": reach.id, "channel": reach.channel,
        "kind": ConsentKind.AGREED if agreed else ConsentKind.REVOKED_BY_STAFF, "method": "paper", "actor": actor,
        "at": at, "evidence": f"paper:{paper.form}:{paper.on:%Y-%m-%d}", "warned": agreed and paper.warned,
        "wording_version": paper.form,
    }  # fmt: skip


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
