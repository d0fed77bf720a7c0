"""The words patients are found by, as keyed hashes: looked up without opening a single row.

A hash is the first 64 bits of an HMAC bound to the clinic. Without the key a dump tells no word; it does tell which
rows of one clinic share a beginning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from outreach.domain import finding
from outreach.domain.channel import Channel
from outreach.store.tables import Address, Patient
from outreach.store.vault import Vault, vault_of


def hashes(vault: Vault, clinic_id: UUID, terms: Iterable[str]) -> list[int]:
    """Terms as a patient's row keeps them: 64 bits, signed, in order."""
    return sorted({int.from_bytes(vault.index("search", term, clinic_id)[:8], signed=True) for term in terms})


def meets(vault: Vault, clinic_id: UUID, meanings: Collection[Collection[str]]) -> ColumnElement[bool]:
    """Rows that meet every word of one of the meanings (domain.finding.wanted)."""
    return or_(*(Patient.search.contains(hashes(vault, clinic_id, words)) for words in meanings))


def learn(session: Session, clinic_id: UUID, patient_id: UUID, terms: Iterable[str]) -> None:
    """From now on the patient is found by these words too."""
    added = hashes(vault_of(session), clinic_id, terms)
    session.execute(
        update(Patient)
        .where(Patient.clinic_id == clinic_id, Patient.id == patient_id)
        .values(search=func.array_cat(Patient.search, added, type_=Patient.search.type))
        .execution_options(synchronize_session=False)
    )


def relearn(session: Session, patient_ids: Collection[UUID]) -> int:
    """Compute anew what these patients are found by, from their names, identifiers and all addresses they ever had.

    Returns how many rows were not up to date. The one place besides a patient's page that opens names, row by row.
    """
    vault, changed = vault_of(session), 0
    terms: dict[UUID, set[str]] = {one: set() for one in patient_ids}
    for owner, address_id, clinic_id, channel, sealed in session.execute(
        select(Address.patient_id, Address.id, Address.clinic_id, Address.channel, Address.value_sealed).where(
            Address.patient_id.in_(patient_ids)
        )
    ):
        terms[owner] |= finding.of_address(Channel(channel), vault.open(sealed, "address.value", clinic_id, address_id))
    for one, clinic_id, name, external, known in session.execute(
        select(Patient.id, Patient.clinic_id, Patient.name_sealed, Patient.external_sealed, Patient.search)
        .where(Patient.id.in_(patient_ids))
        .order_by(Patient.id)
        .with_for_update()
    ).all():
        words = terms[one] | finding.of_name(vault.open(name, "patient.name", clinic_id, one))
        if external:
            words |= finding.of_external(vault.open(external, "patient.external", clinic_id, one))
        if (fresh := hashes(vault, clinic_id, words)) != known:
            session.execute(update(Patient).where(Patient.id == one).values(search=fresh)
                            .execution_options(synchronize_session=False))  # fmt: skip
            changed += 1
    return changed


def after(session: Session, place: tuple[datetime, UUID] | None, limit: int) -> list[tuple[datetime, UUID]]:
    """The next patients of all clinics in a fixed order, as (made, id), for going through them in batches."""
    rows = select(Patient.created_at, Patient.id).order_by(Patient.created_at, Patient.id).limit(limit)
    if place is not None:
        rows = rows.where(func.row(Patient.created_at, Patient.id) > func.row(*place))
    return [(row.created_at, row.id) for row in session.execute(rows)]
