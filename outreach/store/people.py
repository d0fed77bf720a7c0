"""Patients and addresses as rows: sealed on the way in, opened on the way out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.contact import index_form
from outreach.store.rows import Ask
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


PERSON = (Patient.id, Patient.clinic_id, Patient.name_sealed, Patient.external_sealed, Patient.locale, Patient.zone,
           Patient.wording, Patient.active, Patient.version, Patient.test)  # fmt: skip
REACH = (Address.id, Address.clinic_id, Address.patient_id, Address.channel, Address.value_sealed, Address.active,
          Address.unusable_at)  # fmt: skip


def asking(clinic_id: UUID, patient_id: UUID) -> Ask:
    """One patient of the clinic, for opened()."""
    return Ask(ONE, {"clinic": clinic_id, "id": patient_id})


def opened(session: Session, rows: Iterable[Sequence[Any]]) -> list[Person]:
    """Of the rows that were asked for."""
    vault = vault_of(session)
    return [person(vault, row) for row in rows]


def asking_addresses(clinic_id: UUID, patient_id: UUID) -> Ask:
    """A patient's active addresses, for reached()."""
    return Ask(_ACTIVE, {"clinic": clinic_id, "patient": patient_id})


def reached(session: Session, rows: Iterable[Sequence[Any]]) -> dict[Channel, Reach]:
    """Of the rows that were asked for, by channel."""
    vault = vault_of(session)
    return {one.channel: one for one in (reach(vault, row) for row in rows)}


ONE = """
select id, clinic_id, name_sealed, external_sealed, locale, zone, wording, active, version, test from patient
where clinic_id = %(clinic)b and id = %(id)b"""
_ACTIVE = """
select id, clinic_id, patient_id, channel, value_sealed, active, unusable_at from address
where clinic_id = %(clinic)b and patient_id = %(patient)b and active"""


_ADD_ADDRESS = """
insert into address (id, clinic_id, patient_id, channel, value_sealed, value_index, active, created_at)
values (%(id)b, %(clinic)b, %(patient)b, %(channel)b, %(value)b, %(index)b, true, %(now)b) returning id"""


def reaching(vault: Vault, one: Reach, now: datetime) -> Ask:
    """To write an address."""
    sealed = vault.seal(one.value, "address.value", one.clinic_id, one.id)
    index = vault.index(one.channel.value, index_form(one.channel, one.value), one.clinic_id)
    return Ask(_ADD_ADDRESS, {"id": one.id, "clinic": one.clinic_id, "patient": one.patient_id,
                              "channel": one.channel.value, "value": sealed, "index": index, "now": now})  # fmt: skip


def external_index(vault: Vault, external: str, clinic_id: UUID) -> bytes:
    """The blind index of the clinic's own identifier."""
    return vault.index("external", unicodedata.normalize("NFC", external.strip()), clinic_id)


def person(vault: Vault, row: Sequence[Any]) -> Person:
    """Of a row that holds the columns of PERSON."""
    one, clinic_id, name, external, *rest = row
    known = vault.open(external, "patient.external", clinic_id, one) if external else ""
    return Person(one, clinic_id, vault.open(name, "patient.name", clinic_id, one), known, *rest)


def reach(vault: Vault, row: Sequence[Any]) -> Reach:
    """Of a row that holds the columns of REACH."""
    one, clinic_id, patient_id, channel, value, active, unusable_at = row
    return Reach(one, clinic_id, patient_id, Channel(channel), vault.open(value, "address.value", clinic_id, one),
                 active, unusable_at is None)  # fmt: skip
