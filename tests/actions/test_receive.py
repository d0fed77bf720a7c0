"""Receipts: any order, any number of times, from several processes at once, and always the same end."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import reduce
from itertools import pairwise
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.errors import DivisionByZero
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session, sessionmaker
from structlog.testing import capture_logs

from outreach.actions.receive import apply, apply_all
from outreach.domain.channel import Channel
from outreach.domain.message import Receipt
from outreach.domain.status import ENDS, RANK, Status, advance
from outreach.domain.window import tz_version, wall_at
from outreach.errors import Reason
from outreach.store import clinics, consents, messages, patients
from outreach.store.brakes import Alert, Strike
from outreach.store.ids import fresh_id
from outreach.store.queue import Going, Outcome, begin_sending, record
from outreach.store.receipts import News
from outreach.store.tables import Clinic
from outreach.store.traffic import Event, Message, Sender
from outreach.store.vault import Vault
from tests.actions.conftest import NOW

LATER = NOW + timedelta(minutes=1)
WORDS = {"queued": Status.ACCEPTED, "sent": Status.SENT, "delivered": Status.DELIVERED, "read": Status.DELIVERED,
         "undelivered": Status.UNDELIVERED, "failed": Status.FAILED, "teleported": None}  # fmt: skip


def news(attempt_id: UUID, word: str, reason: Reason | None = None, carrier_id: str = "SM1", code: str = "") -> News:
    return News(attempt_id, Receipt(carrier_id, word, WORDS[word], reason=reason, code=code))


def person(session: Session, clinic: Clinic) -> tuple[UUID, UUID]:
    """A patient and the address."""
    patient_id = patients.add(session, clinic_id=clinic.id, name="Ana Sample", locale="en", zone="America/Chicago",
                              wording="full", now=NOW, external=uuid4().hex)  # fmt: skip
    patients.set_address(session, clinic.id, patient_id, Channel.SMS, "+12025550143", NOW)
    return patient_id, patients.addresses(session, clinic.id, patient_id)[Channel.SMS].id


def planned(session: Session, clinic: Clinic, who: tuple[UUID, UUID]) -> UUID:
    message_id = messages.add_occasion(
        session, clinic_id=clinic.id, patient_id=who[0], address_id=who[1], channel=Channel.SMS, step="reminder",
        occasion=uuid4().hex, zone="America/Chicago", due_at=NOW, useful_until=NOW + timedelta(days=3),
        wall=wall_at(NOW, "America/Chicago"), tz_version=tz_version(),
    )  # fmt: skip
    assert message_id
    return message_id


def attempted(session: Session, message_id: UUID) -> UUID:
    """The message is in a carrier's hands; the attempt's id."""
    attempt_id = fresh_id()
    sender_id = session.scalars(
        select(Sender.id)
        .join(Message, Message.clinic_id == Sender.clinic_id)
        .where(Message.id == message_id, Sender.channel == Message.channel)
    ).one()
    going = Going(message_id, attempt_id, sender_id, "en", "full", None, b"", 1, b"")
    begin_sending(session, [going], timedelta(minutes=5))
    return attempt_id


@pytest.fixture
def sent(session: Session, clinic: Clinic) -> Callable[[], tuple[UUID, UUID]]:
    """Makes a message whose hand-over has begun, and its attempt."""
    who = person(session, clinic)

    def make() -> tuple[UUID, UUID]:
        message_id = planned(session, clinic, who)
        return message_id, attempted(session, message_id)

    return make


def row(session: Session, message_id: UUID) -> Message:
    session.expire_all()
    found = session.get(Message, message_id)
    assert found is not None
    return found


def outcome(message: Message, attempt_id: UUID, status: Status, **more: object) -> Outcome:
    return Outcome(message.id, message.clinic_id, attempt_id, status, status.value, LATER, **more)  # type: ignore[arg-type]


Sent = Callable[[], tuple[UUID, UUID]]


def test_a_receipt_that_comes_before_our_own_record_is_kept_and_the_record_does_not_set_it_back(
    session: Session, sent: Sent
) -> None:
    message_id, attempt_id = sent()
    assert apply_all(session, [news(attempt_id, "delivered")], NOW) == [True]
    before = row(session, message_id)
    assert (before.status, before.carrier_id, before.sent_at, before.ended_at) == ("delivered", "SM1", NOW, NOW)
    assert record(session, [outcome(before, attempt_id, Status.ACCEPTED, carrier_id="SM1")]) == (set(), [])
    after = row(session, message_id)
    assert (after.status, after.carrier_id, after.sent_at, after.ended_at) == ("delivered", "SM1", NOW, NOW)
    assert session.scalars(select(Event.source).where(Event.attempt_id == attempt_id)).all() == ["carrier", "us"]


def test_what_was_taken_for_refused_and_waits_to_be_tried_again_does_not_go_out_twice(
    session: Session, sent: Sent
) -> None:
    message_id, attempt_id = sent()
    record(session, [outcome(row(session, message_id), attempt_id, Status.SCHEDULED, due_at=LATER)])
    apply_all(session, [news(attempt_id, "sent")], NOW)
    message = row(session, message_id)
    assert (message.status, message.attempt_id) == ("sent", attempt_id)
    with pytest.raises(DivisionByZero):
        attempted(session, message_id)


def test_news_of_an_older_attempt_moves_the_message_and_the_newer_one_does_not_set_it_back(
    session: Session, sent: Sent
) -> None:
    message_id, first = sent()
    record(session, [outcome(row(session, message_id), first, Status.SCHEDULED, due_at=NOW)])
    second = attempted(session, message_id)
    apply_all(session, [news(first, "delivered")], NOW)
    record(session, [outcome(row(session, message_id), second, Status.FAILED, reason=Reason.BAD_NUMBER)])
    message = row(session, message_id)
    assert (message.status, message.reason, message.attempt_id) == ("delivered", None, second)


def test_five_of_each_in_one_batch_are_one_event_each(session: Session, sent: Sent) -> None:
    message_id, attempt_id = sent()
    batch = [news(attempt_id, word) for word in ["delivered", "sent", "queued"] * 5]
    assert apply_all(session, batch, NOW) == [True] * 15
    assert row(session, message_id).status == "delivered"
    words = session.scalars(select(Event.word).where(Event.attempt_id == attempt_id).order_by(Event.id)).all()
    assert words == ["delivered", "sent", "queued"]


def test_an_unknown_word_or_code_is_kept_counted_and_moves_no_further_than_known(session: Session, sent: Sent) -> None:
    message_id, attempt_id = sent()
    with capture_logs() as logs:
        for _ in range(2):
            apply_all(session, [news(attempt_id, "teleported")], NOW)
        assert row(session, message_id).status == "sending"
        apply_all(session, [news(attempt_id, "failed", Reason.UNKNOWN_CODE, code="99999")], NOW)
    assert row(session, message_id).status == "failed"
    assert {line["event"] for line in logs} == {"a carrier says what we do not know"}
    told = session.execute(select(Alert.kind, Alert.key, Alert.count).order_by(Alert.kind)).all()
    assert [tuple(one) for one in told] == [("unknown code", "99999", 1), ("unknown word", "teleported", 2)]


def test_news_of_an_attempt_we_never_made_is_logged_without_personal_data(session: Session, sent: Sent) -> None:
    message_id, attempt_id = sent()
    stranger = uuid4()
    with capture_logs() as logs:
        assert apply_all(session, [news(stranger, "sent"), news(attempt_id, "sent")], NOW) == [False, True]
    assert logs == [
        {"event": "news of an attempt we never made", "log_level": "warning", "attempt": str(stranger)},
    ]
    assert row(session, message_id).status == "sent"
    assert not apply(session, stranger, news(stranger, "sent").receipt, NOW)


def test_of_two_ends_the_first_stays_and_the_other_is_kept_and_logged(session: Session, sent: Sent) -> None:
    message_id, attempt_id = sent()
    with capture_logs() as logs:
        apply_all(session, [news(attempt_id, "failed", Reason.BLOCKED), news(attempt_id, "delivered")], NOW)
    message = row(session, message_id)
    assert (message.status, message.reason) == ("failed", "blocked")
    assert [line["event"] for line in logs] == ["two ends of one message: the first stays"]


def test_an_opt_out_at_the_carrier_is_written_to_our_ledger_and_its_replay_does_not_undo_a_start(
    session: Session, sent: Sent
) -> None:
    message_id, attempt_id = sent()
    waiting, _ = sent()
    session.execute(update(Message).where(Message.id == waiting).values(status="scheduled", attempt_id=None))
    address_id = row(session, message_id).address_id
    assert address_id
    refusal = news(attempt_id, "failed", Reason.UNSUBSCRIBED_AT_CARRIER)
    apply_all(session, [refusal, refusal], NOW)
    assert [one.kind for one in consents.ledgers(session, [address_id])[address_id]] == ["opted_out"]
    assert row(session, waiting).status == "suppressed"
    session.execute(update(Message).where(Message.id == waiting).values(status="scheduled", reason=None))
    apply_all(session, [refusal], NOW + timedelta(days=7))
    assert row(session, waiting).status == "scheduled"


def test_the_breaker_hears_of_failures_after_acceptance_and_of_deliveries(session: Session, sent: Sent) -> None:
    _, bad = sent()
    apply_all(session, [news(bad, "undelivered", Reason.CONTENT_REFUSED)], NOW)
    apply_all(session, [news(bad, "undelivered", Reason.CONTENT_REFUSED)], NOW)
    assert session.scalars(select(Strike.count)).all() == [1], "a duplicate is no second failure"
    _, good = sent()
    apply_all(session, [news(good, "delivered")], NOW)
    assert session.scalars(select(Strike.count)).all() == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.sampled_from([Status.SENDING, Status.UNKNOWN, Status.ACCEPTED, Status.SENT, Status.CANCELLED]),
    words=st.lists(st.sampled_from(sorted(WORDS)), min_size=1, max_size=8),
    cuts=st.sets(st.integers(1, 7)),
)
def test_any_order_with_duplicates_in_any_batches_ends_where_one_by_one_does(
    session: Session, sent: Sent, start: Status, words: list[str], cuts: set[int]
) -> None:
    message_id, attempt_id = sent()
    session.execute(update(Message).where(Message.id == message_id).values(status=start.value))
    told = [news(attempt_id, word) for word in words]
    edges = [0, *sorted(cut for cut in cuts if cut < len(told)), len(told)]
    with capture_logs():
        for begin, end in pairwise(edges):
            apply_all(session, told[begin:end], NOW)
    known = [status for word in words if (status := WORDS[word])]
    assert row(session, message_id).status == reduce(advance, known, start)
    kept = session.scalars(select(Event.word).where(Event.attempt_id == attempt_id).order_by(Event.id)).all()
    assert kept == list(dict.fromkeys(words))


def test_the_ranks_of_the_statement_are_those_of_the_domain(session: Session, sent: Sent) -> None:
    for before in Status:
        for after, word in ((status, word) for word, status in WORDS.items() if status):
            message_id, attempt_id = sent()
            session.execute(update(Message).where(Message.id == message_id).values(status=before.value))
            with capture_logs():
                apply_all(session, [news(attempt_id, word)], NOW)
            assert row(session, message_id).status == (after if RANK[after] > RANK[before] else before)
            assert (row(session, message_id).ended_at is not None) == (after in ENDS and before not in ENDS)


def test_two_batches_at_once_over_the_same_messages_wait_for_each_other(engine: Engine, vault: Vault) -> None:
    sessions = sessionmaker(engine, info={"vault": vault})
    with sessions.begin() as session:
        clinic = clinics.add(session, slug="x", name="X", zone="America/Chicago", country="US", locale="en", phone="",
                             address="", emergency="911", sms_sender="+13125550100")  # fmt: skip
        who = person(session, clinic)
        pairs = [(one := planned(session, clinic, who), attempted(session, one)) for _ in range(40)]
    attempts = [attempt_id for _, attempt_id in pairs]
    start = Barrier(2)

    def work(word: str, order: list[UUID]) -> None:
        for _ in range(10):
            start.wait()
            with sessions.begin() as session:
                apply_all(session, [news(one, word) for one in order], NOW)

    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(work, "sent", attempts), threads.submit(work, "delivered", attempts[::-1])]
        for one in both:
            one.result(60)  # a ring of locks would raise here
    with sessions() as session:
        assert set(session.scalars(select(Message.status))) == {"delivered"}
        assert session.scalar(select(func.count()).select_from(Event).where(Event.source == "carrier")) == 80
        assert session.scalar(select(func.count()).where(Message.sent_at.is_(None))) == 0


def test_news_that_waited_for_another_batch_sees_what_that_one_did(engine: Engine, vault: Vault) -> None:
    sessions = sessionmaker(engine, info={"vault": vault})
    with sessions.begin() as session:
        clinic = clinics.add(session, slug="x", name="X", zone="America/Chicago", country="US", locale="en", phone="",
                             address="", emergency="911", sms_sender="+13125550100")  # fmt: skip
        message_id = planned(session, clinic, person(session, clinic))
        attempt_id = attempted(session, message_id)

    def late() -> None:
        with capture_logs(), sessions.begin() as session:
            apply_all(session, [news(attempt_id, "failed"), news(attempt_id, "sent")], LATER)

    with ThreadPoolExecutor(1) as threads:
        with sessions.begin() as session:
            apply_all(session, [news(attempt_id, "delivered")], NOW)
            second = threads.submit(late)
            while not blocked(engine) and not second.done():  # until the other one stands at our lock
                pass
        second.result(60)
    with sessions() as session:
        message = row(session, message_id)
        assert (message.status, message.ended_at) == ("delivered", NOW)


def blocked(engine: Engine) -> bool:
    """Whether somebody waits for a row's lock in this database."""
    with engine.connect() as connection:
        return bool(connection.exec_driver_sql(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ).scalar())  # fmt: skip
