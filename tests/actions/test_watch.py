"""The watch raises an alert for what is wrong, names it, and takes the alert back when it is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from outreach.actions.twice import tell_of_it
from outreach.actions.watch import watch
from outreach.domain.brakes import Scope
from outreach.domain.channel import Channel
from outreach.domain.status import Status
from outreach.errors import Reason
from outreach.store import alerts, patients, pauses, senders
from outreach.store.tables import Clinic
from tests.store.stock import NOW, Stock

LATE = NOW - timedelta(minutes=20)


@pytest.fixture
def stock(session: Session, clinic: Clinic) -> Stock:
    person = patients.add(session, clinic_id=clinic.id, name="Ana Sample", locale="en", zone="America/Chicago",
                          wording="full", external="", now=NOW)  # fmt: skip
    return Stock(session, clinic, person)


def told(stock: Stock) -> list[tuple[str, str]]:
    return sorted((one.kind, one.key) for one in alerts.open_alerts(stock.session, stock.clinic_id))


def about(stock: Stock) -> str:
    (one,) = alerts.open_alerts(stock.session, stock.clinic_id)
    return one.about


def twice(stock: Stock) -> str:
    message_id = stock.planned(LATE)
    stock.accepted(message_id, stock.handed_over(message_id))
    again = stock.handed_over(message_id, 2)
    stock.accepted(message_id, again, "SM2")
    return str(message_id)


def test_all_is_well_says_nothing(stock: Stock) -> None:
    stock.ended(Status.DELIVERED, None)
    stock.planned()
    assert watch(stock.session, NOW).well
    assert watch(stock.session, NOW, back=None).well
    assert told(stock) == []


def test_two_answers_to_a_stop_are_told_of_once_and_taken_back_with_the_setting(stock: Stock) -> None:
    senders.add(stock.session, stock.clinic_id, Channel.SMS, "+12025550170")
    tell_of_it(stock.session, frozenset(), NOW)  # the sandbox
    assert told(stock) == []
    for _ in range(2):
        tell_of_it(stock.session, {"twilio"}, NOW)
        assert told(stock) == [("answered twice", str(stock.clinic_id))]
    stock.session.execute(update(Clinic).values(carrier_answers="stop_help"))
    stock.session.expire_all()
    tell_of_it(stock.session, {"twilio"}, NOW)
    assert told(stock) == []


def test_what_stands_still_is_named_and_cleared_when_it_moves(stock: Stock) -> None:
    message_id = stock.planned(LATE)
    assert not watch(stock.session, NOW).well
    assert told(stock) == [("stuck", "scheduled")]
    assert str(message_id) in about(stock)
    stock.handed_over(message_id)
    watch(stock.session, NOW)
    assert told(stock) == []


def test_books_that_are_off_stay_on_the_list_until_a_look_at_everything_finds_them_right(stock: Stock) -> None:
    message_id = stock.ended(Status.EXPIRED, Reason.TOO_LATE, told=False)
    watch(stock.session, NOW + timedelta(minutes=1))
    assert told(stock) == [("balance", "untold")]
    assert str(message_id) in about(stock)
    later = NOW + timedelta(hours=5)
    watch(stock.session, later)
    assert told(stock) == [("balance", "untold")]
    stock.news(message_id, "end", Status.EXPIRED, reason=Reason.TOO_LATE.value)
    watch(stock.session, later, back=None)
    assert told(stock) == []


def test_what_went_out_twice_is_told_once_and_cleared_by_a_person(stock: Stock) -> None:
    message_id = twice(stock)
    watch(stock.session, NOW)
    watch(stock.session, NOW, back=None)
    (one,) = alerts.open_alerts(stock.session, stock.clinic_id)
    assert (one.kind, one.key, one.count) == ("doubled", message_id, 1)
    assert alerts.clear_by_id(stock.session, stock.clinic_id, one.id, NOW)
    watch(stock.session, NOW, back=None)
    assert told(stock) == []


def test_the_same_trouble_is_one_alert_however_often_it_is_seen(stock: Stock) -> None:
    for _ in range(5):
        stock.planned(LATE)
    for _ in range(3):
        watch(stock.session, NOW)
    (one,) = alerts.open_alerts(stock.session, stock.clinic_id)
    assert one.count == 3
    assert one.about.startswith("5 scheduled since ")
    assert one.about.endswith(" and 2 more")


def test_no_name_or_number_is_in_an_alert(stock: Stock) -> None:
    twice(stock)
    stock.planned(LATE)
    watch(stock.session, NOW)
    said = " ".join(one.about + one.key for one in alerts.open_alerts(stock.session, stock.clinic_id))
    assert "Ana" not in said
    assert "+1202" not in said


def test_a_pause_whose_time_is_over_ends_and_what_waited_goes_on(stock: Stock) -> None:
    pauses.switch_on(stock.session, stock.clinic_id, Scope.CLINIC, "", "night", "test", LATE, NOW)
    stock.set(stock.planned(LATE), reason="paused")
    assert watch(stock.session, NOW).well
    assert pauses.listing(stock.session, None, NOW) == []
