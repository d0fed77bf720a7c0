"""The balance: a clean database passes, and each planted fault is found and named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from outreach.domain.status import Status
from outreach.errors import Reason
from outreach.store.balance import FAULTS, Span, weigh
from outreach.store.stuck import stuck
from outreach.store.tables import Clinic
from tests.store.stock import DAY, NOW, Stock

ENDED = [
    (Status.DELIVERED, None), (Status.UNDELIVERED, Reason.NO_NEWS), (Status.FAILED, Reason.BAD_NUMBER),
    (Status.SUPPRESSED, Reason.OPTED_OUT), (Status.CANCELLED, Reason.VISIT_MOVED), (Status.EXPIRED, Reason.TOO_LATE),
]  # fmt: skip


def test_a_clean_database_passes(stock: Stock) -> None:
    for status, reason in ENDED:
        stock.ended(status, reason)
    waiting, sending, accepted, unknown = (stock.planned() for _ in range(4))
    stock.handed_over(sending)
    stock.accepted(accepted, stock.handed_over(accepted))
    stock.news(unknown, "no answer", Status.UNKNOWN, attempt_id=stock.handed_over(unknown))
    stock.set(unknown, status="unknown")
    sheet = weigh(stock.session, [Span(stock.clinic_id)], whole=True)
    assert sheet.faults == []
    assert (sheet.planned, sheet.rows, sheet.holds) == (10, 10, True)
    assert {(one.status, one.reason) for one in sheet.groups} == {
        *((status, reason.value if reason else None) for status, reason in ENDED),
        (Status.SCHEDULED, None), (Status.SENDING, None), (Status.ACCEPTED, None), (Status.UNKNOWN, None),
    }  # fmt: skip
    assert waiting


def test_a_retry_after_a_sure_refusal_is_no_fault(stock: Stock) -> None:
    message_id = stock.planned()
    first = stock.handed_over(message_id)
    stock.news(message_id, "refused", Status.SCHEDULED, attempt_id=first, reason="transient")
    stock.accepted(message_id, stock.handed_over(message_id, 2), "SM2")
    assert stock.faults() == []


def test_what_start_brought_back_is_no_fault(stock: Stock) -> None:
    message_id = stock.ended(Status.SUPPRESSED, Reason.OPTED_OUT)
    stock.news(message_id, "revived", Status.SCHEDULED)
    stock.set(message_id, status="scheduled", reason=None, ended_at=None)
    assert stock.faults() == []


def test_a_dropped_planning_event_is_named(stock: Stock) -> None:
    message_id = stock.planned()
    stock.unwritten("event", message_id)
    assert stock.faults() == [("unplanned", message_id)]


def test_planning_twice_is_named(stock: Stock) -> None:
    message_id = stock.planned()
    stock.news(message_id, "planned", Status.SCHEDULED, source="plan")
    assert stock.faults() == [("planned twice", message_id)]


@pytest.mark.parametrize(("status", "reason"), ENDED, ids=[status.value for status, _ in ENDED])
def test_an_end_of_which_no_event_tells_is_named(stock: Stock, status: Status, reason: Reason | None) -> None:
    stock.ended(status, reason)
    message_id = stock.ended(status, reason, told=False)
    assert stock.faults() == [("untold", message_id)]


def test_an_end_told_with_another_reason_is_named(stock: Stock) -> None:
    message_id = stock.ended(Status.SUPPRESSED, Reason.OPTED_OUT)
    stock.set(message_id, reason="no_consent")
    assert stock.faults() == [("untold", message_id)]


def test_a_row_that_goes_on_after_its_end_was_told_is_named(stock: Stock) -> None:
    message_id = stock.ended(Status.EXPIRED, Reason.TOO_LATE)
    stock.set(message_id, status="scheduled", reason=None, ended_at=None)
    assert stock.faults() == [("not ended", message_id)]


def test_a_message_with_a_carrier_and_without_an_attempt_is_named(stock: Stock) -> None:
    message_id = stock.planned()
    stock.accepted(message_id, stock.handed_over(message_id))
    stock.unwritten("attempt", message_id)
    assert stock.faults() == [("not handed over", message_id)]


def test_an_attempt_that_the_row_does_not_know_of_is_named(stock: Stock) -> None:
    message_id = stock.planned()
    stock.accepted(message_id, stock.handed_over(message_id, 2))
    assert stock.faults() == [("miscounted", message_id)]


def test_what_waits_in_no_queue_and_what_waits_without_cause_is_named(stock: Stock) -> None:
    lost, left, moved = stock.planned(), stock.planned(), stock.planned()
    stock.accepted(left, stock.handed_over(left))
    queue = "insert into queued select id, clinic_id, patient_id, channel, urgent, due_at from message where id = :id"
    later = "update queued set due_at = due_at + interval '1 hour' where message_id = :id"
    for statement, one in (("delete from queued where message_id = :id", lost), (queue, left), (later, moved)):
        stock.session.execute(text(statement), {"id": one})
    assert sorted(stock.faults()) == sorted(("misqueued", one) for one in (lost, left, moved))


@pytest.mark.parametrize("second", ["us", "carrier"])
def test_a_message_that_carriers_took_twice_is_named(stock: Stock, second: str) -> None:
    message_id = stock.planned()
    stock.accepted(message_id, stock.handed_over(message_id))
    again = stock.handed_over(message_id, 2)
    stock.news(message_id, "accepted" if second == "us" else "sent", Status.SENT, source=second, attempt_id=again,
               carrier_id="SM2")  # fmt: skip
    stock.set(message_id, status="sent", sent_at=NOW)
    assert stock.faults() == [("doubled", message_id)]


def test_a_lost_row_is_named_by_the_look_at_everything(stock: Stock) -> None:
    message_id, tried = stock.planned(), stock.planned()
    stock.handed_over(tried)
    for one in (message_id, tried):
        stock.unwritten("message", one)
    assert stock.faults(whole=True) == [*(("lost", one) for one in sorted((message_id, tried))), ("stray", tried)]


def test_another_clinics_faults_and_other_days_stay_out(
    stock: Stock, session: Session, clinic: Callable[..., Clinic], person: Callable[..., UUID]
) -> None:
    other = clinic("b")
    theirs = Stock(session, other, person(other.id))
    theirs.unwritten("event", theirs.planned())
    stock.unwritten("event", stock.planned(NOW + 2 * DAY))
    assert stock.faults() == []


def test_every_fault_has_words(stock: Stock) -> None:
    assert {"unplanned", "planned twice", "untold", "not ended", "not handed over", "miscounted", "misqueued",
            "doubled", "lost", "stray"} == set(FAULTS)  # fmt: skip


# Stuck


def stuck_ids(stock: Stock) -> list[tuple[UUID, Status]]:
    return [(one.message_id, one.status) for one in stuck(stock.session, [stock.clinic_id], NOW)]


def test_what_moves_in_time_is_not_stuck(stock: Stock) -> None:
    stock.planned(NOW - timedelta(minutes=14))
    sending, unknown, accepted = stock.planned(), stock.planned(), stock.planned(NOW - timedelta(hours=75))
    stock.handed_over(sending)
    stock.accepted(accepted, stock.handed_over(accepted))
    stock.handed_over(unknown)
    stock.set(unknown, status="unknown")
    assert stuck_ids(stock) == []


def test_each_place_has_its_bound(stock: Stock) -> None:
    due = stock.planned(NOW - timedelta(minutes=16))
    sending, unknown, accepted = stock.planned(), stock.planned(), stock.planned(NOW - timedelta(hours=75))
    stock.handed_over(sending)
    stock.set(sending, lease_until=NOW - timedelta(minutes=6))
    stock.handed_over(unknown)
    stock.set(unknown, status="unknown", lease_until=NOW - timedelta(hours=25))
    stock.accepted(accepted, stock.handed_over(accepted))
    stock.set(accepted, sent_at=NOW - timedelta(hours=74))
    assert stuck_ids(stock) == [
        (accepted, Status.ACCEPTED), (unknown, Status.UNKNOWN), (due, Status.SCHEDULED), (sending, Status.SENDING),
    ]  # fmt: skip
