"""Where patients stand is kept beside the ledger, and never says anything else than the ledger does."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import product
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session, sessionmaker

from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentKind, Standing, may_contact
from outreach.errors import Reason
from outreach.store import clinics, consents, patients
from outreach.store.tables import Clinic, Patient
from outreach.store.vault import Vault

NOW = datetime(2026, 12, 1, 18, tzinfo=UTC)
NUMBERS = ("+13125550101", "+13125550102", "+13125550103")
METHODS = ("paper", Reason.UNSUBSCRIBED_AT_CARRIER.value)


def kept(session: Session, patient_id: UUID) -> str:
    return session.scalars(select(Patient.standing).where(Patient.id == patient_id)).one()


def told(session: Session, clinic_id: UUID, patient_id: UUID) -> str:
    """What the ledgers of the patient's addresses of now say, each asked by itself."""
    ids = [one.id for one in patients.addresses(session, clinic_id, patient_id).values()]
    ledgers = [consents.ledger(session, one) for one in ids]
    if any(may_contact(events, NOW + timedelta(days=9)).allowed for events in ledgers):
        return "agreed"
    no = {"opted_out", "revoked_by_staff", "revoked_by_carrier"}
    return "refused" if any(event.kind in no for events in ledgers for event in events) else "open"


def say(session: Session, clinic_id: UUID, patient_id: UUID, address_id: UUID, kind: ConsentKind, at: datetime,
        method: str = "paper", evidence: str = "") -> None:  # fmt: skip
    consents.add(session, clinic_id=clinic_id, patient_id=patient_id, address_id=address_id, channel=Channel.SMS,
                 kind=kind, method=method, actor="test", at=at, evidence=evidence or str(uuid4()))  # fmt: skip


def test_it_is_what_the_ledgers_say_whatever_happens(
    session: Session, clinic: Callable[..., Clinic], person: Callable[..., UUID]
) -> None:
    """Events of every kind, late and repeated ones too, between new numbers, old ones again, and none."""
    chance, here, seen = random.Random(4711), clinic().id, set()
    for _ in range(12):
        who = person(here)
        assert kept(session, who) == "open"
        for step in range(12):
            reach = patients.addresses(session, here, who)
            match chance.randrange(6):
                case 0:
                    patients.set_address(session, here, who, Channel.SMS, chance.choice(NUMBERS), NOW)
                case 1:
                    patients.set_address(session, here, who, Channel.EMAIL, f"{chance.randrange(2)}@x.example", NOW)
                case 2 if chance.random() < 0.5:
                    patients.drop_address(session, here, who, chance.choice(list(Channel)))
                case _ if reach:
                    at = NOW + timedelta(minutes=chance.choice((step, step, -5)))
                    say(session, here, who, chance.choice(list(reach.values())).id, chance.choice(list(ConsentKind)),
                        at, chance.choice(METHODS), chance.choice(("", "again")))  # fmt: skip
            seen.add(kept(session, who))
            assert kept(session, who) == told(session, here, who)
    assert seen == {one.value for one in Standing}


def test_what_was_written_before_it_was_kept_is_read_as_the_ledger_reads_it(
    session: Session, clinic: Callable[..., Clinic], person: Callable[..., UUID]
) -> None:
    """The migration's own words over every ledger of two events, and over addresses that were given up."""
    here, moving = clinic().id, [one for one in ConsentKind if one is not ConsentKind.CHOSEN]
    for number, (kinds, early) in enumerate(product(product(moving, repeat=2), (0, -9))):
        who = person(here)
        given, _ = patients.set_address(session, here, who, Channel.SMS, NUMBERS[0], NOW)
        say(session, here, who, given, kinds[0], NOW, METHODS[number % 2])
        say(session, here, who, given, kinds[1], NOW + timedelta(minutes=1 + early))
        if number % 5 == 0:
            patients.set_address(session, here, who, Channel.SMS, NUMBERS[1], NOW)
    everybody = text("select id, standing from patient order by id")
    right = session.execute(everybody).all()
    session.execute(text("update patient set standing = 'open'"))
    session.execute(text(import_module("outreach.store.migrations.versions.0011_kept_standing").BACKFILL))
    assert session.execute(everybody).all() == right
    assert {row.standing for row in right} == {one.value for one in Standing}


def test_a_stop_and_an_agreement_at_once_take_turns(engine: Engine, vault: Vault) -> None:
    sessions = sessionmaker(engine, info={"vault": vault})
    with sessions.begin() as session:
        here = clinics.add(session, slug="a", name="A", zone="UTC", country="US", locale="en", phone="", address="",
                           emergency="911", sms_sender="", email_sender="").id  # fmt: skip
        who = patients.add(session, clinic_id=here, name="Jo", locale="en", zone="UTC", wording="full", now=NOW)
        address, _ = patients.set_address(session, here, who, Channel.SMS, NUMBERS[0], NOW)

    def agree() -> None:
        with sessions.begin() as other:
            say(other, here, who, address, ConsentKind.AGREED, NOW)

    with ThreadPoolExecutor(1) as pool:
        with sessions.begin() as first:
            say(first, here, who, address, ConsentKind.OPTED_OUT, NOW - timedelta(minutes=1))
            second = pool.submit(agree)
            with pytest.raises(Late):
                second.result(0.2)
        second.result(10)
    with sessions() as after:
        assert kept(after, who) == told(after, here, who) == "agreed"
        assert [one.kind for one in consents.ledger(after, address)] == ["opted_out", "agreed"]
