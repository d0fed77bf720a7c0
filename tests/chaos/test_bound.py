"""How many messages a run may leave in doubt: a bound that can be missed."""

from __future__ import annotations

from outreach.chaos.disasters import Disaster, Kind
from outreach.cli.chaos import most_in_doubt
from outreach.wiring import WINDOW


def struck(*targets: str) -> list[Disaster]:
    return [Disaster(Kind.KILL, target, 1.0, 0.3) for target in targets]


def test_only_disasters_of_workers_and_the_database_excuse_doubt() -> None:
    assert most_in_doubt(struck("web", "beat", "valkey"), 100_000, dropped=3) == 3
    assert most_in_doubt(struck("worker 1", "postgres", "web"), 100_000, dropped=3) == 2 * WINDOW + 3


def test_however_many_disasters_no_more_than_one_in_twenty_may_be_in_doubt() -> None:
    assert most_in_doubt(struck(*["worker 1"] * 50), 20_000, dropped=50) == 1000
