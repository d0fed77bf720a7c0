"""Patients by the clinic's own identifiers, many at once, with all that a list may say of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.plan import Visit
from outreach.store import patients
from outreach.store.people import Person, external_index
from outreach.store.tables import Address, Course, Infusion, Patient
from outreach.store.vault import vault_of


@dataclass
class Known:
    """A patient as stored: active addresses by channel, the visits of the active course and their identifiers."""

    person: Person
    addresses: dict[Channel, tuple[UUID, str]] = field(default_factory=dict)
    course: UUID | None = None
    visits: list[Visit] = field(default_factory=list)
    externals: dict[str, UUID] = field(default_factory=dict)


def known(session: Session, clinic_id: UUID, externals: Collection[str]) -> dict[str, Known]:
    """By external identifier as it was given; who is not stored is absent. Four queries, whatever the number."""
    vault = vault_of(session)
    index = {external_index(vault, external, clinic_id): external for external in externals}
    rows = session.execute(
        select(Patient.external_index, Patient.id).where(
            Patient.clinic_id == clinic_id, Patient.external_index.in_(list(index))
        )
    ).all()
    people = patients.named(session, clinic_id, [row.id for row in rows])
    found = {patient_id: Known(person) for patient_id, person in people.items()}
    _addresses(session, clinic_id, found)
    _visits(session, clinic_id, found)
    return {index[row.external_index]: found[row.id] for row in rows}


def _addresses(session: Session, clinic_id: UUID, found: dict[UUID, Known]) -> None:
    vault = vault_of(session)
    rows = session.execute(
        select(Address.id, Address.patient_id, Address.channel, Address.value_sealed).where(
            Address.clinic_id == clinic_id, Address.patient_id.in_(list(found)), Address.active
        )
    )
    for address_id, patient_id, channel, sealed in rows:
        opened = vault.open(sealed, "address.value", clinic_id, address_id)
        found[patient_id].addresses[Channel(channel)] = address_id, opened


def _visits(session: Session, clinic_id: UUID, found: dict[UUID, Known]) -> None:
    """Of each patient's oldest active course, the one that a list adds to."""
    rows = session.execute(
        select(Course.patient_id, Course.id, Infusion)
        .outerjoin(Infusion, Infusion.course_id == Course.id)
        .where(Course.clinic_id == clinic_id, Course.patient_id.in_(list(found)), Course.status == "active")
        .order_by(Course.created_at, Course.id, Infusion.starts, Infusion.id)
        .execution_options(populate_existing=True)
    )
    for patient_id, course_id, one in rows:
        mine = found[patient_id]
        mine.course = mine.course or course_id
        if one is None or mine.course != course_id:
            continue
        mine.visits.append(Visit(id=one.id, course_id=course_id, starts=one.starts, zone=one.zone,
                                 minutes=one.minutes, revision=one.revision, status=one.status))  # fmt: skip
        if one.external:
            mine.externals[one.external] = one.id
