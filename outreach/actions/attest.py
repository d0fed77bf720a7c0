"""Attesting: staff or the clinic's own software tell that a patient agreed on paper or in person, with the evidence."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions import agree
from outreach.actions.replan import quiet_of
from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentKind, may_contact
from outreach.errors import BadInput, say
from outreach.store import clinics, consents, messages, patients, told_once
from outreach.store.people import Reach


def address_of(session: Session, clinic_id: UUID, patient_id: UUID, channel: Channel) -> Reach:
    """The address that consent is about. BadInput when the patient has none of this channel; NotFound: no patient."""
    patients.get(session, clinic_id, patient_id)
    reach = patients.addresses(session, clinic_id, patient_id).get(channel)
    if reach is None:
        raise BadInput(say("The patient has no address for %(channel)s. Give one first.", channel=channel.value))
    return reach


def attest(
    session: Session,
    clinic_id: UUID,
    patient_id: UUID,
    channel: Channel,
    *,
    method: str,
    evidence: str,
    at: datetime,
    warned: bool,
    wording: str,
    wording_version: str,
    locale: str,
    actor: str,
    now: datetime,
) -> bool:
    """Write an agreement into the ledger of the patient's address, as of `at`. Whether it was news.

    What took consent away later than `at` stays the last word. The same evidence twice is one agreement.
    """
    if at > now:
        raise BadInput(say("Consent cannot be given in the future. Say when it was given."))
    reach = address_of(session, clinic_id, patient_id, channel)
    before = may_contact(consents.ledger(session, reach.id), now)
    consent_id = consents.add(
        session, clinic_id=clinic_id, patient_id=patient_id, address_id=reach.id, channel=channel,
        kind=ConsentKind.AGREED, method=method, actor=actor, at=at, evidence=evidence, warned=warned,
        wording=wording or None, wording_version=wording_version, locale=locale,
    )  # fmt: skip
    after = may_contact(consents.ledger(session, reach.id), now)
    if consent_id is not None and after.allowed and not before.allowed:
        person, clinic = patients.get(session, clinic_id, patient_id), clinics.by_id(session, clinic_id)
        messages.revive(session, [reach.id], now, agree.UNDONE)
        told_once.reconsider(session, [reach.id], now)
        agree.confirm(session, person, [(reach, consent_id)], now, quiet=quiet_of(clinic))
    return consent_id is not None
