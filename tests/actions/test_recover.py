"""Messages in doubt: asked about, adopted, left to a person; never resent."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, update
from structlog.testing import capture_logs

from outreach.actions.recover import recover
from outreach.domain.channel import Channel
from outreach.domain.doubt import next_ask
from outreach.domain.message import Found, Receipt
from outreach.domain.status import Status
from outreach.errors import Reason
from outreach.store import alerts
from outreach.store.doubts import doubtful
from outreach.store.receipts import News, hear_all
from outreach.store.tables import Address
from outreach.store.traffic import Attempt, Flight, Message, Sender
from outreach.store.vault import Vault
from tests.model.stage import NUMBER, Listing, Stage, listed, staged

MINUTE = timedelta(minutes=1)


@pytest.fixture
def stage(engine: Engine, vault: Vault) -> Stage:
    return staged(engine, vault)


def go(stage: Stage, carrier: Listing, hold: timedelta = timedelta(0), limit: int = 50) -> int:
    return recover(stage.sessions, {"twilio": carrier}, stage.clock, hold=hold, limit=limit)  # type: ignore[dict-item]


class Slow(Listing):
    """Each answer takes ten seconds of the round's own clock."""

    passed = 0.0

    def find(self, to: str, day: date) -> Sequence[Found]:
        self.passed += 10
        return super().find(to, day)

    def round(self, stage: Stage, hold: timedelta = timedelta(0)) -> set[str]:
        """The numbers asked about in one round."""
        before = len(self.questions)
        providers = {"twilio": self}
        recover(stage.sessions, providers, stage.clock, hold=hold, seconds=lambda: self.passed)  # type: ignore[arg-type]
        return {to for to, _ in self.questions[before:]}


def phones(stage: Stage, count: int) -> list[UUID]:
    """So many messages in doubt, each to a number of its own."""
    return [stage.doubt(**stage.patient(f"+120255501{number}"))[0] for number in range(50, 50 + count)]


def alerted(stage: Stage) -> list[str]:
    with stage.sessions() as session:
        return [one.kind for one in alerts.open_alerts(session, stage.clinic_id)]


def test_an_expired_lease_is_a_doubt_and_nothing_else(stage: Stage) -> None:
    message_id = stage.plan()
    stage.begin(message_id)
    assert go(stage, Listing(), hold=MINUTE) == 0
    assert stage.status(message_id) is Status.SENDING
    stage.lease_over(message_id)
    assert go(stage, Listing(), hold=MINUTE) == 1
    assert stage.status(message_id) is Status.UNKNOWN
    assert stage.words(message_id) == ["planned", "lease over"]


def test_a_list_of_claims_goes_when_none_of_its_messages_is_in_the_air_and_not_before(stage: Stage) -> None:
    [locked, landed] = [stage.plan(), stage.plan()]
    attempts = [stage.begin(locked), stage.begin(landed)]
    stage.record(landed, attempts[1], Status.ACCEPTED, "accepted", carrier_id="SM1")
    for message_id in (locked, landed):
        stage.lease_over(message_id)
    with stage.sessions.begin() as other:  # as a worker that hangs in the middle of recording
        other.execute(select(Message.id).where(Message.id == locked).with_for_update())
        assert go(stage, Listing(), hold=MINUTE) == 0
        with stage.sessions() as session:
            assert session.scalars(select(Flight.messages)).all() == [[locked]]
    assert go(stage, Listing(), hold=MINUTE) == 1
    assert stage.status(locked) is Status.UNKNOWN
    with stage.sessions() as session:
        assert session.scalars(select(Flight.id)).all() == []


