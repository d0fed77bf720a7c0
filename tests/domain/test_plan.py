"""The planner: what is due when, what is left out and why, over zones, moves, and courses."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.domain.channel import Channel
from outreach.domain.message import Planned
from outreach.domain.plan import LATE_USE, Visit, Visits, at_once, plan
from outreach.domain.sequence import Sequence, Step
from outreach.domain.status import Status
from outreach.domain.timing import When, parse_unless, parse_until, parse_when
from outreach.domain.window import QuietHours, tz_version, wall_at, zone_names
from outreach.errors import BadInput, Reason

COURSE = UUID(int=100)
LONG_AGO = datetime(2019, 1, 1, tzinfo=UTC)
SMS = frozenset({Channel.SMS})
VANCOUVER = "America/Vancouver"


def step(key: str, when: str, useful_until: str = "1 day later", **more: object) -> Step:
    rule = parse_when(when)
    timed = {"when": rule} if isinstance(rule, When) else {"trigger": rule}
    fields = {
        "channels": (Channel.SMS, Channel.EMAIL),
        "once_per": "infusion",
        "useful_until": parse_until(useful_until),
    }
    return Step(key=key, **(fields | timed | more))  # type: ignore[arg-type]


EXPECT = step("pre.what_to_expect", "7 days before start at 10:00", "start", once_per="course", anchor="first")
THE_DAY = step("pre.the_day", "3 days before start at 10:00", "start", again_when_moved=True)
HOURS = step("post.first_hours", "2 hours after end", "12 hours later")
CHECK = step("post.check_in", "next day at 10:00")
DAYS = step(
    "post.first_days", "3 days after at 10:00", unless_next_within=parse_unless("next infusion within 48 hours")
)
WEEKS = step("post.two_weeks", "14 days after at 10:00", once_per="course", anchor="last")
ASK = step("consent.request", "at enrolment", "7 days later", once_per="address")
HELP = step("reply.help", "when asked for help", "1 hour later", once_per="message")
LATE_DAY = replace(THE_DAY, late=True)
LATE_EXPECT = replace(EXPECT, late=True, unless_told="pre.the_day")
TOMORROW = step(
    "pre.tomorrow", "1 day before start at 10:00", "end of day", again_when_moved=True, unless_told="pre.the_day"
)
ALL = Sequence("all", "digest", (ASK, EXPECT, THE_DAY, HOURS, CHECK, DAYS, WEEKS, HELP))


def visit(starts: datetime, number: int = 1, zone: str = VANCOUVER, **more: object) -> Visit:
    return Visit(UUID(int=number), COURSE, starts, zone, 60)._replace(**more)  # type: ignore[arg-type]


def one(step: Step, starts: datetime, now: datetime = LONG_AGO, zone: str = VANCOUVER, **more: object) -> Planned:
    planned = plan(Sequence("one", "", (step,)), [visit(starts)], zone, SMS, now, **more)  # type: ignore[arg-type]
    assert len(planned) == 1
    return planned[0]


def test_a_message_carries_wall_time_zone_version_instant_and_rule() -> None:
    message = one(THE_DAY, datetime(2026, 11, 28, 10))
    assert message.wall == datetime(2026, 11, 25, 10)
    assert message.zone == VANCOUVER
    assert message.tz_version == tz_version()
    assert message.due_at == datetime(2026, 11, 25, 17, tzinfo=UTC)
    assert message.useful_until == datetime(2026, 11, 28, 17, tzinfo=UTC)
    assert message.rule == "3 days before start at 10:00"
    assert message.status is Status.SCHEDULED
    assert message.reason is None


def test_steps_an_event_calls_for_are_not_planned() -> None:
    planned = plan(ALL, [visit(datetime(2026, 11, 28, 10))], VANCOUVER, SMS, LONG_AGO)
    assert [message.step for message in planned] == [
        "pre.what_to_expect", "pre.the_day", "post.first_hours", "post.check_in", "post.first_days", "post.two_weeks",
    ]  # fmt: skip


def test_each_channel_the_patient_has_gets_its_message_and_no_other() -> None:
    both = plan(ALL, [visit(datetime(2026, 11, 28, 10))], VANCOUVER, list(Channel), LONG_AGO)
    assert len(both) == 12
    assert not plan(ALL, [visit(datetime(2026, 11, 28, 10))], VANCOUVER, [], LONG_AGO)


def test_days_count_on_the_calendar_of_the_patient_not_of_the_clinic() -> None:
    # 22:00 in Vancouver on the 28th is 01:00 in Toronto on the 29th.
    message = one(THE_DAY, datetime(2026, 8, 28, 22), zone="America/Toronto")
    assert message.wall == datetime(2026, 8, 26, 10)
    assert message.due_at == datetime(2026, 8, 26, 14, tzinfo=UTC)


def test_a_day_is_the_calendars_and_an_hour_the_clocks() -> None:
    message = one(THE_DAY, datetime(2027, 3, 15, 10), zone="America/Chicago")
    assert message.due_at == datetime(2027, 3, 12, 16, tzinfo=UTC)
    assert message.useful_until - message.due_at == timedelta(hours=73)


def test_a_gap_is_told_in_the_rule() -> None:
    at_half_past_two = step("pre.early", "1 day before start at 02:30", "start")
    never_quiet = QuietHours(time(0), time(0))
    message = one(at_half_past_two, datetime(2027, 3, 15, 12), zone="America/Chicago", quiet=never_quiet)
    assert message.wall == datetime(2027, 3, 14, 3, 30)
    assert message.rule == "1 day before start at 02:30; gap: moved forward 1:00"


def test_an_overlap_is_told_in_the_rule() -> None:
    early = step("pre.early", "1 day before start at 01:30", "start")
    message = one(early, datetime(2026, 11, 2, 12), zone="America/Chicago", quiet=QuietHours(time(0), time(0)))
    assert message.due_at == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert message.rule.endswith("overlap: first of the two")


def test_a_message_in_the_night_waits_for_the_morning_when_still_useful() -> None:
    message = one(HOURS, datetime(2026, 11, 28, 19))
    assert message.wall == datetime(2026, 11, 29, 8)
    assert message.status is Status.SCHEDULED
    assert message.rule == "2 hours after end; quiet hours: moved to 08:00"


def test_a_message_in_the_night_expires_when_the_morning_is_too_late() -> None:
    short = step("post.first_hours", "2 hours after end", "3 hours later")
    message = one(short, datetime(2026, 11, 28, 19))
    assert (message.status, message.reason) == (Status.EXPIRED, Reason.QUIET_HOURS)
    assert message.wall == datetime(2026, 11, 28, 22)


def test_a_time_that_is_past_expires_with_its_reason() -> None:
    message = one(THE_DAY, datetime(2026, 11, 28, 10), now=datetime(2026, 11, 26, tzinfo=UTC))
    assert (message.status, message.reason) == (Status.EXPIRED, Reason.PAST_AT_PLANNING)


@pytest.mark.parametrize(
    ("entered", "coming"),
    [
        pytest.param(datetime(2026, 11, 20, 12), {"expect": "21 10:00", "day": "25 10:00", "tomorrow": "27 10:00"},
                     id="a week and more ahead: all at their times"),
        pytest.param(datetime(2026, 11, 23, 12), {"expect": "23 12:00", "day": "25 10:00", "tomorrow": "27 10:00"},
                     id="five days ahead: the explanation at once"),
        pytest.param(datetime(2026, 11, 25, 12), {"day": "25 12:00", "tomorrow": "27 10:00"},
                     id="three days ahead: the day at once, which explains enough"),
        pytest.param(datetime(2026, 11, 25, 23), {"day": "26 08:00", "tomorrow": "27 10:00"},
                     id="in the night: in the morning"),
        pytest.param(datetime(2026, 11, 27, 9), {"day": "27 09:00"}, id="the day before, early: told once"),
        pytest.param(datetime(2026, 11, 27, 16), {"day": "27 16:00"}, id="the day before, late: told once"),
        pytest.param(datetime(2026, 11, 27, 22), {}, id="the evening before a morning's visit: by telephone"),
        pytest.param(datetime(2026, 11, 28, 9), {}, id="an hour ahead: of no use any more"),
    ],
)  # fmt: skip
def test_a_visit_booked_at_short_notice_is_told_of_once_and_soon(entered: datetime, coming: dict[str, str]) -> None:
    sequence = Sequence("short", "", (LATE_EXPECT, LATE_DAY, TOMORROW))
    now = entered.replace(tzinfo=ZoneInfo(VANCOUVER))
    planned = plan(sequence, [visit(datetime(2026, 11, 28, 10))], VANCOUVER, SMS, now)
    names = {"pre.what_to_expect": "expect", "pre.the_day": "day", "pre.tomorrow": "tomorrow"}
    going = {names[one.step]: f"{one.wall:%d %H:%M}" for one in planned if one.status is Status.SCHEDULED}
    assert going == coming
    assert len(planned) == 3
    assert all(one.reason for one in planned if one.status is not Status.SCHEDULED)


def test_what_was_told_before_a_move_is_not_told_late_as_well() -> None:
    now = datetime(2026, 11, 27, 20, tzinfo=UTC)
    moved = visit(datetime(2026, 11, 28, 15), revision=1)
    told = frozenset({("pre.the_day", Channel.SMS, moved.id)})
    sequence = Sequence("one", "", (LATE_DAY,))
    [unsaid], [said] = (plan(sequence, [moved], VANCOUVER, SMS, now, already=before) for before in (frozenset(), told))
    assert (unsaid.status, unsaid.late) == (Status.SCHEDULED, True)
    assert (said.status, said.reason) == (Status.EXPIRED, Reason.PAST_AT_PLANNING)


def test_a_time_that_is_now_is_not_past() -> None:
    message = one(THE_DAY, datetime(2026, 11, 28, 10), now=datetime(2026, 11, 25, 17, tzinfo=UTC))
    assert message.status is Status.SCHEDULED


def test_a_message_due_after_its_use_is_over_expires() -> None:
    late = step("pre.morning", "same day at 10:00", "start")
    message = one(late, datetime(2026, 11, 28, 9))
    assert (message.status, message.reason) == (Status.EXPIRED, Reason.TOO_LATE)


@pytest.mark.parametrize(
    ("gap", "reason"),
    [
        pytest.param(timedelta(days=1), Reason.NEXT_INFUSION_NEAR, id="the next day"),
        pytest.param(timedelta(hours=49), Reason.NEXT_INFUSION_NEAR, id="48 hours after the end"),
        pytest.param(timedelta(hours=50), None, id="49 hours after the end"),
    ],
)
def test_a_step_may_give_way_to_the_next_infusion(gap: timedelta, reason: Reason | None) -> None:
    first = datetime(2026, 11, 28, 10)
    visits = [visit(first + gap, 2), visit(first, 1)]
    planned = plan(Sequence("one", "", (DAYS,)), visits, VANCOUVER, SMS, LONG_AGO)
    assert [message.reason for message in planned] == [reason, None]
    assert planned[0].status is (Status.SUPPRESSED if reason else Status.SCHEDULED)


def test_an_infusion_of_another_course_or_a_cancelled_one_is_not_the_next() -> None:
    first = datetime(2026, 11, 28, 10)
    other = visit(first + timedelta(days=1), 2, course_id=UUID(int=200))
    gone = visit(first + timedelta(days=1), 3, status="cancelled")
    planned = plan(Sequence("one", "", (DAYS,)), [visit(first), other, gone], VANCOUVER, SMS, LONG_AGO)
    assert [message.reason for message in planned] == [None, None]


def test_a_course_hears_its_explanation_once_before_the_first_and_its_outlook_once_after_the_last() -> None:
    starts = [datetime(2026, 11, 28, 10) + timedelta(days=14 * number) for number in range(3)]
    visits = [visit(start, number) for number, start in enumerate(starts, 1)]
    planned = plan(ALL, list(reversed(visits)), VANCOUVER, SMS, LONG_AGO)
    once = {message.step: message for message in planned if message.infusion_id is None}
    assert sorted(once) == ["post.two_weeks", "pre.what_to_expect"]
    assert once["pre.what_to_expect"].wall == datetime(2026, 11, 21, 10)
    assert once["post.two_weeks"].wall == datetime(2027, 1, 9, 10)
    assert {message.course_id for message in planned} == {COURSE}
    assert sum(message.step == "pre.the_day" for message in planned) == 3


def test_a_cancelled_visit_plans_nothing_and_is_neither_first_nor_last() -> None:
    cancelled = visit(datetime(2026, 11, 1, 10), 1, status="cancelled")
    assert plan(ALL, [cancelled], VANCOUVER, SMS, LONG_AGO) == []
    planned = plan(ALL, [cancelled, visit(datetime(2026, 11, 28, 10), 2)], VANCOUVER, SMS, LONG_AGO)
    assert planned[0].wall == datetime(2026, 11, 21, 10)


def test_what_was_said_is_not_said_again_but_reminders_of_a_moved_visit_are() -> None:
    before = visit(datetime(2026, 11, 28, 10))
    said = frozenset(
        (message.step, message.channel, message.infusion_id)
        for message in plan(ALL, [before], VANCOUVER, SMS, LONG_AGO)
    )
    moved = before._replace(starts=datetime(2026, 12, 5, 10), revision=1)
    again = plan(ALL, [moved], VANCOUVER, SMS, LONG_AGO, already=said)
    assert [(message.step, message.revision) for message in again] == [("pre.the_day", 1)]
    assert again[0].wall == datetime(2026, 12, 2, 10)
    assert plan(ALL, [before], VANCOUVER, SMS, LONG_AGO, already=said) == []


def test_what_was_not_yet_said_is_planned_for_the_new_time() -> None:
    moved = visit(datetime(2026, 12, 5, 10), revision=1)
    said = frozenset({("pre.what_to_expect", Channel.SMS, COURSE)})
    planned = plan(ALL, [moved], VANCOUVER, SMS, LONG_AGO, already=said)
    assert [message.step for message in planned] == [
        "pre.the_day", "post.first_hours", "post.check_in", "post.first_days", "post.two_weeks",
    ]  # fmt: skip


def test_an_unknown_zone_is_refused_for_patient_and_for_visit() -> None:
    with pytest.raises(BadInput, match="America/Vancouver"):
        plan(ALL, [visit(datetime(2026, 11, 28, 10))], "America/Vancuver", SMS, LONG_AGO)
    with pytest.raises(BadInput, match="America/Vancouver"):
        plan(ALL, [visit(datetime(2026, 11, 28, 10), zone="America/Vancuver")], VANCOUVER, SMS, LONG_AGO)


def test_a_request_for_consent_waits_for_the_morning_and_an_answer_does_not() -> None:
    midnight = datetime(2026, 12, 1, 7, tzinfo=UTC)
    assert at_once(ASK, Channel.SMS, VANCOUVER, midnight).wall == datetime(2026, 12, 1, 8)
    assert at_once(HELP, Channel.SMS, VANCOUVER, midnight).due_at == midnight


@given(
    starts=st.datetimes(datetime(2020, 1, 15), datetime(2035, 6, 1)),
    home=st.sampled_from(sorted(zone_names())),
    ahead=st.integers(0, 200),
)
@settings(max_examples=100, deadline=None)
def test_no_day_hears_the_same_twice_and_what_is_late_is_of_use(starts: datetime, home: str, ahead: int) -> None:
    now = starts.replace(tzinfo=UTC) - timedelta(hours=ahead)
    sequence = Sequence("short", "", (LATE_EXPECT, LATE_DAY, TOMORROW))
    going = [one for one in plan(sequence, [visit(starts, zone=home)], home, SMS, now) if not one.reason]
    days = {one.step: one.wall.date() for one in going}
    assert "pre.the_day" not in days or list(days.values()).count(days["pre.the_day"]) == 1
    for one in going:
        assert wall_at(one.due_at, home) == one.wall
        assert QuietHours().open_at(one.due_at, home)
        assert now <= one.due_at <= one.useful_until - (LATE_USE if one.late else timedelta(0))


@given(
    starts=st.datetimes(datetime(2020, 1, 15), datetime(2035, 6, 1)),
    clinic=st.sampled_from(sorted(zone_names())),
    home=st.sampled_from(sorted(zone_names())),
    ahead=st.integers(-400, 3000),
    spacing=st.integers(12, 400),
)
@settings(max_examples=150, deadline=None)
def test_every_plan_is_repeatable_true_to_the_wall_and_never_in_quiet_hours(
    starts: datetime, clinic: str, home: str, ahead: int, spacing: int
) -> None:
    starts = starts.replace(second=0, microsecond=0)
    visits = [visit(starts, 1, zone=clinic), visit(starts + timedelta(hours=spacing), 2, zone=clinic)]
    now = starts.replace(tzinfo=UTC) - timedelta(hours=ahead)
    planned = plan(ALL, visits, home, SMS, now)
    assert planned == plan(ALL, list(reversed(visits)), home, SMS, now)
    keys = [(message.step, message.channel, message.infusion_id, message.revision) for message in planned]
    assert len(keys) == len(set(keys)) == 2 * 4 + 2
    for message in planned:
        assert wall_at(message.due_at, home) == message.wall
        assert (message.reason is None) == (message.status is Status.SCHEDULED)
        if message.status is Status.SCHEDULED:
            assert now <= message.due_at < message.useful_until
            assert QuietHours().open_at(message.due_at, home)
            assert time(8) <= message.wall.time() < time(21)


def test_what_one_channel_has_told_before_a_move_is_told_late_on_the_other_alone() -> None:
    moved = visit(datetime(2026, 11, 28, 15), revision=1)
    told = frozenset({("pre.the_day", Channel.SMS, moved.id)})
    now = datetime(2026, 11, 27, 20, tzinfo=UTC)
    found = plan(Sequence("one", "", (LATE_DAY,)), [moved], VANCOUVER, frozenset(Channel), now, already=told)
    assert {one.channel: (one.status, one.late) for one in found} == {
        Channel.SMS: (Status.EXPIRED, False), Channel.EMAIL: (Status.SCHEDULED, True),
    }  # fmt: skip


def test_booked_are_the_starts_to_come_as_instants_in_order_and_none_that_is_cancelled() -> None:
    day = datetime(2026, 9, 21)
    states = (
        (9, VANCOUVER, "booked"), (10, "Europe/Berlin", "booked"), (11, VANCOUVER, "cancelled"), (12, "UTC", "done"),
    )  # fmt: skip
    visits = Visits(visit(day.replace(hour=hour), n, zone, status=one) for n, (hour, zone, one) in enumerate(states))
    assert visits.booked == [day.replace(hour=8, tzinfo=UTC), day.replace(hour=16, tzinfo=UTC)]
