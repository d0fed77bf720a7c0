"""The circuit breaker: what trips it, what never does, and that two workers count as one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, event, select
from sqlalchemy.orm import Session

from outreach.actions.brake import Trial, judge
from outreach.domain.brakes import RULES, Pauses, Scope
from outreach.errors import Reason
from outreach.store import alerts, clinics, pauses
from outreach.store.brakes import Alert, Pause, Strike
from outreach.store.tables import Clinic

NOW = datetime(2026, 12, 1, 18, tzinfo=UTC)
ZONE = "America/Chicago"
SENDER = UUID(int=7)


def trial(clinic: Clinic, reason: Reason | None, sender: UUID | None = SENDER, step: str = "pre.the_day",
          late: bool = False) -> Trial:  # fmt: skip
    return Trial(clinic.id, sender, step, ZONE, reason, late)


def held(session: Session, clinic: Clinic, now: datetime = NOW) -> Pauses:
    return pauses.active(session, [clinic.id], now)


def kinds(session: Session, clinic: Clinic) -> list[str]:
    return [one.kind for one in alerts.open_alerts(session, clinic.id)]


def test_five_wrong_settings_in_a_row_pause_the_sender_and_tell_people(session: Session, clinic: Clinic) -> None:
    for _ in range(4):
        judge(session, [trial(clinic, Reason.CONFIGURATION)], NOW)
    assert held(session, clinic) == Pauses()
    judge(session, [trial(clinic, Reason.CONFIGURATION)], NOW)
    assert held(session, clinic).sender_held(clinic.id, SENDER)
    assert not held(session, clinic).sender_held(clinic.id, uuid4())
    assert held(session, clinic, NOW + timedelta(days=400)).sender_held(clinic.id, SENDER)
    (one,) = alerts.open_alerts(session, clinic.id)
    assert (one.kind, one.key, one.count) == ("configuration", str(SENDER), 1)


def test_one_success_between_begins_the_count_anew(session: Session, clinic: Clinic) -> None:
    wrong = trial(clinic, Reason.CONFIGURATION)
    judge(session, [wrong] * 4 + [trial(clinic, None)] + [wrong] * 4, NOW)
    assert held(session, clinic) == Pauses()
    judge(session, [wrong], NOW)
    assert held(session, clinic).sender_held(clinic.id, SENDER)


def test_a_success_of_another_sender_forgives_nothing(session: Session, clinic: Clinic) -> None:
    judge(session, [trial(clinic, Reason.CONFIGURATION)] * 4, NOW)
    judge(session, [trial(clinic, None, sender=uuid4(), step="other")], NOW)
    judge(session, [trial(clinic, Reason.CONFIGURATION)], NOW)
    assert held(session, clinic).sender_held(clinic.id, SENDER)


def test_a_spent_quota_rests_the_sender_until_the_morning_of_the_clinic(session: Session, clinic: Clinic) -> None:
    judge(session, [trial(clinic, Reason.QUOTA)], NOW)
    morning = datetime(2026, 12, 2, 14, tzinfo=UTC)  # 08:00 in Chicago
    assert held(session, clinic, morning - timedelta(seconds=1)).sender_held(clinic.id, SENDER)
    assert held(session, clinic, morning) == Pauses()


def test_trouble_of_safety_pauses_the_sender_at_once(session: Session, clinic: Clinic) -> None:
    judge(session, [trial(clinic, Reason.SECURITY)], NOW)
    assert held(session, clinic).sender_held(clinic.id, SENDER)
    assert kinds(session, clinic) == ["security"]


def test_refused_words_pause_that_step_and_no_sender(session: Session, clinic: Clinic) -> None:
    judge(session, [trial(clinic, Reason.CONTENT_REFUSED)] * 5, NOW)
    now = held(session, clinic)
    assert now.message_held(clinic.id, "ketamine-infusion", "pre.the_day", "en")
    assert not now.message_held(clinic.id, "ketamine-infusion", "pre.tomorrow", "en")
    assert not now.sender_held(clinic.id, SENDER)


def test_filtered_words_count_although_each_was_accepted_first(session: Session, clinic: Clinic) -> None:
    for _ in range(5):
        judge(session, [trial(clinic, None)], NOW)
        judge(session, [trial(clinic, Reason.CONTENT_REFUSED, late=True)], NOW)
    assert held(session, clinic).message_held(clinic.id, None, "pre.the_day", "en")


def test_a_delivery_forgives_what_receipts_said(session: Session, clinic: Clinic) -> None:
    judge(session, [trial(clinic, Reason.CONTENT_REFUSED, late=True)] * 4, NOW)
    judge(session, [trial(clinic, None, late=True)], NOW)
    assert session.scalars(select(Strike)).all() == []


@pytest.mark.parametrize("reason", sorted(set(Reason) - {*RULES, Reason.RETRIES_SPENT}))
def test_what_is_the_recipients_trouble_never_trips(session: Session, clinic: Clinic, reason: Reason) -> None:
    judge(session, [trial(clinic, reason)] * 1000, NOW)
    assert held(session, clinic) == Pauses()
    assert kinds(session, clinic) == []


def test_many_passing_faults_only_tell_and_the_next_success_takes_it_back(session: Session, clinic: Clinic) -> None:
    judge(session, [trial(clinic, Reason.TRANSIENT)] * 10 + [trial(clinic, Reason.RETRIES_SPENT)] * 9, NOW)
    assert kinds(session, clinic) == []
    judge(session, [trial(clinic, Reason.TRANSIENT)], NOW)
    assert kinds(session, clinic) == ["transient"]
    assert held(session, clinic) == Pauses()
    judge(session, [trial(clinic, None)], NOW)
    assert kinds(session, clinic) == []


def test_a_message_without_a_sender_strikes_none(session: Session, clinic: Clinic) -> None:
    judge(session, [trial(clinic, Reason.CONFIGURATION, sender=None)] * 50, NOW)
    assert held(session, clinic) == Pauses()


def test_what_trips_again_while_paused_is_one_pause_and_one_alert(session: Session, clinic: Clinic) -> None:
    for _ in range(7):
        judge(session, [trial(clinic, Reason.CONFIGURATION)] * 5, NOW)
    assert len(session.scalars(select(Pause)).all()) == 1
    (one,) = alerts.open_alerts(session, clinic.id)
    assert one.count == 7
    assert one.about.startswith("35 in a row")


def test_lifting_begins_the_count_anew(session: Session, clinic: Clinic) -> None:
    judge(session, [trial(clinic, Reason.CONFIGURATION)] * 5, NOW)
    (pause,) = pauses.listing(session, clinic.id, NOW)
    pauses.lift(session, pause.id, "staff", NOW)
    judge(session, [trial(clinic, Reason.CONFIGURATION)] * 4, NOW)
    assert held(session, clinic) == Pauses()


def test_a_batch_that_went_well_writes_nothing(session: Session, clinic: Clinic) -> None:
    said: list[str] = []
    connection = session.connection()

    def hear(_c: object, _u: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(connection, "before_cursor_execute", hear)
    judge(session, [trial(clinic, None)] * 100, NOW)
    event.remove(connection, "before_cursor_execute", hear)
    assert said == []


# A carrier that does not answer

MINUTE = timedelta(minutes=1)


def silent_again(session: Session, clinic: Clinic, now: datetime, times: int = 1) -> None:
    judge(session, [trial(clinic, Reason.NO_ANSWER)] * times, now)


def test_ten_hand_overs_without_an_answer_rest_the_sender_for_a_minute(session: Session, clinic: Clinic) -> None:
    silent_again(session, clinic, NOW, 9)
    assert held(session, clinic) == Pauses()
    silent_again(session, clinic, NOW)
    assert held(session, clinic, NOW + MINUTE - timedelta(seconds=1)).sender_held(clinic.id, SENDER)
    assert held(session, clinic, NOW + MINUTE) == Pauses()
    assert kinds(session, clinic) == ["no_answer"]


def test_each_rest_that_did_not_help_doubles_the_next_up_to_a_quarter_of_an_hour(
    session: Session, clinic: Clinic
) -> None:
    silent_again(session, clinic, NOW, 10)
    now, minutes = NOW, []
    for _ in range(6):
        (pause,) = pauses.listing(session, clinic.id, now)
        assert pause.until is not None
        minutes.append((pause.until - now) / MINUTE)
        now = pause.until
        pauses.end_lapsed(session, now)
        silent_again(session, clinic, now)
    assert minutes == [1, 2, 4, 8, 15, 15]


def test_what_was_in_the_air_when_the_rest_began_does_not_double_it(session: Session, clinic: Clinic) -> None:
    for second in range(5):
        silent_again(session, clinic, NOW + timedelta(seconds=second), 50)
    (pause,) = pauses.listing(session, clinic.id, NOW)
    assert pause.until == NOW + MINUTE + timedelta(seconds=4)


def test_the_first_answer_after_a_rest_ends_alert_and_count(session: Session, clinic: Clinic) -> None:
    silent_again(session, clinic, NOW, 10)
    later = NOW + MINUTE
    pauses.end_lapsed(session, later)
    judge(session, [trial(clinic, None)], later)
    assert kinds(session, clinic) == []
    silent_again(session, clinic, later, 9)
    assert held(session, clinic, later) == Pauses()
    silent_again(session, clinic, later)
    assert held(session, clinic, later + MINUTE) == Pauses(), "after a success the first rest is a short one again"


def test_receipts_of_what_went_before_do_not_end_a_carriers_silence(session: Session, clinic: Clinic) -> None:
    silent_again(session, clinic, NOW, 10)
    judge(session, [trial(clinic, None, late=True)], NOW)
    assert kinds(session, clinic) == ["no_answer"]


# Two workers


@pytest.fixture
def two(engine: Engine) -> Iterator[tuple[Session, Session, Clinic]]:
    with Session(engine, expire_on_commit=False) as one, Session(engine) as other:
        made = clinics.add(
            one, slug="a", name="a", zone=ZONE, country="US", locale="en", phone="", address="", emergency="911",
            quiet_from=time(21), quiet_to=time(8),
        )  # fmt: skip
        one.commit()
        yield one, other, made


ANSWERS = st.sampled_from([None, Reason.CONFIGURATION, Reason.CONTENT_REFUSED, Reason.BAD_NUMBER])
TURNS = st.lists(st.tuples(st.booleans(), st.lists(ANSWERS, min_size=1, max_size=4)), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turns=TURNS)
def test_whoever_records_what_the_count_is_that_of_all_answers_in_a_row(
    two: tuple[Session, Session, Clinic], turns: list[tuple[bool, list[Reason | None]]]
) -> None:
    one, other, clinic = two
    for table in (Strike, Pause, Alert):
        one.execute(delete(table))
    one.commit()
    run = {Reason.CONFIGURATION: 0, Reason.CONTENT_REFUSED: 0}
    tripped: set[Reason] = set()
    for second, answers in turns:
        session = other if second else one
        judge(session, [trial(clinic, answer) for answer in answers], NOW)
        session.commit()
        for answer in answers:
            for kind in run:
                run[kind] = 0 if answer is None else run[kind] + (answer is kind)
        tripped |= {kind for kind, count in run.items() if count >= RULES[kind].after}
    counted = {key.partition("/")[0]: count for key, count in map(tuple, one.execute(select(Strike.key, Strike.count)))}
    assert counted == {kind.value: count for kind, count in run.items() if count}
    now = held(one, clinic)
    assert now.sender_held(clinic.id, SENDER) is (Reason.CONFIGURATION in tripped)
    assert now.message_held(clinic.id, None, "pre.the_day", "en") is (Reason.CONTENT_REFUSED in tripped)
    one.commit()


def test_scopes_are_those_of_the_schema() -> None:
    assert {one.value for one in Scope} == {"service", "clinic", "sender", "sequence", "step", "locale"}
