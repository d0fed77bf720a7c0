"""The pump over a real database: what goes, what does not, and that nothing goes twice."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import DBAPIError

from outreach.actions import receive, reply
from outreach.actions.dispatch import drain
from outreach.actions.recover import recover
from outreach.actions.speak import Speakers
from outreach.content.compose import Words
from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentKind, State, may_contact
from outreach.domain.message import Inbound, Receipt
from outreach.domain.status import Status
from outreach.errors import Reason, Refused, Uncertain
from outreach.providers.memory import MemoryProvider
from outreach.store import consents, patients
from outreach.store.messages import finish
from outreach.store.reports import balance
from outreach.store.tables import Infusion
from outreach.store.traffic import Attempt, Event, Flight, Message, Sender
from outreach.store.vault import Vault
from tests import shipped
from tests.actions.world import NOON, PHONE, World, make_world

OVER = text("now() - interval '1 second'")


@pytest.fixture(scope="module")
def words() -> Words:
    return shipped.words()


@pytest.fixture
def world(engine: Engine, vault: Vault, words: Words) -> World:
    return make_world(engine, vault, words)


def test_nothing_goes_to_a_patient_who_never_agreed(world: World) -> None:
    world.plan()
    drain(world.pump(), 5)
    assert world.states() == [("post.check_in", Status.SUPPRESSED, Reason.NO_CONSENT)]
    assert world.carrier.parcels == []


def test_a_due_message_goes_once_however_often_the_pump_is_woken(world: World) -> None:
    world.agree()
    world.plan()
    for _ in range(3):
        drain(world.pump(), 5)
    assert len(world.carrier.parcels) == 1
    assert world.states() == [("post.check_in", Status.ACCEPTED, None)]


def test_two_pumps_at_once_send_each_message_once(world: World) -> None:
    for number in range(40):
        other = world.neighbour(number)
        other.agree()
        other.plan()
    pumps = [threading.Thread(target=drain, args=(world.pump(), 20)) for _ in range(2)]
    for one in pumps:
        one.start()
    for one in pumps:
        one.join()
    assert len(world.carrier.parcels) == 40
    assert len({parcel.attempt_id for parcel in world.carrier.parcels}) == 40


def test_the_attempt_is_committed_before_the_carrier_is_called(world: World) -> None:
    world.agree()
    world.plan()
    found: list[tuple[str, str | None]] = []
    real = world.carrier.send

    def spying(parcel):
        with world.sessions() as other:
            row = other.scalars(select(Message)).one()
            attempt = other.get(Attempt, parcel.attempt_id)
            found.append((row.status, attempt.carrier if attempt else None))
        return real(parcel)

    world.carrier.send = spying
    drain(world.pump(), 5)
    assert found == [("sending", "memory")]


def test_our_attempt_id_travels_in_the_callback_address(world: World) -> None:
    world.agree()
    world.plan()
    drain(world.pump(), 5)
    parcel = world.carrier.parcels[0]
    assert parcel.status_callback == f"https://reach.example.org/hooks/twilio/status/{parcel.attempt_id}#rc=5&rp=all"


def test_no_answer_is_unknown_and_never_sent_again(world: World) -> None:
    world.agree()
    world.plan()
    world.carrier = MemoryProvider(outcomes=[Uncertain()])
    drain(world.pump(), 5)
    drain(world.pump(), 5)
    assert len(world.carrier.parcels) == 1
    assert world.states() == [("post.check_in", Status.UNKNOWN, None)]


def test_an_unknown_message_that_the_carrier_lists_is_adopted_not_resent(world: World) -> None:
    world.agree()
    world.plan()
    world.carrier = MemoryProvider(outcomes=[Uncertain()], uncertain_is_taken=True)
    drain(world.pump(), 5)
    recover(world.sessions, {"memory": world.carrier}, lambda: world.now, hold=timedelta(0))
    assert world.states() == [("post.check_in", Status.ACCEPTED, None)]
    assert len(world.carrier.parcels) == 1


def test_an_unknown_message_that_the_carrier_does_not_list_waits_for_a_person(world: World) -> None:
    world.agree()
    world.plan()
    world.carrier = MemoryProvider(outcomes=[Uncertain()], uncertain_is_taken=False)
    drain(world.pump(), 5)
    recover(world.sessions, {"memory": world.carrier}, lambda: world.now, hold=timedelta(0))
    assert world.states() == [("post.check_in", Status.UNKNOWN, None)]


def test_a_worker_that_died_leaves_its_message_in_doubt_not_due(world: World) -> None:
    world.agree()
    world.plan()
    world.carrier = MemoryProvider(outcomes=[Uncertain()], uncertain_is_taken=False)
    drain(world.pump(), 5)
    with world.sessions.begin() as session:  # as a kill -9 in the middle of the call leaves it
        session.execute(update(Message).values(status="sending", lease_until=OVER))
        session.execute(update(Flight).values(lease_until=OVER))
    recover(world.sessions, {"memory": world.carrier}, lambda: world.now, hold=timedelta(hours=1))
    drain(world.pump(), 5)
    assert world.states() == [("post.check_in", Status.UNKNOWN, None)]
    assert len(world.carrier.parcels) == 1


def test_a_sure_refusal_that_may_pass_is_tried_again_later(world: World) -> None:
    world.agree()
    world.plan()
    world.carrier = MemoryProvider(outcomes=[Refused(Reason.TRANSIENT, retry=True, code="20429", after=30)])
    drain(world.pump(), 5)
    assert world.states()[0][1] is Status.SCHEDULED
    world.now += timedelta(minutes=5)
    drain(world.pump(), 5)
    assert world.states() == [("post.check_in", Status.ACCEPTED, None)]
    assert len({parcel.attempt_id for parcel in world.carrier.parcels}) == 2


def test_a_bad_number_fails_with_its_reason(world: World) -> None:
    world.agree()
    world.plan()
    world.carrier = MemoryProvider(outcomes=[Refused(Reason.BAD_NUMBER, code="21211")])
    drain(world.pump(), 5)
    assert world.states() == [("post.check_in", Status.FAILED, Reason.BAD_NUMBER)]


def test_a_carrier_that_says_stopped_stops_us_too(world: World) -> None:
    world.agree()
    world.plan()
    world.plan("post.first_days", NOON + timedelta(days=2))
    world.carrier = MemoryProvider(outcomes=[Refused(Reason.UNSUBSCRIBED_AT_CARRIER, code="21610")])
    drain(world.pump(), 5)
    assert world.states()[1][1:] == (Status.SUPPRESSED, Reason.OPTED_OUT)


def test_at_night_a_message_waits_for_the_morning(world: World) -> None:
    world.agree()
    world.now = datetime(2026, 12, 8, 5, tzinfo=UTC)  # 23:00 in Chicago
    world.plan()
    drain(world.pump(), 5)
    assert world.carrier.parcels == []
    assert world.seen()[0].due_at == datetime(2026, 12, 8, 14, tzinfo=UTC)


def test_a_message_whose_use_is_over_expires(world: World) -> None:
    world.agree()
    world.plan(due=NOON - timedelta(days=3))
    drain(world.pump(), 5)
    assert world.states() == [("post.check_in", Status.EXPIRED, Reason.TOO_LATE)]


@pytest.mark.parametrize("order", [("sent", "delivered"), ("delivered", "sent"), ("delivered", "sent", "delivered")])
def test_receipts_come_in_any_order_and_any_number(world: World, order: tuple[str, ...]) -> None:
    world.agree()
    world.plan()
    drain(world.pump(), 5)
    parcel = world.carrier.parcels[0]
    for word in order:
        with world.sessions.begin() as session:
            receive.apply(session, parcel.attempt_id, Receipt("mem-1", word, Status(word)), world.now)
    assert world.states() == [("post.check_in", Status.DELIVERED, None)]
    with world.sessions() as session:
        kept = session.scalars(select(Event.word).where(Event.source == "carrier")).all()
    assert sorted(kept) == sorted(set(order))


def test_a_receipt_that_beats_our_own_record_is_kept(world: World) -> None:
    world.agree()
    world.plan()
    real = world.carrier.send

    def early(parcel):
        accepted = real(parcel)
        with world.sessions.begin() as session:
            receive.apply(session, parcel.attempt_id, Receipt("mem-1", "delivered", Status.DELIVERED), world.now)
        return accepted

    world.carrier.send = early
    drain(world.pump(), 5)
    assert world.states() == [("post.check_in", Status.DELIVERED, None)]


def test_news_of_an_attempt_we_never_made_changes_nothing(world: World) -> None:
    with world.sessions.begin() as session:
        assert not receive.apply(session, uuid4(), Receipt("x", "delivered", Status.DELIVERED), world.now)


def test_stop_suppresses_what_is_to_come_and_is_confirmed_once(engine: Engine, vault: Vault, words: Words) -> None:
    world = make_world(engine, vault, words, locale="ar")
    world.agree()
    world.plan("post.first_days", NOON + timedelta(days=2))
    world.write("توقف")
    world.write("STOP")
    drain(world.pump(), 5)
    assert [(p.content.locale, p.to) for p in world.carrier.parcels] == [("ar", PHONE)]
    assert ("post.first_days", Status.SUPPRESSED, Reason.OPTED_OUT) in world.states()
    world.now += timedelta(days=2)
    drain(world.pump(), 5)
    assert len(world.carrier.parcels) == 1


def test_start_gives_back_what_stop_took(world: World) -> None:
    world.agree()
    world.plan("post.first_days", NOON + timedelta(days=2))
    world.write("STOP")
    world.now += timedelta(minutes=1)
    world.write("START")
    assert ("post.first_days", Status.SCHEDULED, None) in world.states()


def test_start_is_never_a_first_agreement(world: World) -> None:
    world.plan("post.first_days", NOON + timedelta(days=2))
    world.write("START")
    world.now += timedelta(days=2)
    drain(world.pump(), 5)
    assert world.carrier.parcels == []


def test_a_replayed_inbound_message_does_nothing_new(world: World) -> None:
    world.agree()
    world.write("HELP", "SM1")
    world.write("HELP", "SM1")
    drain(world.pump(), 5)
    assert len(world.carrier.parcels) == 1


def test_neutral_words_go_to_whoever_was_not_warned(world: World) -> None:
    world.agree(warned=False)
    world.plan()
    drain(world.pump(), 5)
    text_sent = world.carrier.parcels[0].content.text
    assert "infusion" not in text_sent.lower()
    assert "https://reach.example.org/p/" in text_sent
    assert world.seen()[0].wording == "neutral"


def test_a_move_changes_nothing_of_what_went_out(world: World) -> None:
    world.agree()
    world.plan()
    drain(world.pump(), 5)
    world.plan()
    drain(world.pump(), 5)
    assert len(world.carrier.parcels) == 1


@pytest.mark.parametrize("statement", ["UPDATE event SET word = 'x'", "DELETE FROM consent_event"])
def test_ledgers_refuse_a_rewrite(world: World, statement: str) -> None:
    world.agree()
    world.plan()
    with pytest.raises(DBAPIError), world.sessions.begin() as session:
        session.execute(text(statement))


def test_a_sealed_value_copied_to_another_row_does_not_open(world: World) -> None:
    world.agree()
    world.plan()
    world.plan("post.first_days")
    drain(world.pump(), 5)
    with world.sessions.begin() as session:
        first, second = session.scalars(select(Message.id).order_by(Message.id)).all()
        copied = session.execute(
            text(
                "UPDATE attempt SET body_sealed = b.body_sealed FROM attempt b"
                " WHERE b.message_id = :b AND attempt.message_id = :a RETURNING attempt.body_sealed"
            ),
            {"a": first, "b": second},
        )
        assert [len(one) > 0 for one in copied.scalars()] == [True], "both were handed over, or nothing is proved"
    with pytest.raises(InvalidTag):
        world.seen()


def test_start_does_not_bring_back_a_visit_that_was_cancelled_meanwhile(world: World) -> None:
    world.agree()
    world.plan("pre.tomorrow", NOON + timedelta(days=2))
    world.write("STOP")
    with world.sessions.begin() as session:
        session.execute(update(Infusion).values(status="cancelled"))
    world.now += timedelta(minutes=1)
    world.write("START")
    assert ("pre.tomorrow", Status.SUPPRESSED, Reason.OPTED_OUT) in world.states()
    assert ("pre.tomorrow", Status.SCHEDULED, None) not in world.states()


def test_start_does_not_bring_back_the_old_time_of_a_visit_that_was_moved_meanwhile(world: World) -> None:
    world.agree()
    world.plan("pre.tomorrow", NOON + timedelta(days=2))
    world.write("STOP")
    with world.sessions.begin() as session:
        session.execute(update(Infusion).values(revision=1))
    world.now += timedelta(minutes=1)
    world.write("START")
    assert ("pre.tomorrow", Status.SCHEDULED, None) not in world.states()


def test_an_answer_that_comes_after_the_lease_still_counts(world: World) -> None:
    world.agree()
    world.plan()
    real = world.carrier.send

    def slow(parcel):
        accepted = real(parcel)
        with world.sessions.begin() as session:  # the lease ends while the carrier thinks
            session.execute(update(Message).values(lease_until=OVER))
            session.execute(update(Flight).values(lease_until=OVER))
        recover(world.sessions, {}, lambda: world.now, hold=timedelta(hours=1))
        return accepted

    world.carrier.send = slow
    drain(world.pump(), 5)
    assert world.states() == [("post.check_in", Status.ACCEPTED, None)]


def test_a_row_that_cannot_be_read_does_not_hold_up_the_others(world: World) -> None:
    world.agree()
    world.plan("post.first_days", NOON - timedelta(hours=2))
    world.plan()
    with world.sessions.begin() as session:
        session.execute(
            text(
                "UPDATE message SET facts_sealed = 'broken-and-long-enough-for-a-nonce-and-tag'::bytea"
                " WHERE step = 'post.first_days'"
            )
        )
    drain(world.pump(), 5)
    with world.sessions() as session:
        states = dict(session.execute(select(Message.step, Message.status)).all())
    assert states == {"post.first_days": "scheduled", "post.check_in": "accepted"}


def test_the_balance_holds_when_a_visit_was_put_aside(world: World) -> None:
    world.agree()
    world.plan("post.first_days", NOON + timedelta(days=2))
    with world.sessions.begin() as session:
        ids = session.scalars(select(Message.id)).all()
        finish(session, ids, Status.CANCELLED, Reason.VISIT_MOVED, NOON)
        session.execute(
            text(
                "INSERT INTO event (clinic_id, message_id, source, word, at)"
                " SELECT clinic_id, id, 'plan', 'put aside', now() FROM message"
            )
        )
        assert balance(session).finished


def test_stop_by_text_silences_the_same_persons_mailbox_too(world: World) -> None:
    world.agree()
    with world.sessions.begin() as session:
        mailbox, _ = patients.set_address(
            session, world.clinic_id, world.patient_id, Channel.EMAIL, "a@example.com", NOON
        )
        consents.add(
            session,
            clinic_id=world.clinic_id,
            patient_id=world.patient_id,
            address_id=mailbox,
            channel=Channel.EMAIL,
            kind=ConsentKind.AGREED,
            method="paper",
            actor="desk",
            warned=True,
            at=NOON - timedelta(days=1),
            evidence="form 1",
        )
    world.write("STOP")
    with world.sessions() as session:
        assert not may_contact(consents.ledger(session, mailbox), world.now).allowed
    world.now += timedelta(minutes=1)
    world.write("START")
    with world.sessions() as session:
        assert may_contact(consents.ledger(session, mailbox), world.now).allowed


def test_stop_reaches_a_clinic_that_texts_through_a_messaging_service(world: World) -> None:
    world.agree()
    service = "MG" + "5" * 32
    with world.sessions.begin() as session:
        session.execute(update(Sender).values(address=service))
        said = Inbound("SM77", Channel.SMS, PHONE, "+12025550177", "STOP", service=service)
        reply.heard(session, said, replies=shipped.replies(), words=world.words, speakers=Speakers(),
                    laws=shipped.laws(), now=world.now)  # fmt: skip
        assert not may_contact(consents.ledger(session, world.address_id), world.now).allowed


def test_the_ledger_keeps_that_and_how_a_patient_was_asked(world: World) -> None:
    world.plan("consent.request")
    drain(world.pump(), 5)
    with world.sessions() as session:
        assert may_contact(consents.ledger(session, world.address_id), world.now).state is State.ASKED
        proof = consents.history(session, world.clinic_id, world.patient_id)[0]
    assert proof.wording == world.carrier.parcels[0].content.text


def test_the_confirmation_of_a_stop_is_useful_as_long_as_the_clinics_law_says(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.agree()
    us = shipped.laws()["us"]
    monkeypatch.setattr(shipped, "laws", lambda: {"us": replace(us, confirm_minutes=2)})
    world.write("STOP")
    [confirmation] = [one for one in world.seen() if one.step == "reply.stopped"]
    assert confirmation.useful_until == world.now + timedelta(minutes=2)
