"""Wall time, zones, quiet hours: the written rule, over every zone and every change of the clock from 2020 to 2035."""

import subprocess
import sys
import zoneinfo
from datetime import UTC, datetime, time, timedelta
from functools import cache

import pytest
import tzdata
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.domain.window import QuietHours, moment, tz_version, wall_at, zone, zone_names
from outreach.errors import BadInput
from outreach.settings import ROOT

ZONES = sorted(zone_names())
WALLS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31)).map(
    lambda wall: wall.replace(second=0, microsecond=0)
)
zones = st.sampled_from(ZONES)


@cache
def changes(name: str) -> list[tuple[datetime, timedelta]]:
    """Every instant from 2020 to 2035 at which the zone's offset changes, and by how much; found by halving."""
    where, found = zone(name), []
    at = datetime(2020, 1, 1, tzinfo=UTC)
    while at.year < 2036:
        later = at + timedelta(days=10)
        if at.astimezone(where).utcoffset() != later.astimezone(where).utcoffset():
            low, high = at, later
            while high - low > timedelta(minutes=1):
                middle = low + timedelta(minutes=(high - low) // timedelta(minutes=2))
                same = middle.astimezone(where).utcoffset() == at.astimezone(where).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            found.append((high, high.astimezone(where).utcoffset() - low.astimezone(where).utcoffset()))
        at = later
    return found


def test_zone_data_come_from_the_package_whatever_the_machine_has() -> None:
    told = "import os; os.environ['PYTHONTZPATH'] = '/usr/share/zoneinfo'\n"
    code = told + "from outreach.domain import window\nimport zoneinfo\nprint(zoneinfo.TZPATH, window.tz_version())"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.strip() == f"() {tzdata.IANA_VERSION}"
    assert zoneinfo.TZPATH == ()
    assert tz_version() == tzdata.IANA_VERSION


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        pytest.param("America/Vancuver", "Did you mean America/Vancouver?", id="a typing error"),
        pytest.param("america/vancouver", "Did you mean America/Vancouver?", id="small letters"),
        pytest.param("New York", "Did you mean America/New_York?", id="a city"),
        pytest.param("PST", "Write an IANA name", id="an abbreviation"),
        pytest.param("", "Write an IANA name", id="nothing"),
        pytest.param("../../etc/passwd", "Write an IANA name", id="a path"),
    ],
)
def test_an_unknown_zone_is_refused_with_what_would_be_right(name: str, remedy: str) -> None:
    with pytest.raises(BadInput) as refused:
        zone(name)
    assert f'"{name}" is not a time zone' in str(refused.value)
    assert remedy in str(refused.value)


def test_vancouver_keeps_summer_time_from_november_2026() -> None:
    assert moment(datetime(2026, 12, 1, 9), "America/Vancouver").at == datetime(2026, 12, 1, 16, tzinfo=UTC)
    assert moment(datetime(2027, 1, 15, 9), "America/Vancouver").at == datetime(2027, 1, 15, 16, tzinfo=UTC)


def test_ten_oclock_in_chicago_is_another_instant_after_the_clock_changed() -> None:
    assert moment(datetime(2026, 3, 7, 10), "America/Chicago").at.hour == 16
    assert moment(datetime(2026, 3, 8, 10), "America/Chicago").at.hour == 15


def test_a_skipped_time_moves_forward_by_the_gap() -> None:
    found = moment(datetime(2027, 3, 14, 2, 30), "America/Chicago")
    assert found.wall == datetime(2027, 3, 14, 3, 30)
    assert found.note == "gap: moved forward 1:00"


def test_a_gap_of_half_an_hour_moves_by_half_an_hour() -> None:
    found = moment(datetime(2026, 10, 4, 2, 10), "Australia/Lord_Howe")
    assert found.wall == datetime(2026, 10, 4, 2, 40)
    assert found.note == "gap: moved forward 0:30"


def test_a_time_that_comes_twice_means_the_first() -> None:
    found = moment(datetime(2026, 11, 1, 1, 30), "America/Chicago")
    assert found.at == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert found.note == "overlap: first of the two"


def test_the_rule_holds_at_every_change_of_every_zone() -> None:
    checked = 0
    for name in ZONES:
        for at, by in changes(name):
            first_new = wall_at(at, name)
            if by > timedelta(0):
                inside = first_new - by / 2
                found = moment(inside, name)
                assert found.wall == inside + by, name
                assert found.note.startswith("gap"), name
            else:
                inside = first_new - by / 2
                found = moment(inside, name)
                assert found.wall == inside, name
                assert found.at < at, name
                assert found.note.startswith("overlap"), name
            checked += 1
    assert checked > 3000


@given(WALLS, zones)
@settings(max_examples=300, deadline=None)
def test_an_instant_shows_its_wall_time_again(wall: datetime, name: str) -> None:
    found = moment(wall, name)
    assert wall_at(found.at, name) == found.wall
    if not found.note.startswith("gap"):
        assert found.wall == wall


@given(WALLS, zones, st.integers(0, 22), st.integers(1, 24))
@settings(max_examples=300, deadline=None)
def test_the_next_open_moment_is_open_and_never_before(wall: datetime, name: str, opens: int, length: int) -> None:
    closes = min(opens + length, 24)
    quiet = QuietHours(time(opens), time(closes % 24))
    at = moment(wall, name).at
    found = quiet.next_open(at, name)
    assert found >= at
    assert quiet.open_at(found, name)
    assert (found == at) == quiet.open_at(at, name)
    # A window of one hour can fall into a gap and be missed for a day, never for two.
    assert found - at <= timedelta(hours=49)


@pytest.mark.parametrize(
    ("wall", "expected"),
    [
        pytest.param(datetime(2026, 12, 1, 7, 59), datetime(2026, 12, 1, 8), id="before eight"),
        pytest.param(datetime(2026, 12, 1, 8), datetime(2026, 12, 1, 8), id="at eight"),
        pytest.param(datetime(2026, 12, 1, 20, 59), datetime(2026, 12, 1, 20, 59), id="before nine"),
        pytest.param(datetime(2026, 12, 1, 21), datetime(2026, 12, 2, 8), id="at nine"),
    ],
)
def test_quiet_hours_begin_at_nine_and_end_at_eight(wall: datetime, expected: datetime) -> None:
    found = QuietHours().next_open(moment(wall, "Africa/Casablanca").at, "Africa/Casablanca")
    assert wall_at(found, "Africa/Casablanca") == expected


def test_an_opening_that_comes_twice_is_the_one_still_ahead() -> None:
    quiet = QuietHours(time(1, 30), time(21))
    second_ten_past_one = datetime(2026, 11, 1, 7, 10, tzinfo=UTC)
    assert quiet.next_open(second_ten_past_one, "America/Chicago") == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)


def test_quiet_hours_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(BadInput, match="opening 21:00 must come before closing 08:00"):
        QuietHours(time(21), time(8))
