"""STOP: at once, for everybody on the phone, whatever comes again; START gives back exactly that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from outreach.actions import withdraw
from outreach.actions.agree import agree
from outreach.actions.enrol import Enrol, NewVisit, Paper, enrol
from outreach.domain.channel import Channel
from outreach.domain.consent import State, may_contact
from outreach.domain.sequence import Sequence
from outreach.domain.window import tz_version
from outreach.errors import Reason
from outreach.store import consents, messages, patients
from outreach.store.tables import Clinic
from outreach.store.traffic import Message
from tests.actions.conftest import NOW

Rows = Callable[..., list[Message]]
MINUTE = timedelta(minutes=1)
LATER = NOW + timedelta(hours=1)
SIGNED = Paper(channels=frozenset(Channel), on=date(2026, 11, 20), warned=True)


@pytest.fixture
def family(session: Session, clinic: Clinic, sequence: Sequence) -> list[UUID]:
    """The phone addresses of a mother and a daughter with one phone."""
    found = []
    for name in ("mother", "daughter"):
        form = Enrol(clinic.id, name, "en", (NewVisit(datetime(2026, 12, 15, 10), 40),), phone="+13125550143",
                     email=f"{name}@example.org", paper=SIGNED)  # fmt: skip
        done = enrol(session, form, sequence, NOW)
        found.append(patients.addresses(session, clinic.id, done.patient_id)[Channel.SMS].id)
    return found


def stop(session: Session, address: UUID, evidence: str = "SM1", at: datetime = NOW) -> int:
    return withdraw.stop(session, address, method="sms", evidence=evidence, now=at, wording="STOP")


def state(session: Session, address: UUID) -> State:
    return may_contact(consents.ledger(session, address), LATER + timedelta(hours=1)).state


def test_stop_by_text_ends_everything_to_come_for_everybody_on_that_phone(
    session: Session, family: list[UUID], rows: Rows
) -> None:
    waiting = len(rows(status="scheduled"))
    assert stop(session, family[0]) == waiting
    assert rows(status="scheduled") == []
    assert {row.reason for row in rows(status="suppressed")} == {Reason.OPTED_OUT.value}
    assert {state(session, one) for one in family} == {State.OPTED_OUT}


def test_the_button_of_a_mail_speaks_for_that_mailbox_alone(session: Session, family: list[UUID], rows: Rows) -> None:
    reach = patients.address(session, family[0])
    mailbox = patients.addresses(session, reach.clinic_id, reach.patient_id)[Channel.EMAIL]
    withdraw.stop(session, mailbox.id, method="one_click", evidence="link", now=NOW)
    assert state(session, mailbox.id) is State.OPTED_OUT
    assert state(session, family[0]) is State.AGREED


def test_a_replayed_stop_changes_nothing(session: Session, family: list[UUID]) -> None:
    stop(session, family[0])
    assert stop(session, family[0]) == 0
    assert len(consents.ledger(session, family[0])) == 2  # the paper, and one STOP


def test_the_confirmation_of_the_stop_still_goes(
    session: Session, clinic: Clinic, family: list[UUID], rows: Rows
) -> None:
    reach = patients.address(session, family[0])
    messages.add_occasion(
        session, clinic_id=clinic.id, patient_id=reach.patient_id, address_id=reach.id, channel=Channel.SMS,
        step="reply.stopped", occasion="inbound:1", zone=clinic.zone, due_at=NOW, useful_until=LATER,
        wall=datetime(2026, 12, 1, 12), tz_version=tz_version(),
    )  # fmt: skip
    stop(session, family[0])
    assert [row.step for row in rows(channel="sms", status="scheduled")] == ["reply.stopped"]


def test_what_is_in_the_carriers_hands_is_left_alone(
    session: Session, family: list[UUID], rows: Rows, send: Callable[..., None]
) -> None:
    send("pre.what_to_expect")
    stop(session, family[0])
    assert {row.status for row in rows(step="pre.what_to_expect")} == {"delivered"}


def test_start_gives_back_what_stop_took(session: Session, family: list[UUID], rows: Rows) -> None:
    waiting = {row.id for row in rows(channel="sms", status="scheduled") if row.due_at > LATER}
    stop(session, family[0])
    assert set(withdraw.restore(session, family[0], method="sms", evidence="SM2", now=LATER)) >= set(family)
    assert {row.id for row in rows(channel="sms", status="scheduled")} == waiting


@pytest.mark.parametrize("again", [pytest.param(False, id="never"), pytest.param(True, id="then agreed again")])
def test_start_by_text_leaves_a_mailbox_stopped_that_was_stopped_by_its_own_button(
    session: Session, family: list[UUID], again: bool
) -> None:
    reach = patients.address(session, family[0])
    mailbox = patients.addresses(session, reach.clinic_id, reach.patient_id)[Channel.EMAIL].id
    withdraw.stop(session, mailbox, method="one_click", evidence="link", now=NOW)
    if again:
        agree(session, mailbox, method="page", evidence="page", locale="en", wording="I agree", now=NOW + MINUTE)
    stop(session, family[0], at=NOW + 2 * MINUTE)
    assert state(session, mailbox) is State.OPTED_OUT
    withdraw.restore(session, family[0], method="sms", evidence="SM2", now=LATER)
    assert state(session, family[0]) is State.AGREED
    assert state(session, mailbox) is (State.AGREED if again else State.OPTED_OUT)


def test_start_before_any_agreement_grants_nothing(session: Session, clinic: Clinic, sequence: Sequence) -> None:
    form = Enrol(clinic.id, "New", "en", (NewVisit(datetime(2026, 12, 15, 10), 40),), phone="+13125550150")
    done = enrol(session, form, sequence, NOW)
    phone = patients.addresses(session, clinic.id, done.patient_id)[Channel.SMS].id
    assert withdraw.restore(session, phone, method="sms", evidence="SM1", now=NOW) == []
    stop(session, phone, "SM2")
    assert withdraw.restore(session, phone, method="sms", evidence="SM3", now=LATER) == []
    assert state(session, phone) in (State.NONE, State.ASKED)


def test_after_start_what_was_never_agreed_to_waits_for_agreement_and_says_so(
    session: Session, clinic: Clinic, sequence: Sequence, rows: Rows
) -> None:
    paper = Paper(channels=frozenset({Channel.SMS}), on=date(2026, 11, 20), warned=True)
    form = Enrol(clinic.id, "Half", "en", (NewVisit(datetime(2026, 12, 15, 10), 40),), phone="+13125550151",
                 email="half@example.org", paper=paper)  # fmt: skip
    done = enrol(session, form, sequence, NOW)
    reach = patients.addresses(session, clinic.id, done.patient_id)
    stop(session, reach[Channel.SMS].id)
    mails = {row.id for row in rows(channel="email", status="suppressed") if row.due_at > LATER}
    assert mails
    assert withdraw.restore(session, reach[Channel.SMS].id, method="sms", evidence="SM2", now=LATER) == [
        reach[Channel.SMS].id
    ]
    assert {row.reason for row in rows(channel="email") if row.id in mails} == {Reason.NO_CONSENT.value}
    assert {row.reason for row in rows(channel="sms") if row.due_at > LATER} == {None}
    agree(session, reach[Channel.EMAIL].id, method="page", evidence="page", locale="en", wording="I agree", now=LATER)
    assert mails <= {row.id for row in rows(channel="email", status="scheduled")}


def test_start_does_not_undo_what_staff_noted(session: Session, family: list[UUID], rows: Rows) -> None:
    withdraw.revoke(session, family[0], actor="desk", evidence="call of Tuesday", now=NOW)
    assert withdraw.restore(session, family[0], method="sms", evidence="SM2", now=LATER) == []
    assert state(session, family[0]) is State.REVOKED_BY_STAFF
    assert state(session, family[1]) is State.AGREED


def test_what_the_patient_wrote_is_evidence(session: Session, clinic: Clinic, family: list[UUID]) -> None:
    stop(session, family[0])
    patient = patients.address(session, family[0]).patient_id
    proof = consents.history(session, clinic.id, patient)[-1]
    assert (proof.kind.value, proof.wording, proof.evidence) == ("opted_out", "STOP", "SM1")
