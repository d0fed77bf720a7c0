"""Three clocks compared: a table of what happens to them, and what holds whatever happens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.clockwatch import JUMP, TOLERANCE, ClockWatch
from outreach.errors import BadInput

START = datetime(2026, 12, 7, 18, tzinfo=UTC)
HOUR, DAY, ZERO = timedelta(hours=1), timedelta(days=1), timedelta(0)
LENGTHS = st.integers(-3 * 86400, 3 * 86400).map(lambda seconds: timedelta(seconds=seconds))


def watch() -> ClockWatch:
    return ClockWatch(START, 100.0, START)


@pytest.mark.parametrize(
    ("passed", "set_by", "database_set_by", "now", "jump", "word"),
    [
        pytest.param(timedelta(seconds=1), ZERO, ZERO, timedelta(seconds=1), ZERO, "", id="an ordinary second"),
        pytest.param(10 * HOUR, ZERO, ZERO, 10 * HOUR, ZERO, "", id="a machine that slept ten hours"),
        pytest.param(HOUR, -HOUR, ZERO, ZERO, -HOUR, "behind", id="set back one hour"),
        pytest.param(HOUR, DAY, ZERO, HOUR + TOLERANCE, DAY, "ahead", id="set forward one day"),
        pytest.param(HOUR, timedelta(seconds=20), ZERO, HOUR + timedelta(seconds=20), timedelta(seconds=20), "jumped",
                     id="set forward within the tolerance"),
        pytest.param(HOUR, timedelta(seconds=2), ZERO, HOUR + timedelta(seconds=2), ZERO, "", id="a small step"),
        pytest.param(HOUR, ZERO, -DAY, HOUR - DAY + TOLERANCE, ZERO, "ahead", id="the database's clock set back"),
        pytest.param(HOUR, ZERO, DAY, HOUR, ZERO, "behind", id="the database's clock set forward"),
    ],
)  # fmt: skip
def test_what_happens_to_clocks(
    passed: timedelta, set_by: timedelta, database_set_by: timedelta, now: timedelta, jump: timedelta, word: str
) -> None:
    seconds = passed.total_seconds()
    judged = watch().judge(START + passed + set_by, 100.0 + seconds, START + passed + database_set_by)
    assert (judged.now - START, judged.jump, judged.word) == (now, jump, word)
    assert judged.ahead == set_by - database_set_by
    assert judged.database_jump == database_set_by


def test_a_clock_set_forward_is_held_though_the_database_was_not_asked_again() -> None:
    judged = watch().judge(START + DAY, 160.0)
    assert judged.held
    assert judged.now == START + timedelta(seconds=60) + TOLERANCE


def test_a_machine_that_slept_wakes_at_the_right_time_before_the_database_is_asked() -> None:
    judged = watch().judge(START + 10 * HOUR, 100.0 + 36000)
    assert (judged.now, judged.word) == (START + 10 * HOUR, "")


def test_a_jump_is_told_once() -> None:
    one = watch()
    assert one.judge(START + DAY, 101.0, START + timedelta(seconds=1)).jump == DAY - timedelta(seconds=1)
    again = one.judge(START + DAY + timedelta(seconds=1), 102.0, START + timedelta(seconds=2))
    assert (again.jump, again.held) == (ZERO, True)


def test_a_wrong_clock_set_right_again_is_believed_at_once() -> None:
    one = watch()
    one.judge(START + DAY, 101.0, START + timedelta(seconds=1))
    judged = one.judge(START + timedelta(seconds=2), 102.0, START + timedelta(seconds=2))
    assert (judged.now, judged.word) == (START + timedelta(seconds=2), "jumped")


def test_a_reading_without_its_zone_is_refused() -> None:
    with pytest.raises(BadInput, match="zone"):
        watch().judge(START.replace(tzinfo=None), 101.0)


looks = st.lists(st.tuples(st.integers(0, 50_000), LENGTHS, LENGTHS, st.booleans()), min_size=1, max_size=12)


@given(looks)
def test_whatever_is_done_to_clocks_nothing_runs_ahead_of_the_database(
    looks: list[tuple[int, timedelta, timedelta, bool]],
) -> None:
    one, running, database_off = watch(), 100.0, ZERO
    for seconds, wall_off, set_to, asked in looks:
        running += seconds
        true = START + timedelta(seconds=running - 100.0)
        if asked:
            database_off = set_to
        database = true + database_off
        judged = one.judge(true + wall_off, running, database if asked else None)
        assert judged.now <= database + TOLERANCE
        assert judged.now <= true + wall_off
        assert judged.now in (true + wall_off, database + TOLERANCE)
        assert one.now(true + wall_off, lambda at=running: at) == judged.now
        assert judged.held == (wall_off - database_off > TOLERANCE)


@given(st.lists(st.integers(0, 500_000), min_size=1, max_size=12), LENGTHS)
def test_a_clock_that_nobody_sets_never_jumps_however_wrong_it_is(naps: list[int], off: timedelta) -> None:
    one = ClockWatch(START + off, 100.0, START)
    passed = ZERO
    for nap in naps:
        passed += timedelta(seconds=nap)
        judged = one.judge(START + off + passed, 100.0 + passed.total_seconds(), START + passed)
        assert (judged.jump, judged.database_jump, judged.ahead) == (ZERO, ZERO, off)


@given(st.integers(0, 100_000), LENGTHS)
def test_every_setting_of_the_clock_beyond_the_small_is_seen_with_its_size(seconds: int, by: timedelta) -> None:
    passed = timedelta(seconds=seconds)
    judged = watch().judge(START + passed + by, 100.0 + seconds, START + passed)
    assert judged.jump == (by if abs(by) > JUMP else ZERO)
