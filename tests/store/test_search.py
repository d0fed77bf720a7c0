"""Finding patients through keyed hashes, and the list they are shown in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentKind, may_contact
from outreach.domain.finding import wanted
from outreach.store import clinics, consents, patients, roll, search, unusable
from outreach.store.tables import Clinic, Patient

NOW = datetime(2026, 11, 21, 18, tzinfo=UTC)


@pytest.fixture
def here(session: Session) -> Clinic:
    return clinic(session, "here")


def clinic(session: Session, slug: str) -> Clinic:
    return clinics.add(
        session, slug=slug, name=slug.title(), zone="America/Chicago", country="US", locale="en", phone="+13125550100",
        address="1 Example Street", emergency="911",
    )  # fmt: skip


def person(session: Session, of: Clinic, name: str, *, made: datetime = NOW, locale: str = "en", external: str = "",
           phone: str = "") -> UUID:  # fmt: skip
    made_id = patients.add(session, clinic_id=of.id, name=name, locale=locale, zone="America/Chicago", wording="full",
                           external=external, now=made)  # fmt: skip
    if phone:
        patients.set_address(session, of.id, made_id, Channel.SMS, phone, made)
    return made_id


def found(session: Session, of: Clinic, text: str, **sifted: str) -> list[str]:
    meanings = wanted(text, "US") if text else None
    return [one.name for one in roll.page(session, of.id, 50, meanings=meanings, **sifted).people]


def test_patients_are_found_by_every_word_given_and_in_their_own_clinic_only(session: Session, here: Clinic) -> None:
    person(session, here, "Linh Nguyễn", external="A-17", phone="+12025550143")
    person(session, here, "Linh Trần", phone="+12025550199")
    person(session, clinic(session, "there"), "Linh Nguyễn", phone="+12025550143")
    assert sorted(found(session, here, "linh")) == ["Linh Nguyễn", "Linh Trần"]
    assert found(session, here, "nguyen linh") == ["Linh Nguyễn"]
    assert found(session, here, "Linh 0143") == ["Linh Nguyễn"]
    assert found(session, here, "(202) 555-0199") == ["Linh Trần"]
    assert found(session, here, "a-1") == ["Linh Nguyễn"]
    assert found(session, here, "nobody") == []
    assert found(session, here, "linh", locale="es") == []


def test_a_corrected_name_and_number_are_found_and_the_old_number_still_is(session: Session, here: Clinic) -> None:
    who = person(session, here, "Ana Typo", phone="+12025550143")
    patients.change(session, patients.get(session, here.id, who), {"name": "Ana López"})
    patients.set_address(session, here.id, who, Channel.SMS, "+12025550177", NOW)
    assert found(session, here, "typo") == []
    assert found(session, here, "lope") == found(session, here, "0177") == found(session, here, "0143") == ["Ana López"]
    assert patients.get(session, here.id, who).version == 1


def test_rows_of_before_are_made_findable_once(session: Session, here: Clinic) -> None:
    who = person(session, here, "Ana López", external="A-17", phone="+12025550143")
    before = session.scalar(select(Patient.search).where(Patient.id == who))
    session.execute(update(Patient).where(Patient.id == who).values(search=[]))
    assert found(session, here, "ana") == []
    assert search.relearn(session, [who]) == 1
    assert search.relearn(session, [who]) == 0
    assert sorted(before or []) == session.scalar(select(Patient.search).where(Patient.id == who))
    assert found(session, here, "ana 0143") == ["Ana López"]


def test_pages_follow_each_other_without_gap_or_repeat(session: Session, here: Clinic) -> None:
    for number in range(7):
        person(session, here, f"P{number}", made=NOW + timedelta(microseconds=number // 3))
    seen, place = [], ""
    while True:
        page = roll.page(session, here.id, 2, before=place)
        seen += [one.name for one in page.people]
        place = page.next
        if not place:
            break
    assert sorted(seen) == [f"P{number}" for number in range(7)]
    assert {*seen[:1]} == {"P6"}
    for garbled in ("x", "AAAA", "_" * 32, "é"):
        assert len(roll.page(session, here.id, 50, before=garbled).people) == 7


def test_who_stands_for_staff_is_in_no_list(session: Session, here: Clinic) -> None:
    who = person(session, here, "Staff Test")
    session.execute(update(Patient).where(Patient.id == who).values(test=True))
    assert found(session, here, "") == found(session, here, "staff") == []


def test_the_list_narrows_to_inactive_and_unreachable(session: Session, here: Clinic) -> None:
    away, dead = person(session, here, "Away"), person(session, here, "Dead Number", phone="+12025550143")
    patients.change(session, patients.get(session, here.id, away), {"active": False})
    reach = patients.addresses(session, here.id, dead)[Channel.SMS]
    unusable.mark(session, [reach.id], NOW)
    assert found(session, here, "", show="inactive") == ["Away"]
    assert found(session, here, "", show="unusable") == ["Dead Number"]


KINDS = (ConsentKind.AGREED, ConsentKind.OPTED_OUT, ConsentKind.RESTORED, ConsentKind.REVOKED_BY_STAFF,
         ConsentKind.REVOKED_BY_CARRIER, ConsentKind.ASKED)  # fmt: skip


@pytest.mark.parametrize("early_last", [False, True], ids=["in order", "the last was said first"])
def test_the_list_of_those_who_have_not_agreed_says_what_the_ledger_says(
    session: Session, here: Clinic, early_last: bool
) -> None:
    """Every ledger of up to three rows."""
    expected, stopped = set(), set()
    for length in range(4):
        for kinds in product(KINDS, repeat=length):
            name = " ".join(kinds) or "nothing"
            who = person(session, here, name, phone="+12025550143")
            reach = patients.addresses(session, here.id, who)[Channel.SMS]
            for number, kind in enumerate(kinds):
                early = early_last and number == length - 1
                consents.add(
                    session, clinic_id=here.id, patient_id=who, address_id=reach.id, channel=Channel.SMS, kind=kind,
                    method="paper", actor="test", at=NOW + timedelta(minutes=-1 if early else number),
                    evidence=f"{number}",
                )  # fmt: skip
            if not may_contact(consents.ledger(session, reach.id), NOW + timedelta(hours=1)).allowed:
                taken = [kind for kind in kinds if kind.value.startswith(("opted", "revoked"))]
                (stopped if taken else expected).add(name)
    listed = {one.name for one in roll.page(session, here.id, 10_000, show="no_consent").people}
    assert listed == expected
    assert {one.name for one in roll.page(session, here.id, 10_000, show="stopped").people} == stopped
