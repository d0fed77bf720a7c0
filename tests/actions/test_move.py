"""Moving and cancelling: plans follow, and exactly those who had heard of the old time hear of the new one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from outreach.actions.enrol import Enrol, NewVisit, Paper, enrol
from outreach.actions.move import cancel, move
from outreach.actions.replan import replan
from outreach.domain.channel import Channel
from outreach.domain.sequence import Sequence
from outreach.domain.status import Status
from outreach.errors import BadInput, NotFound, Reason
from outreach.store import infusions, patients
from outreach.store.tables import Clinic
from outreach.store.traffic import Message
from tests.actions.conftest import NOW

Rows = Callable[..., list[Message]]
Send = Callable[..., None]
ZONE = "America/Chicago"
FIRST, SECOND = datetime(2026, 12, 15, 10), datetime(2026, 12, 22, 10)
NEW = datetime(2026, 12, 17, 14)


@pytest.fixture
def visits(session: Session, clinic: Clinic, sequence: Sequence) -> list[UUID]:
    """Two visits of one patient who agreed on paper."""
    signed = Paper(channels=frozenset(Channel), on=date(2026, 11, 20), warned=True)
    form = Enrol(clinic.id, "Ana Sample", "en", (NewVisit(FIRST, 40), NewVisit(SECOND, 40)), phone="+13125550143",
                 email="ana@example.org", paper=signed)  # fmt: skip
    done = enrol(session, form, sequence, NOW)
    return [visit.id for visit in infusions.of_course(session, done.course_id)]


def test_a_visit_nobody_heard_of_moves_in_silence(
    session: Session, visits: list[UUID], sequence: Sequence, rows: Rows
) -> None:
    moved = move(session, visits[0], NEW, ZONE, sequence, NOW)
    assert moved.noticed == 0
    assert {row.reason for row in rows(infusion_id=visits[0], status="cancelled")} == {Reason.VISIT_MOVED.value}
    live = rows(infusion_id=visits[0], status="scheduled", step="pre.the_day")
    assert {(row.revision, row.wall) for row in live} == {(1, datetime(2026, 12, 14, 10))}
    assert rows(infusion_id=visits[1], status="cancelled") == []


def test_who_had_heard_is_told_once_on_each_channel_with_both_times(
    session: Session, visits: list[UUID], sequence: Sequence, rows: Rows, send: Send
) -> None:
    send("pre.the_day", infusion_id=visits[0])
    assert move(session, visits[0], NEW, ZONE, sequence, NOW).noticed == 2
    waiting = infusions.waiting_notices(session, visits[0])
    assert len(waiting) == 2
    assert waiting[0].facts["old_start"] == "2026-12-15T16:00:00+00:00"
    assert waiting[0].facts["new_start"] == "2026-12-17T20:00:00+00:00"
    assert len(rows(step="pre.the_day", infusion_id=visits[0], status="scheduled")) == 2  # again, for the new date


def test_what_goes_once_for_a_course_says_that_its_last_visit_was_cancelled(
    session: Session, visits: list[UUID], sequence: Sequence, rows: Rows
) -> None:
    for visit, reason in zip(visits[::-1], (Reason.SUPERSEDED, Reason.VISIT_CANCELLED), strict=True):
        before = {row.id for row in rows(step="post.three_months", status="cancelled")}
        cancel(session, visit, sequence, NOW)
        gone = [row for row in rows(step="post.three_months", status="cancelled") if row.id not in before]
        assert [row.reason for row in gone] == [reason.value] * 2
    assert rows(step="post.three_months", status="scheduled") == []


def test_moving_to_the_time_it_has_changes_nothing(
    session: Session, visits: list[UUID], sequence: Sequence, rows: Rows, send: Send
) -> None:
    send("pre.the_day", infusion_id=visits[0])
    before = len(rows())
    moved = move(session, visits[0], FIRST, ZONE, sequence, NOW)
    assert (moved.noticed, moved.planning.added, moved.planning.cancelled, len(rows())) == (0, 0, 0, before)


def test_two_moves_before_the_notice_left_become_one_notice(
    session: Session, visits: list[UUID], sequence: Sequence, rows: Rows, send: Send
) -> None:
    send("pre.the_day", infusion_id=visits[0])
    move(session, visits[0], NEW, ZONE, sequence, NOW)
    move(session, visits[0], NEW + timedelta(days=1), ZONE, sequence, NOW)
    [one, other] = infusions.waiting_notices(session, visits[0])
    assert one.facts["old_start"] == other.facts["old_start"] == "2026-12-15T16:00:00+00:00"
    assert one.facts["new_start"] == "2026-12-18T20:00:00+00:00"


def test_back_at_the_time_that_is_known_no_notice_is_needed(
    session: Session, visits: list[UUID], sequence: Sequence, rows: Rows, send: Send
) -> None:
    send("pre.the_day", infusion_id=visits[0])
    move(session, visits[0], NEW, ZONE, sequence, NOW)
    assert move(session, visits[0], FIRST, ZONE, sequence, NOW).noticed == 0
    assert infusions.waiting_notices(session, visits[0]) == []


def test_back_again_is_told_where_one_channel_had_heard_of_the_first_move(
    session: Session, visits: list[UUID], sequence: Sequence, rows: Rows, send: Send
) -> None:
    send("pre.the_day", infusion_id=visits[0])
    move(session, visits[0], NEW, ZONE, sequence, NOW)
    text = rows(step="visit.moved", channel="sms")[0]
    text.status = Status.DELIVERED.value
    session.flush()
    assert move(session, visits[0], FIRST, ZONE, sequence, NOW).noticed == 2
    assert infusions.waiting_notices(session, visits[0])[0].facts["old_start"] == "2026-12-17T20:00:00+00:00"


def test_a_message_in_doubt_counts_as_heard(
    session: Session, visits: list[UUID], sequence: Sequence, send: Send
) -> None:
    send("pre.the_day", infusion_id=visits[0], status=Status.UNKNOWN)
    assert move(session, visits[0], NEW, ZONE, sequence, NOW).noticed == 2


def test_a_cancelled_visit_takes_its_messages_and_is_told(
    session: Session, visits: list[UUID], sequence: Sequence, rows: Rows, send: Send
) -> None:
    send("pre.the_day", infusion_id=visits[0])
    cancelled = cancel(session, visits[0], sequence, NOW)
    assert cancelled.noticed == 2
    assert rows(infusion_id=visits[0], status="scheduled") == []
    assert {row.reason for row in rows(infusion_id=visits[0], status="cancelled")} == {Reason.VISIT_CANCELLED.value}
    assert "new_start" not in infusions.waiting_notices(session, visits[0])[0].facts
    assert cancel(session, visits[0], sequence, NOW).noticed == 0


def test_cancelling_the_last_visit_brings_the_end_of_the_course_forward(
    session: Session, visits: list[UUID], sequence: Sequence, rows: Rows
) -> None:
    cancel(session, visits[1], sequence, NOW)
    assert {row.wall.date() for row in rows(step="post.two_weeks", status="scheduled")} == {date(2026, 12, 29)}


def test_a_notice_of_a_move_gives_way_to_the_cancellation(
    session: Session, visits: list[UUID], sequence: Sequence, rows: Rows, send: Send
) -> None:
    send("pre.the_day", infusion_id=visits[0])
    move(session, visits[0], NEW, ZONE, sequence, NOW)
    cancel(session, visits[0], sequence, NOW)
    assert rows(step="visit.moved", status="scheduled") == []
    assert infusions.waiting_notices(session, visits[0])[0].facts["old_start"] == "2026-12-15T16:00:00+00:00"


@pytest.mark.parametrize(
    ("to", "says"),
    [(SECOND, "has this time already"), (datetime(2027, 3, 14, 2, 30), "does not exist"), (NOW, "without an offset")],
    ids=["another visit's time", "an hour the clock skips", "an instant"],
)
def test_a_time_that_cannot_be_is_refused(
    session: Session, visits: list[UUID], sequence: Sequence, to: datetime, says: str
) -> None:
    with pytest.raises(BadInput, match=says):
        move(session, visits[0], to, ZONE, sequence, NOW)
    assert infusions.get(session, visits[0]).revision == 0


def test_another_clinics_visit_is_not_found(session: Session, visits: list[UUID], sequence: Sequence) -> None:
    with pytest.raises(NotFound):
        move(session, visits[0], NEW, ZONE, sequence, NOW, clinic_id=uuid4())
    with pytest.raises(NotFound):
        cancel(session, uuid4(), sequence, NOW)


def test_a_new_number_takes_over_what_was_due_and_is_still_of_use(
    session: Session, clinic: Clinic, visits: list[UUID], sequence: Sequence, rows: Rows
) -> None:
    late = datetime(2026, 12, 12, 18, tzinfo=UTC)  # two hours after "about the visit" fell due: no worker was running
    one = rows(infusion_id=visits[0])[0]
    reached, _ = patients.set_address(session, clinic.id, one.patient_id, Channel.SMS, "+13125550199", late)
    assert one.course_id
    replan(session, one.course_id, sequence, late)
    [row] = rows(infusion_id=visits[0], step="pre.the_day", channel="sms", status="scheduled")
    assert (row.address_id, row.due_at) == (reached, late)
