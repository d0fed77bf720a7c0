"""When a breaker trips, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from outreach.domain.brakes import Scope, Trip, trips
from outreach.errors import Reason

NOW = datetime(2026, 12, 1, 18, tzinfo=UTC)
ZONE = "America/Chicago"


@pytest.mark.parametrize(("rested", "rest"), [(0, 1), (1, 2), (2, 4), (4, 8), (8, 15), (15, 15), (0.2, 1)])
def test_a_carrier_that_does_not_answer_is_left_alone_twice_as_long_each_time(rested: float, rest: float) -> None:
    trip = trips(Reason.NO_ANSWER, 10, ZONE, NOW, timedelta(minutes=rested))
    assert trip == Trip(Scope.SENDER, True, NOW + timedelta(minutes=rest))


def test_nine_without_an_answer_are_not_ten() -> None:
    assert trips(Reason.NO_ANSWER, 9, ZONE, NOW, timedelta(minutes=15)) is None


def test_only_silence_rests_and_a_wrong_setting_waits_for_a_person() -> None:
    assert trips(Reason.CONFIGURATION, 50, ZONE, NOW, timedelta(minutes=15)) == Trip(Scope.SENDER, True)
