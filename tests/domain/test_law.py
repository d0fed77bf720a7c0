"""A profile of the law as arithmetic: the day of the switch, working days, what is laxer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest

from outreach.domain.law import Law

US = Law(
    code="us", name="United States", quiet_from=time(21), quiet_to=time(8), most_a_day=1, most_a_week=3, hint_days=30,
    stop_business_days=10, confirm_minutes=5, revoke_all_from=date(2027, 1, 31), join_from=("US",), sources={},
)  # fmt: skip


@pytest.mark.parametrize(
    ("today", "ends"), [(date(2027, 1, 30), False), (date(2027, 1, 31), True), (date(2030, 1, 1), True)]
)
def test_from_its_day_on_one_stop_ends_every_channel(today: date, ends: bool) -> None:
    assert US.ends_every_channel(today) is ends
    assert not replace(US, revoke_all_from=None).ends_every_channel(today)


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        (date(2026, 11, 20), datetime(2026, 12, 5, 6, tzinfo=UTC)),  # Friday: the second Friday after, its end
        (date(2026, 11, 21), datetime(2026, 12, 5, 6, tzinfo=UTC)),  # Saturday
        (date(2026, 11, 23), datetime(2026, 12, 8, 6, tzinfo=UTC)),
        (date(2027, 3, 8), datetime(2027, 3, 23, 5, tzinfo=UTC)),  # over the change of the clocks
    ],
)
def test_a_request_is_due_at_the_end_of_the_last_working_day(asked: date, due: datetime) -> None:
    assert US.stop_due(asked, "America/Chicago") == due


@pytest.mark.parametrize(
    ("own", "laxer"),
    [
        ((time(21), time(8), 1, 3), ()),
        ((time(20), time(9), 1, 2), ()),
        ((time(22), time(7, 59), 2, 4), ("quiet_to", "quiet_from", "most_a_day", "most_a_week")),
        ((time(0), time(0), 1, 3), ("quiet_to", "quiet_from")),
    ],
)
def test_what_a_clinic_allows_beyond_the_profile_is_named(
    own: tuple[time, time, int, int], laxer: tuple[str, ...]
) -> None:
    assert US.laxer(*own) == laxer