def test_a_listed_message_is_adopted_with_its_carrier_id_and_status(stage: Stage) -> None:
    message_id, _ = stage.doubt()
    assert go(stage, Listing(listed("SM7", Status.DELIVERED))) == 1
    row = stage.row(message_id)
    assert (row.status, row.carrier_id, row.ended_at) == ("delivered", "SM7", stage.now)
    assert stage.words(message_id)[-1] == "found"


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"body": "Other words."}, id="other words"),
        pytest.param({"sender": "+12025550177"}, id="another sender"),
        pytest.param({"to": "+12025550188"}, id="another number"),
        pytest.param({"created_at": "old"}, id="older than the attempt"),
    ],
)
def test_an_entry_that_does_not_fit_is_not_ours(stage: Stage, entry: dict[str, object]) -> None:
    message_id, attempt_id = stage.doubt()
    if "created_at" in entry:
        with stage.sessions() as session:
            started = doubtful(session, timedelta(0), 1)[0].started_at
        entry = {"created_at": started - timedelta(minutes=3)}
    go(stage, Listing(listed(**entry)))
    assert stage.status(message_id) is Status.UNKNOWN
    assert stage.row(message_id).attempt_id == attempt_id


def test_behind_a_messaging_service_any_number_may_have_sent_it(stage: Stage) -> None:
    message_id, _ = stage.doubt()
    with stage.sessions.begin() as session:
        session.execute(update(Sender).where(Sender.address == NUMBER).values(address="MG" + "1" * 32))
    go(stage, Listing(listed(sender="+12025550177")))
    assert stage.status(message_id) is Status.ACCEPTED


def test_an_entry_that_another_message_has_is_not_taken_twice(stage: Stage) -> None:
    first = stage.plan()
    stage.record(first, stage.begin(first), Status.ACCEPTED, "accepted", carrier_id="SM1")
    second, _ = stage.doubt(**stage.patient())  # a family's phone, the same words
    go(stage, Listing(listed("SM1")))
    assert stage.status(second) is Status.UNKNOWN


def test_an_entry_known_from_a_callback_alone_is_not_taken_either(stage: Stage) -> None:
    first, attempt_id = stage.doubt()
    with stage.sessions.begin() as session:
        hear_all(session, [News(attempt_id, Receipt("SM1", "odd", None))], stage.now)
    second, _ = stage.doubt(**stage.patient())
    go(stage, Listing(listed("SM1")))
    assert stage.status(second) is Status.UNKNOWN
    assert stage.status(first) is Status.UNKNOWN


def test_two_in_doubt_with_the_same_words_share_one_question_and_take_one_entry_each(stage: Stage) -> None:
    both = [stage.doubt()[0], stage.doubt(**stage.patient())[0]]
    carrier = Listing(listed("SM1"))
    go(stage, carrier)
    assert len(carrier.questions) == len(set(carrier.questions))
    assert sorted(stage.status(one) for one in both) == [Status.ACCEPTED, Status.UNKNOWN]
    carrier.entries.append(listed("SM2"))
    go(stage, carrier)
    assert sorted(str(stage.row(one).carrier_id) for one in both) == ["SM1", "SM2"]


def test_questions_come_at_growing_ages_and_then_a_person_is_told(stage: Stage) -> None:
    message_id, attempt_id = stage.doubt()
    carrier, hold = Listing(), 3 * MINUTE
    asked = []
    for minutes in (2, 4, 5, 7, 14, 16, 59, 61, 500):
        stage.age(attempt_id, minutes)
        before = len(stage.words(message_id))
        go(stage, carrier, hold)
        if len(stage.words(message_id)) > before:
            asked.append(minutes)
        assert alerted(stage) == (["doubt"] if minutes >= 61 else [])
    assert asked == [4, 7, 16, 61]
    assert stage.status(message_id) is Status.UNKNOWN
    assert stage.words(message_id)[-4:] == ["not listed"] * 4


def test_the_alert_ends_with_the_last_doubt(stage: Stage) -> None:
    message_id, attempt_id = stage.doubt()
    for _ in range(4):
        go(stage, Listing())
    assert alerted(stage) == ["doubt"]
    with stage.sessions.begin() as session:
        hear_all(session, [News(attempt_id, Receipt("SM1", "delivered", Status.DELIVERED))], stage.now)
    go(stage, Listing())
    assert alerted(stage) == []
    assert stage.status(message_id) is Status.DELIVERED


