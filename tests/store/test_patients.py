"""Patients and addresses: sealed at rest, found by normal form, shared phones, old addresses kept with their ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.errors import BadInput, NotFound
from outreach.store import clinics, patients
from outreach.store.tables import Address, Clinic, Patient

NewClinic = Callable[..., Clinic]
NewPerson = Callable[..., UUID]

NOW = datetime(2026, 12, 1, 18, tzinfo=UTC)


def test_nothing_readable_is_at_rest(session: Session, clinic: NewClinic, person: NewPerson) -> None:
    here = clinic()
    patient = person(here.id, "Canarina Quill", "MRN-Canary-1")
    patients.set_address(session, here.id, patient, Channel.SMS, "+13125550187", NOW)
    patients.set_address(session, here.id, patient, Channel.EMAIL, "canary@example.org", NOW)
    stored = "".join(
        str(bytes(value) if isinstance(value, memoryview) else value)
        for table in ("patient", "address")
        for row in session.execute(text(f"select * from {table}"))
        for value in row
    )
    assert not any(word in stored for word in ("Canarina", "MRN-Canary", "5550187", "canary@"))
    assert patients.get(session, here.id, patient).name == "Canarina Quill"
    assert patients.addresses(session, here.id, patient)[Channel.SMS].value == "+13125550187"


def test_a_name_copied_into_another_row_does_not_open(session: Session, clinic: NewClinic, person: NewPerson) -> None:
    here = clinic()
    one, other = person(here.id), person(here.id, "B")
    sealed = session.scalar(select(Patient.name_sealed).where(Patient.id == one))
    session.execute(update(Patient).where(Patient.id == other).values(name_sealed=sealed))
    with pytest.raises(InvalidTag):
        patients.get(session, here.id, other)


def test_another_clinics_patient_is_not_found(session: Session, clinic: NewClinic, person: NewPerson) -> None:
    here, there = clinic(), clinic("b")
    patient = person(here.id, external="7")
    with pytest.raises(NotFound):
        patients.get(session, there.id, patient)
    assert patients.by_external(session, there.id, "7") is None
    assert patients.by_external(session, here.id, " 7 ") is not None


def test_an_address_spelt_otherwise_is_no_news(session: Session, clinic: NewClinic, person: NewPerson) -> None:
    here = clinic()
    patient = person(here.id)
    first, news = patients.set_address(session, here.id, patient, Channel.EMAIL, "Ana@example.org", NOW)
    again, no_news = patients.set_address(session, here.id, patient, Channel.EMAIL, "ana@EXAMPLE.org", NOW)
    assert (first, news, no_news) == (again, True, False)


def test_an_old_number_comes_back_with_its_row(session: Session, clinic: NewClinic, person: NewPerson) -> None:
    here = clinic()
    patient = person(here.id)
    old, _ = patients.set_address(session, here.id, patient, Channel.SMS, "+13125550101", NOW)
    new, _ = patients.set_address(session, here.id, patient, Channel.SMS, "+13125550102", NOW)
    assert patients.addresses(session, here.id, patient)[Channel.SMS].id == new
    assert patients.set_address(session, here.id, patient, Channel.SMS, "+13125550101", NOW) == (old, True)
    assert len(session.scalars(select(Address).where(Address.active)).all()) == 1


def test_a_familys_phone_is_shared_within_a_clinic_only(session: Session, clinic: NewClinic, person: NewPerson) -> None:
    here, there = clinic(), clinic("b")
    ids = [
        patients.set_address(session, place.id, person(place.id, name), Channel.SMS, "+13125550101", NOW)[0]
        for place, name in ((here, "mother"), (here, "daughter"), (there, "same number elsewhere"))
    ]
    assert {one.id for one in patients.sharing(session, [ids[0]])} == set(ids[:2])


def test_the_only_clinic_is_meant_and_several_are_listed(session: Session, clinic: NewClinic) -> None:
    with pytest.raises(BadInput, match="no clinic yet"):
        clinics.chosen(session, None)
    here = clinic()
    assert clinics.chosen(session, None).id == here.id
    clinic("b")
    with pytest.raises(BadInput, match=r"several clinics.*a, b"):
        clinics.chosen(session, None)
    with pytest.raises(BadInput, match=r'no clinic "c".*a, b'):
        clinics.chosen(session, "c")
    with pytest.raises(BadInput, match="another short name"):
        clinic("b")
