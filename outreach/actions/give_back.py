"""Giving back: staff restore one patient, by name, after a STOP that silenced everybody on a shared number."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions import withdraw
from outreach.domain.channel import Channel
from outreach.domain.consent import State, may_contact
from outreach.domain.window import wall_at
from outreach.errors import BadInput, say
from outreach.store import audit, clinics, consents, patients
from outreach.store.people import Reach

LONGEST = 200


def give_back(
    session: Session,
    clinic_id: UUID,
    patient_id: UUID,
    channel: Channel,
    *,
    said_by: str,
    said_on: date | None,
    staff_id: UUID,
    now: datetime,
) -> None:
    """Undo the STOP on this patient's address of the channel, and on nobody else's.

    Only where it is shared: somebody else may have sent that STOP. A patient's own is undone by the patient, with
    START, on their page, or by a new agreement. `said_by`: who told the clinic (kept sealed, with the day).
    """
    patients.lock(session, clinic_id, patient_id)
    clinic, reach = clinics.by_id(session, clinic_id), patients.addresses(session, clinic_id, patient_id).get(channel)
    told = " ".join(said_by.split())
    if not told or len(told) > LONGEST:
        raise BadInput(say("Say who told you, in %(most)s letters at most.", most=LONGEST))
    if said_on is None or said_on > wall_at(now, clinic.zone).date():
        raise BadInput(say("Give the day on which they said it; it cannot be in the future."))
    if reach is None or not may_give_back(session, reach.id, now):
        raise BadInput(say("There is no stop here that somebody else on the same number or mailbox may have sent."))
    back = withdraw.restore(
        session, reach.id, method="staff", evidence=f"desk:{now.isoformat()}:said:{said_on.isoformat()}", now=now,
        actor=f"staff:{staff_id}", alone=True, wording=told,
    )  # fmt: skip
    if not back:
        raise BadInput(say("The patient had not agreed before the stop. Write down a new agreement instead."))
    audit.note(
        session, clinic_id=clinic_id, at=now, actor_kind="staff", actor_id=staff_id, action="consent.given_back",
        subject="patient", subject_id=patient_id, detail={"channels": [channel.value], "said_on": str(said_on)},
    )  # fmt: skip


def may_give_back(session: Session, address_id: UUID, now: datetime) -> bool:
    """Whether this address is stopped, and a STOP of the very same source stopped another patient's too."""
    ledger = consents.ledger(session, address_id)
    if may_contact(ledger, now).state is not State.OPTED_OUT:
        return False
    here = patients.address(session, address_id)
    family = {one.patient_id for one in patients.sharing(session, _all_of(session, here))} - {here.patient_id}
    return bool(family)


def _all_of(session: Session, here: Reach) -> list[UUID]:
    """Every address of the patient: a STOP by text from a shared phone ended the e-mails too."""
    return [one.id for one in patients.addresses(session, here.clinic_id, here.patient_id).values()]
