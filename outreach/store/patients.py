"""Patients and their addresses: sealed on the way in, opened on the way out, found by blind index."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Uuid, any_, bindparam, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from outreach.domain import finding
from outreach.domain.channel import Channel
from outreach.domain.contact import index_form
from outreach.errors import NotFound
from outreach.store import consents, search
from outreach.store.tables import Address, Patient
from outreach.store.vault import Vault, vault_of


@dataclass(frozen=True)
class Person:
    """A patient with opened names. Never log one."""

    id: UUID
    clinic_id: UUID
    name: str
    external: str
    locale: str
    zone: str
    wording: str
    active: bool
    version: int = 0
    test: bool = False


@dataclass(frozen=True)
class Reach:
    """An address of a patient, opened. Never log one. `usable`: no carrier has said that nothing arrives there."""

    id: UUID
    clinic_id: UUID
    patient_id: UUID
    channel: Channel
    value: str
    active: bool
    usable: bool = True


_PERSON = (Patient.id, Patient.clinic_id, Patient.name_sealed, Patient.external_sealed, Patient.locale, Patient.zone,
           Patient.wording, Patient.active, Patient.version, Patient.test)  # fmt: skip
_THESE = Patient.id == any_(bindparam("ids", type_=ARRAY(Uuid)))  # one statement however many: it stays prepared
_NAMED = select(*_PERSON).where(Patient.clinic_id == bindparam("clinic_id"), _THESE)
_REACH = (Address.id, Address.clinic_id, Address.patient_id, Address.channel, Address.value_sealed, Address.active,
          Address.unusable_at)  # fmt: skip


def add(
    session: Session,
    *,
    clinic_id: UUID,
    name: str,
    locale: str,
    zone: str,
    wording: str,
    now: datetime,
    external: str = "",
    given: Mapping[Channel, str] | None = None,
) -> UUID:
    """Add a patient. `external` is the clinic's own identifier; "" for none.

    `given`: addresses that come next, by set_address(first=True); the patient is found by them already.
    """
    vault, patient_id = vault_of(session), uuid4()
    terms = finding.of_name(name) | finding.of_external(external)
    for channel, value in (given or {}).items():
        terms = terms | finding.of_address(channel, value)
    session.execute(
        insert(Patient).values(
            id=patient_id,
            clinic_id=clinic_id,
            external_sealed=vault.seal(external, "patient.external", clinic_id, patient_id) if external else None,
            external_index=external_index(vault, external, clinic_id) if external else None,
            name_sealed=vault.seal(name, "patient.name", clinic_id, patient_id),
            locale=locale, zone=zone, wording=wording, active=True, search=search.hashes(vault, clinic_id, terms),
            created_at=now,
        )
    )  # fmt: skip
    return patient_id


def get(session: Session, clinic_id: UUID, patient_id: UUID) -> Person:
    """One patient of the clinic, or NotFound."""
    row = session.execute(
        select(*_PERSON).where(Patient.clinic_id == clinic_id, Patient.id == patient_id)
    ).one_or_none()
    if row is None:
        raise NotFound("no such patient in this clinic")
    return _person(vault_of(session), row)


def by_external(session: Session, clinic_id: UUID, external: str) -> Person | None:
    """The patient with the clinic's own identifier."""
    vault = vault_of(session)
    own = Patient.clinic_id == clinic_id, Patient.external_index == external_index(vault, external, clinic_id)
    row = session.execute(select(*_PERSON).where(*own)).one_or_none()
    return _person(vault, row) if row else None


def listing(session: Session, clinic_id: UUID) -> list[Person]:
    """All of a clinic's patients: for a rehearsal's dozens, never for a page."""
    rows = select(*_PERSON).where(Patient.clinic_id == clinic_id).order_by(Patient.created_at)
    return [_person(vault_of(session), row) for row in session.execute(rows)]


def named(session: Session, clinic_id: UUID, patient_ids: Collection[UUID]) -> dict[UUID, Person]:
    """These patients of the clinic, in one query: for the few that a page shows."""
    if not patient_ids:
        return {}
    vault, rows = vault_of(session), session.execute(_NAMED, {"clinic_id": clinic_id, "ids": list(patient_ids)})
    return {row.id: _person(vault, row) for row in rows}


def newest(
    session: Session, where: Collection[ColumnElement[bool]], limit: int, before: tuple[datetime, UUID] | None = None
) -> list[tuple[datetime, Person]]:
    """Patients that meet `where`, the latest enrolled first, from below `before` (when enrolled, id) on."""
    rows = select(Patient.created_at, *_PERSON).where(*where)
    if before is not None:
        rows = rows.where(func.row(Patient.created_at, Patient.id) < func.row(*before))
    vault = vault_of(session)
    found = session.execute(rows.order_by(Patient.created_at.desc(), Patient.id.desc()).limit(limit))
    return [(row[0], _person(vault, row)) for row in found]


