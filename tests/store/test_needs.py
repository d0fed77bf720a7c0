"""What does not go by itself: counted for the clinic that asks, each kind by itself, in one statement."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import event, insert, update
from sqlalchemy.orm import Session

from outreach.domain.brakes import Scope
from outreach.domain.status import Status
from outreach.store import alerts, needs, pauses, tasks, todo
from outreach.store.needs import Numbers
from outreach.store.tables import Clinic, Course, Infusion, Patient
from tests.store.stock import NOW, Stock

TODAY = datetime(2026, 12, 1)
NOBODY = Numbers(0, 0, 0, 0, 0, [], 0)


def numbers(session: Session, clinic_id: UUID, at: datetime = NOW) -> Numbers:
    return needs.numbers(session, clinic_id, at, TODAY, TODAY + timedelta(days=7), "dead", "unapproved")


def test_each_kind_is_counted_and_another_clinic_sees_none_of_it(
    stock: Stock, session: Session, clinic: Callable[..., Clinic]
) -> None:
    there, here = clinic("elsewhere").id, stock.clinic_id
    assert numbers(session, here) == numbers(session, there) == NOBODY
    for number, whose in enumerate((stock.patient_id, stock.patient_id, None)):
        tasks.open_task(session, clinic_id=here, patient_id=whose, now=NOW, kind="urgent" if number == 1 else "reply",
                        occasion=f"test:{number}", due_at=NOW + timedelta(hours=number))  # fmt: skip
    stock.set(stock.planned(), status=Status.UNKNOWN.value)
    stock.set(stock.planned(), status=Status.UNKNOWN.value, sent_at=NOW)  # the carrier is known to have it
    stock.planned()
    for kind, key in (("dead", "1"), ("dead", "2"), ("unapproved", "es/b"), ("unapproved", "es/a"), ("else", "")):
        alerts.raise_alert(session, here, kind, key, "", NOW)
    alerts.raise_alert(session, None, "else", "", "", NOW)  # the operator's
    alerts.clear(session, here, "dead", "1", NOW)
    pauses.switch_on(session, here, Scope.CLINIC, "", "why", "test", NOW, until=NOW + timedelta(hours=1))
    assert numbers(session, here) == Numbers(2, 1, 1, 0, 1, ["es/a", "es/b"], 1)
    assert tasks.waits(session, here, uuid4(), NOW).open == 2, "a patient's two are one conversation, as in the inbox"
    assert [one.kind for one in todo.of_clinic(session, here, 9)] == ["urgent", "reply"], "the more pressing of two"
    assert numbers(session, here, NOW + timedelta(hours=2)).pauses == 0, "its time is over"
    assert numbers(session, there) == NOBODY
    pauses.switch_on(session, None, Scope.SERVICE, "", "why", "test", NOW)
    assert (numbers(session, here).pauses, numbers(session, there).pauses) == (2, 1), "the service's holds everybody"


def test_visits_of_the_week_count_while_their_patient_has_not_answered(stock: Stock, session: Session) -> None:
    here = stock.clinic_id
    [course] = session.scalars(
        insert(Course).values(clinic_id=here, patient_id=stock.patient_id, label="", status="active", created_at=NOW)
        .returning(Course.id)
    )  # fmt: skip
    last = TODAY + timedelta(days=6, hours=23)
    outside = TODAY - timedelta(minutes=1), TODAY + timedelta(days=7)
    booked = [(starts, "booked") for starts in (TODAY, last, *outside)]
    for starts, status in (*booked, (TODAY, "cancelled")):
        session.execute(insert(Infusion).values(
            clinic_id=here, course_id=course, starts=starts, zone="America/Chicago", minutes=60, status=status,
            revision=0, created_at=NOW,
        ))  # fmt: skip
    for values, counted in (
        ({"standing": "open"}, 2), ({"standing": "agreed"}, 0), ({"standing": "refused"}, 0),
        ({"standing": "open", "active": False}, 0), ({"active": True, "test": True}, 0),
    ):  # fmt: skip
        session.execute(update(Patient).where(Patient.id == stock.patient_id).values(values))
        assert numbers(session, here).not_agreed == counted, values


def test_it_is_one_statement(stock: Stock, session: Session) -> None:
    asked: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(session.get_bind(), "before_cursor_execute", count)
    numbers(session, stock.clinic_id, datetime.now(UTC))
    event.remove(session.get_bind(), "before_cursor_execute", count)
    assert len(asked) == 1