def test_a_mail_in_doubt_goes_to_a_person_after_the_hold_since_smtp_has_no_list(stage: Stage) -> None:
    message_id, attempt_id = stage.doubt(Channel.EMAIL)
    carrier = Listing()
    carrier.channel = Channel.EMAIL
    recover(stage.sessions, {"smtp": carrier}, stage.clock, hold=2 * MINUTE)  # type: ignore[dict-item]
    assert alerted(stage) == []
    stage.age(attempt_id, 3)
    recover(stage.sessions, {"smtp": carrier}, stage.clock, hold=2 * MINUTE)  # type: ignore[dict-item]
    assert carrier.questions == []
    assert stage.words(message_id)[-1] == "no list"
    assert alerted(stage) == ["doubt"]


def test_a_carrier_that_is_away_is_asked_again_and_at_last_a_person_is_told(stage: Stage) -> None:
    message_id, attempt_id = stage.doubt()
    away = Listing(away=True)
    stage.age(attempt_id, 3)
    for _ in range(3):
        go(stage, away, 2 * MINUTE)
    assert "carrier away" not in stage.words(message_id)
    assert len(set(away.questions)) * 3 == len(away.questions)
    stage.age(attempt_id, 200)
    for _ in range(4):
        go(stage, away, 2 * MINUTE)
    assert alerted(stage) == ["doubt"]
    assert stage.status(message_id) is Status.UNKNOWN


def test_those_that_wait_for_a_person_do_not_stand_before_the_new_ones(stage: Stage) -> None:
    for _ in range(3):
        stage.doubt()
    for _ in range(4):
        go(stage, Listing(), limit=3)
    fresh, _ = stage.doubt(**stage.patient("+12025550188"))
    go(stage, Listing(listed(to="+12025550188")), limit=3)
    assert stage.status(fresh) is Status.ACCEPTED


def test_a_carrier_that_does_not_answer_is_asked_twice_in_a_round_and_no_more(stage: Stage) -> None:
    phones(stage, 5)
    away = Listing(away=True)
    go(stage, away)
    assert len(away.questions) == 2


def test_questions_are_begun_for_twenty_seconds_and_the_others_come_in_the_next_rounds(stage: Stage) -> None:
    doubts, slow = phones(stage, 5), Slow()
    for message_id in doubts:
        stage.age(UUID(str(stage.row(message_id).attempt_id)), 200)
    first = slow.round(stage)
    assert 1 <= len(first) <= 2, "ten seconds for each answer, of which there may be two around midnight"
    assert [stage.words(one)[-1] for one in doubts].count("not listed") == len(first)
    assert [stage.words(one)[-1] for one in doubts].count("no answer") == 5 - len(first), "not asked, not used up"
    asked = first.union(*(slow.round(stage) for _ in range(40)))
    assert len(asked) == 5


def test_a_carrier_that_hangs_does_not_keep_another_from_being_asked(stage: Stage) -> None:
    *_, last = phones(stage, 5)
    with stage.sessions.begin() as session:
        session.execute(update(Attempt).where(Attempt.message_id == last).values(carrier="other"))
    hanging, other = Slow(away=True), Listing(listed(to="+12025550154"))
    providers = {"twilio": hanging, "other": other}
    recover(stage.sessions, providers, stage.clock, hold=timedelta(0), seconds=lambda: hanging.passed)  # type: ignore[arg-type]
    assert stage.status(last) is Status.ACCEPTED
    assert len(hanging.questions) <= 2


def test_a_carrier_that_is_away_for_long_leaves_all_it_has_in_doubt_to_a_person(stage: Stage) -> None:
    doubts = phones(stage, 4)
    for message_id in doubts:
        stage.age(UUID(str(stage.row(message_id).attempt_id)), 200)
    for _ in range(4):
        go(stage, Listing(away=True), 2 * MINUTE)
    assert [stage.words(one)[-4:] for one in doubts] == [["carrier away"] * 4] * 4
    assert alerted(stage) == ["doubt"]


