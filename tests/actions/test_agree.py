"""Agreeing: written down with the words shown, confirmed once, and no replay grants anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from outreach.actions import withdraw
from outreach.actions.agree import agree
from outreach.actions.enrol import Enrol, NewVisit, enrol
from outreach.domain.channel import Channel
from outreach.domain.consent import may_contact
from outreach.domain.plan import LATE_USE
from outreach.domain.sequence import Sequence
from outreach.store import consents, patients
from outreach.store.seen import timeline
from outreach.store.tables import Clinic
from outreach.store.told_once import truly
from outreach.store.traffic import Message
from tests.actions.conftest import NOW

Rows = Callable[..., list[Message]]


@pytest.fixture
def phone(session: Session, clinic: Clinic, sequence: Sequence) -> UUID:
    form = Enrol(clinic.id, "Ana", "es", (NewVisit(datetime(2026, 12, 15, 10), 40),), phone="+13125550143")
    done = enrol(session, form, sequence, NOW)
    return patients.addresses(session, clinic.id, done.patient_id)[Channel.SMS].id


def say_yes(session: Session, address: UUID, evidence: str = "SM1", at: datetime = NOW) -> bool:
    return agree(session, address, method="sms", evidence=evidence, locale="es", wording="Responda 1", now=at)


def allowed(session: Session, address: UUID, at: datetime = NOW) -> bool:
    return may_contact(consents.ledger(session, address), at + timedelta(seconds=1)).allowed


def test_an_agreement_is_kept_with_the_words_and_confirmed_at_once(session: Session, phone: UUID, rows: Rows) -> None:
    assert say_yes(session, phone)
    [confirmation] = rows(step="consent.confirmed")
    assert (confirmation.due_at, confirmation.locale) == (NOW, "es")
    reach = patients.address(session, phone)
    [proof] = consents.history(session, reach.clinic_id, reach.patient_id)
    assert (proof.wording, proof.evidence, proof.warned) == ("Responda 1", "SM1", True)
    assert allowed(session, phone)


def test_a_yes_brings_what_fell_due_while_it_was_awaited_and_is_still_of_use(
    session: Session, clinic: Clinic, sequence: Sequence, rows: Rows
) -> None:
    form = Enrol(clinic.id, "Ana", "es", (NewVisit(datetime(2026, 12, 3, 10), 40),), phone="+13125550143")
    done = enrol(session, form, sequence, NOW)
    address = patients.addresses(session, clinic.id, done.patient_id)[Channel.SMS].id
    due = [row.id for row in rows() if row.step.startswith("pre.") and row.status == "scheduled"]
    # As the pump does: what falls due before the patient has agreed is suppressed.
    session.execute(update(Message).where(Message.id.in_(due)).values(status="suppressed", reason="no_consent"))
    say_yes(session, address, at=datetime(2026, 12, 2, 20, tzinfo=UTC))
    assert {row.step: row.status for row in rows() if row.id in due} == {
        "pre.the_day": "scheduled", "pre.tomorrow": "suppressed",
    }  # fmt: skip


def test_of_two_messages_that_tell_the_same_exactly_one_goes_after_a_yes(
    session: Session, clinic: Clinic, sequence: Sequence, rows: Rows
) -> None:
    """Enrolled late, not agreed; each fell due and was held back; the yes comes at any hour until the visit is near."""
    visit = NewVisit(datetime(2026, 12, 7, 10), 40)
    form = Enrol(clinic.id, "Ana", "es", (visit,), phone="+13125550143")
    done = enrol(session, form, sequence, NOW)
    address = patients.addresses(session, clinic.id, done.patient_id)[Channel.SMS].id
    pairs = (("pre.the_day", "pre.what_to_expect"), ("pre.the_day", "pre.tomorrow"))
    start = datetime(2026, 12, 7, 16, tzinfo=UTC)
    for hours in range(1, 140, 3):
        with session.begin_nested() as attempt:
            at = NOW + timedelta(hours=hours)
            waiting = Message.status == "scheduled", Message.due_at <= at, Message.course_id.is_not(None)
            session.execute(update(Message).where(*waiting).values(status="suppressed", reason="no_consent"))
            say_yes(session, address, at=at)
            going = {row.step: max(row.due_at, at) for row in rows(status="scheduled") if row.course_id}
            if at + LATE_USE < start:
                assert "pre.the_day" in going, at
            for step, other in pairs:
                days = [going[one].astimezone(ZoneInfo(clinic.zone)).date() for one in (step, other) if one in going]
                assert len(days) == len(set(days)), (at, going)
            attempt.rollback()
            session.expire_all()


def test_what_another_message_was_to_tell_names_the_reason_for_which_that_one_was_not_sent(
    session: Session, clinic: Clinic, sequence: Sequence, rows: Rows
) -> None:
    form = Enrol(clinic.id, "Ana", "es", (NewVisit(datetime(2026, 12, 3, 10), 40),), phone="+13125550143")
    done = enrol(session, form, sequence, NOW)
    [told] = rows(reason="told_same_day", step="pre.what_to_expect")

    def shown() -> str | None:
        lines = timeline(session, clinic.id, done.patient_id)
        return next(truly(line, lines) for line in lines if line.id == told.id)

    assert shown() == "told_same_day"
    ended = {"status": "suppressed", "reason": "no_consent"}
    session.execute(update(Message).where(Message.step == "pre.the_day").values(ended))
    assert shown() == "no_consent"


def test_a_replay_and_a_second_yes_confirm_nothing_again(session: Session, phone: UUID, rows: Rows) -> None:
    say_yes(session, phone)
    assert not say_yes(session, phone)
    assert not say_yes(session, phone, "SM2", NOW + timedelta(hours=1))
    assert len(rows(step="consent.confirmed")) == 1


def test_a_replayed_yes_after_a_stop_grants_nothing(session: Session, phone: UUID) -> None:
    say_yes(session, phone)
    withdraw.stop(session, phone, method="sms", evidence="SM2", now=NOW + timedelta(minutes=1))
    assert not say_yes(session, phone)
    assert not allowed(session, phone, NOW + timedelta(hours=1))


def test_a_new_yes_after_a_stop_brings_back_what_is_still_to_come(session: Session, phone: UUID, rows: Rows) -> None:
    say_yes(session, phone)
    planned = len(rows(status="scheduled")) - 1  # all but the confirmation
    withdraw.stop(session, phone, method="sms", evidence="SM2", now=NOW + timedelta(minutes=1))
    assert say_yes(session, phone, "SM3", NOW + timedelta(hours=1))
    back = [row for row in rows(status="scheduled") if row.step not in ("consent.confirmed", "consent.request")]
    assert len(back) == planned - 1  # the request itself is no longer to come


def test_a_yes_after_staff_had_noted_a_no_counts(session: Session, phone: UUID, rows: Rows) -> None:
    withdraw.revoke(session, phone, actor="desk", evidence="call", now=NOW)
    assert rows(status="scheduled") == []
    assert say_yes(session, phone, at=NOW + timedelta(hours=1))
    assert len(rows(step="pre.the_day", status="scheduled")) == 1
