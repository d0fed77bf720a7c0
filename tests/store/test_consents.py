"""The ledger: each piece of evidence once, in its order, with the words that were shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentKind, State, may_contact
from outreach.store import consents, patients
from outreach.store.tables import Clinic

NOW = datetime(2026, 12, 1, 18, tzinfo=UTC)


@pytest.fixture
def where(session: Session, clinic: Callable[..., Clinic], person: Callable[..., UUID]) -> dict[str, UUID]:
    here = clinic()
    patient = person(here.id)
    address, _ = patients.set_address(session, here.id, patient, Channel.SMS, "+13125550101", NOW)
    return {"clinic_id": here.id, "patient_id": patient, "address_id": address}


def write(
    session: Session, where: dict[str, UUID], kind: ConsentKind, evidence: str, at: datetime = NOW
) -> UUID | None:
    return consents.add(session, clinic_id=where["clinic_id"], patient_id=where["patient_id"],
                        address_id=where["address_id"], channel=Channel.SMS, kind=kind, method="sms",
                        actor="patient", at=at, evidence=evidence, warned=True, wording="Responda 1",
                        locale="es")  # fmt: skip


def test_the_same_evidence_counts_once(session: Session, where: dict[str, UUID]) -> None:
    assert write(session, where, ConsentKind.AGREED, "SM1") is not None
    assert write(session, where, ConsentKind.AGREED, "SM1") is None
    assert len(consents.ledger(session, where["address_id"])) == 1


def test_the_ledger_is_read_in_the_order_it_was_written(session: Session, where: dict[str, UUID]) -> None:
    write(session, where, ConsentKind.AGREED, "SM1")
    write(session, where, ConsentKind.OPTED_OUT, "SM2", NOW - timedelta(days=1))
    events = consents.ledger(session, where["address_id"])
    assert [event.kind for event in events] == [ConsentKind.AGREED, ConsentKind.OPTED_OUT]
    assert may_contact(events, NOW).state is State.OPTED_OUT


def test_a_replayed_agreement_does_not_undo_a_stop(session: Session, where: dict[str, UUID]) -> None:
    write(session, where, ConsentKind.AGREED, "SM1")
    write(session, where, ConsentKind.OPTED_OUT, "SM2", NOW + timedelta(minutes=1))
    write(session, where, ConsentKind.AGREED, "SM1")
    assert not may_contact(consents.ledger(session, where["address_id"]), NOW + timedelta(hours=1)).allowed


def test_the_words_shown_can_be_proved(session: Session, where: dict[str, UUID]) -> None:
    write(session, where, ConsentKind.AGREED, "SM1")
    [proof] = consents.history(session, where["clinic_id"], where["patient_id"])
    assert (proof.wording, proof.locale, proof.method, proof.warned) == ("Responda 1", "es", "sms", True)


def test_addresses_that_said_nothing_are_absent(session: Session, where: dict[str, UUID]) -> None:
    assert consents.ledgers(session, [where["address_id"]]) == {}
    assert consents.ledgers(session, []) == {}