def test_two_lists_that_cannot_be_read_use_up_no_question_about_the_other_numbers(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubts = phones(stage, 4)
    for minutes, message_id in zip((204, 203, 202, 201), doubts, strict=True):
        stage.age(UUID(str(stage.row(message_id).attempt_id)), minutes)

    class Partly(Listing):
        def find(self, to: str, day: date) -> Sequence[Found]:
            self.away = to != "+12025550150"
            return super().find(to, day)

    monkeypatch.setattr(random, "sample", lambda line, _: line)
    go(stage, Partly(), 2 * MINUTE)
    assert [stage.words(one)[-1] for one in doubts] == ["not listed", "carrier away", "carrier away", "no answer"]


def test_an_address_that_does_not_open_keeps_no_other_clinic_from_an_answer(
    stage: Stage, engine: Engine, vault: Vault
) -> None:
    damaged, _ = stage.doubt()
    with stage.sessions.begin() as session:
        mine = Address.id == stage.addresses[Channel.SMS]
        sealed = session.scalars(select(Address.value_sealed).where(mine)).one()
        session.execute(update(Address).where(mine).values(value_sealed=sealed[:-1] + bytes([sealed[-1] ^ 1])))
    there = staged(engine, vault)
    there.number = stage.number
    message_id, _ = there.doubt()
    with there.sessions() as session:
        ours = session.scalars(select(Sender.address).where(Sender.clinic_id == there.clinic_id)).all()
    with capture_logs() as lines:
        go(stage, Listing(*(listed(sender=one) for one in ours)))
    assert there.status(message_id) is Status.ACCEPTED
    assert stage.words(damaged)[-1] == "no list"
    assert [line["message"] for line in lines if line["log_level"] == "error"] == [str(damaged)]


def test_accepted_without_news_is_asked_about_once_then_ends_undelivered(stage: Stage) -> None:
    message_id = stage.plan()
    stage.record(message_id, stage.begin(message_id), Status.ACCEPTED, "accepted", carrier_id="SM1")
    carrier = Listing(listed("SM1", Status.ACCEPTED))
    go(stage, carrier)
    assert carrier.questions == []
    stage.now += timedelta(hours=7)
    go(stage, carrier)
    go(stage, carrier)
    assert len(carrier.questions) == len(set(carrier.questions)) > 0
    assert stage.words(message_id)[-1] == "listed"
    assert stage.status(message_id) is Status.ACCEPTED
    stage.now += timedelta(hours=66)
    go(stage, carrier)
    assert (stage.row(message_id).status, stage.row(message_id).reason) == ("undelivered", "no_news")


def test_accepted_whose_callbacks_were_lost_learns_its_end_from_the_list(stage: Stage) -> None:
    message_id = stage.plan()
    stage.record(message_id, stage.begin(message_id), Status.ACCEPTED, "accepted", carrier_id="SM1")
    stage.now += timedelta(hours=7)
    go(stage, Listing(listed("SM0"), listed("SM1", Status.UNDELIVERED, reason=Reason.UNREACHABLE)))
    assert (stage.row(message_id).status, stage.row(message_id).reason) == ("undelivered", "unreachable")


def test_a_callback_between_question_and_answer_wins(stage: Stage) -> None:
    message_id, attempt_id = stage.doubt()

    class Slow(Listing):
        def find(self, to, day):
            with stage.sessions.begin() as session:
                hear_all(session, [News(attempt_id, Receipt("SM9", "delivered", Status.DELIVERED))], stage.now)
            return super().find(to, day)

    go(stage, Slow(listed("SM9", Status.SENT)))
    assert stage.row(message_id).status == "delivered"
    assert stage.words(message_id).count("found") == 0


def test_settling_is_bounded_and_goes_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outreach.actions.recover.SETTLED_AT_ONCE", 2)
    for number in range(3):
        message_id = stage.plan(Channel.EMAIL)
        stage.record(message_id, stage.begin(message_id), Status.SENT, "accepted", carrier_id=f"<{number}>")
    stage.now += timedelta(hours=73)
    assert [go(stage, Listing()) for _ in range(3)] == [2, 1, 0]


def test_the_ages_of_questions_are_three_six_fifteen_and_sixty_minutes(stage: Stage) -> None:
    begun = stage.now
    ages = [next_ask(Channel.SMS, begun, asked) for asked in range(5)]
    assert [age and (age - begun) / MINUTE for age in ages] == [3, 6, 15, 60, None]
    assert [next_ask(Channel.EMAIL, begun, asked) for asked in range(2)] == [begun + 3 * MINUTE, None]
