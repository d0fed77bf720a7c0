"""The small language of times, and what a sequence knows of its steps."""

from datetime import UTC, datetime, time, timedelta

import pytest

from outreach.domain.channel import Channel
from outreach.domain.sequence import Sequence, Step
from outreach.domain.timing import BadRule, Until, When, parse_unless, parse_until, parse_when
from outreach.domain.window import moment
from outreach.errors import NotFound

START = datetime(2026, 12, 10, 18, tzinfo=UTC)
END = START + timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "wall"),
    [
        ("3 days before start at 10:00", datetime(2026, 12, 7, 10)),
        ("1 day before start at 9:30", datetime(2026, 12, 9, 9, 30)),
        ("2 weeks before start at 10:00", datetime(2026, 11, 26, 10)),
        ("same day at 07:00", datetime(2026, 12, 10, 7)),
        ("next day at 10:00", datetime(2026, 12, 11, 10)),
        ("3 days after at 10:00", datetime(2026, 12, 13, 10)),
        ("3  days after end at 10:00", datetime(2026, 12, 13, 10)),
        ("3 days after start at 10:00", datetime(2026, 12, 13, 10)),
        ("2 hours after end", datetime(2026, 12, 10, 15)),
        ("90 minutes before start", datetime(2026, 12, 10, 10, 30)),
    ],
)
def test_a_rule_means_this_time_in_chicago(text: str, wall: datetime) -> None:
    when = parse_when(text)
    assert isinstance(when, When)
    assert when.moment(START, END, "America/Chicago").wall == wall


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("at enrolment", "enrolment"),
        ("when agreed", "agreed"),
        ("when moved", "moved"),
        ("when asked for help", "help"),
    ],
)
def test_an_event_is_no_time(text: str, event: str) -> None:
    assert parse_when(text) == event


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        pytest.param("3 day befor start at 10:00", "3 days before start at 10:00", id="misspelt"),
        pytest.param("3 days before start at 25:00", "00:00 to 23:59", id="no such hour"),
        pytest.param("3 days before start at 10.00", "00:00 to 23:59", id="a point for a colon"),
        pytest.param("0 days before start at 10:00", "days before start at 10:00", id="no day at all"),
        pytest.param("at enrollment", "at enrolment", id="the other spelling"),
        pytest.param("sometime", "one of", id="nothing like it"),
        pytest.param("", "one of", id="empty"),
    ],
)
def test_a_time_we_cannot_read_is_refused_with_one_we_can(text: str, remedy: str) -> None:
    with pytest.raises(BadRule) as refused:
        parse_when(text)
    assert remedy in refused.value.remedy


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("start", START),
        ("end of day", datetime(2026, 12, 10, 6, tzinfo=UTC)),
        ("2 hours later", datetime(2026, 12, 9, 18, tzinfo=UTC)),
        ("1 day later", datetime(2026, 12, 10, 16, tzinfo=UTC)),
    ],
)
def test_usefulness_ends(text: str, until: datetime) -> None:
    planned = moment(datetime(2026, 12, 9, 10), "America/Chicago")
    assert parse_until(text).instant(planned, START, "America/Chicago") == until


def test_a_day_later_is_the_same_clock_even_when_the_clock_changes() -> None:
    planned = moment(datetime(2027, 3, 13, 10), "America/Chicago")
    assert parse_until("1 day later").instant(planned, None, "America/Chicago") - planned.at == timedelta(hours=23)
    assert parse_until("24 hours later").instant(planned, None, "America/Chicago") - planned.at == timedelta(hours=24)


def test_a_condition_is_read() -> None:
    assert parse_unless("next infusion within 48 hours") == timedelta(hours=48)
    assert parse_unless("next infusion within 2 days") == timedelta(days=2)
    with pytest.raises(BadRule, match="next infusion within 48 hours"):
        parse_unless("next infusion in 48 hours")


def step(key: str, when: When | None = None, trigger: str | None = None) -> Step:
    return Step(key, (Channel.SMS,), "message", Until("end of day"), when=when, trigger=trigger)


def test_a_sequence_tells_its_timed_steps_from_those_an_event_calls_for() -> None:
    timed = step("pre.tomorrow", when=When("next day at 10:00", "end", timedelta(days=1), time(10)))
    asked = step("consent.request", trigger="enrolment")
    helped = step("reply.help", trigger="help")
    sequence = Sequence("s", "d", (timed, asked, helped))
    assert sequence.timed == (timed,)
    assert sequence.triggered("enrolment") == (asked,)
    assert sequence.step("reply.help") == helped
    assert asked.minds_quiet_hours
    assert not helped.minds_quiet_hours
    with pytest.raises(NotFound, match=r"pre\.nothing"):
        sequence.step("pre.nothing")