def change(session: Session, person: Person, values: Mapping[str, str | bool]) -> None:
    """Set some of name, locale, zone, wording, active, and count the change. Nothing given: an address changed."""
    columns: dict[str, object] = {key: value for key, value in values.items() if key != "name"}
    if "name" in values:
        sealed = vault_of(session).seal(str(values["name"]), "patient.name", person.clinic_id, person.id)
        columns["name_sealed"] = sealed
    session.execute(
        update(Patient)
        .where(Patient.id == person.id, Patient.clinic_id == person.clinic_id)
        .values(columns | {"version": Patient.version + 1})
        .execution_options(synchronize_session=False)
    )
    if "name" in values or values.get("active"):  # who was taken back with a list is found by nothing
        search.relearn(session, [person.id])


def lock(session: Session, clinic_id: UUID, patient_id: UUID) -> Person:
    """One patient of the clinic, its row locked: two who change it take turns. NotFound as get()."""
    own = Patient.clinic_id == clinic_id, Patient.id == patient_id
    session.execute(select(Patient.id).where(*own).with_for_update())
    return get(session, clinic_id, patient_id)


def addresses(session: Session, clinic_id: UUID, patient_id: UUID) -> dict[Channel, Reach]:
    """The patient's active address of each channel."""
    vault = vault_of(session)
    rows = session.execute(
        select(*_REACH).where(Address.clinic_id == clinic_id, Address.patient_id == patient_id, Address.active)
    )
    return {reach.channel: reach for reach in (_reach(vault, row) for row in rows)}


def address(session: Session, address_id: UUID) -> Reach:
    """One address, or NotFound."""
    row = session.execute(select(*_REACH).where(Address.id == address_id)).one_or_none()
    if row is None:
        raise NotFound("no such address")
    return _reach(vault_of(session), row)


def sharing(session: Session, address_ids: Collection[UUID]) -> list[Reach]:
    """These addresses and every other of their clinic with the same number or mailbox: a family's phone."""
    same = select(Address.clinic_id, Address.channel, Address.value_index).where(Address.id.in_(address_ids)).subquery()
    rows = session.execute(
        select(*_REACH)
        .join(
            same,
            (same.c.clinic_id == Address.clinic_id)
            & (same.c.channel == Address.channel)
            & (same.c.value_index == Address.value_index),
        )
        .distinct()
        .order_by(Address.id)
    )
    vault = vault_of(session)
    return [_reach(vault, row) for row in rows]


def set_address(
    session: Session, clinic_id: UUID, patient_id: UUID, channel: Channel, value: str, now: datetime, *,
    first: bool = False,
) -> tuple[UUID, bool]:  # fmt: skip
    """Make `value` (normal form) the patient's active address of the channel. Returns (id, whether that is news).

    An address from before keeps its row and its ledger: going back to an old number brings its STOP along, and gives
    one that was unusable another chance. The one it has already is left as it is: a list loaded again is no news of it.
    `first`: the patient was made just now, with this address among `given`.
    """
    vault, fresh = vault_of(session), uuid4()
    index = vault.index(channel.value, index_form(channel, value), clinic_id)
    ours = (Address.clinic_id == clinic_id, Address.patient_id == patient_id, Address.channel == channel.value)
    before = select(Address.id, Address.active, Address.value_index).where(*ours)
    rows = [] if first else session.execute(before).all()
    known = next((row for row in rows if row.value_index == index), None)
    if known is not None and known.active:
        return known.id, False
    if any(row.active for row in rows):
        session.execute(update(Address).where(*ours, Address.active).values(active=False))
    if known is not None:
        session.execute(update(Address).where(Address.id == known.id).values(active=True, unusable_at=None))
        consents.keep(session, patient_id)
        return known.id, True
    session.execute(
        upsert(Address).values(
            id=fresh, clinic_id=clinic_id, patient_id=patient_id, channel=channel.value, value_index=index, active=True,
            value_sealed=vault.seal(value, "address.value", clinic_id, fresh), created_at=now,
        )
    )  # fmt: skip
    if not first:
        consents.keep(session, patient_id)
        search.learn(session, clinic_id, patient_id, finding.of_address(channel, value))
    return fresh, True


def drop_address(session: Session, clinic_id: UUID, patient_id: UUID, channel: Channel) -> None:
    """The patient has no address of this channel any more; its row and ledger stay."""
    ours = (Address.clinic_id == clinic_id, Address.patient_id == patient_id, Address.channel == channel.value)
    session.execute(update(Address).where(*ours, Address.active).values(active=False))
    consents.keep(session, patient_id)


def external_index(vault: Vault, external: str, clinic_id: UUID) -> bytes:
    """The blind index of the clinic's own identifier."""
    return vault.index("external", unicodedata.normalize("NFC", external.strip()), clinic_id)


def _person(vault: Vault, row: Any) -> Person:
    """Of a row that holds the columns of _PERSON."""
    own = row.clinic_id, row.id
    external = vault.open(row.external_sealed, "patient.external", *own) if row.external_sealed else ""
    name = vault.open(row.name_sealed, "patient.name", *own)
    return Person(row.id, row.clinic_id, name, external, row.locale, row.zone, row.wording, row.active, row.version,
                  row.test)  # fmt: skip


def _reach(vault: Vault, row: Any) -> Reach:
    value = vault.open(row.value_sealed, "address.value", row.clinic_id, row.id)
    return Reach(row.id, row.clinic_id, row.patient_id, Channel(row.channel), value, row.active,
                 row.unusable_at is None)  # fmt: skip
