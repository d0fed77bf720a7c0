"""Agreeing: the consent of one address is written down, and confirmed once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.consent import ConsentKind, may_contact
from outreach.domain.message import Parcel
from outreach.domain.window import QuietHours, tz_version, wall_at
from outreach.errors import Reason
from outreach.store import consents, messages, patients, told_once
from outreach.store.people import Person, Reach
from outreach.store.seen import Seen

CONFIRMATION = "consent.confirmed"
CONFIRM_WITHIN = timedelta(days=1)
# What a new agreement undoes; START undoes only OPTED_OUT.
UNDONE = (Reason.NO_CONSENT, Reason.OPTED_OUT, Reason.WITHDRAWN, Reason.UNSUBSCRIBED_AT_CARRIER)


def asked(session: Session, request: Seen, parcel: Parcel, at: datetime) -> None:
    """The request went out: the ledger keeps that, and in which words and language."""
    assert request.address_id is not None  # what went out had an address
    consents.add(
        session, clinic_id=request.clinic_id, patient_id=request.patient_id, address_id=request.address_id,
        channel=request.channel, kind=ConsentKind.ASKED, method=request.channel.value, actor="outreach", at=at,
        evidence=str(parcel.attempt_id), wording=parcel.content.text, locale=parcel.content.locale,
    )  # fmt: skip


def agree(
    session: Session,
    address_id: UUID,
    *,
    method: str,
    evidence: str,
    locale: str,
    wording: str,
    now: datetime,
    wording_version: str = "",
    warned: bool = True,
    actor: str = "patient",
) -> bool:
    """The patient agrees for this address. `wording`: the words shown; `evidence`: the inbound message or page.

    `warned`: those words told that the channel is not encrypted (the opt-in request does). False: nothing new, since
    this evidence is known (a replay) or the address had agreed before; then nothing is confirmed again.
    """
    reach = patients.address(session, address_id)
    person = patients.get(session, reach.clinic_id, reach.patient_id)
    before = may_contact(consents.ledger(session, address_id), now)
    consent_id = consents.add(
        session, clinic_id=reach.clinic_id, patient_id=person.id, address_id=address_id, channel=reach.channel,
        kind=ConsentKind.AGREED, method=method, actor=actor, at=now, evidence=evidence, warned=warned, wording=wording,
        wording_version=wording_version, locale=locale,
    )  # fmt: skip
    after = may_contact(consents.ledger(session, address_id), now)
    if consent_id is None or before.allowed or not after.allowed:
        return False
    messages.revive(session, [address_id], now, UNDONE)
    told_once.reconsider(session, [address_id], now)
    confirm(session, person, [(reach, consent_id)], now, locale=locale)
    return True


def confirm(
    session: Session,
    person: Person,
    agreed: Sequence[tuple[Reach, UUID]],
    now: datetime,
    *,
    quiet: QuietHours | None = None,
    locale: str | None = None,
) -> int:
    """Queue the one confirmation of each agreement: at once, or with `quiet` when the patient may next be written to.

    `agreed`: an address, and the consent that stands for it. Returns how many are new.
    """
    due = quiet.next_open(now, person.zone) if quiet else now
    queued = messages.add_occasions(
        session,
        [{"clinic_id": person.clinic_id, "patient_id": person.id, "address_id": reach.id, "channel": reach.channel,
          "step": CONFIRMATION, "occasion": f"agreed:{consent_id}", "zone": person.zone, "due_at": due,
          "useful_until": due + CONFIRM_WITHIN, "wall": wall_at(due, person.zone), "tz_version": tz_version(),
          "locale": locale} for reach, consent_id in agreed],
    )  # fmt: skip
    return len(queued) - queued.count(None)
