"""A short run of the real thing: workers killed and frozen, PostgreSQL and Valkey killed, while messages flow."""

from __future__ import annotations

import pytest

from outreach.chaos.disasters import Disaster, Kind
from outreach.chaos.ground import Pace
from outreach.cli.chaos import play

MESSAGES = 480
MOST_IN_DOUBT = MESSAGES // 2
"""Less than one window for all five, where the bound is one for each: a quiet machine leaves none, and one so busy that
the carrier's answers come after their second leaves a hundred."""
# A worker is frozen past its lease first: what else happens meanwhile costs no time of its own.
DISASTERS = (
    Disaster(Kind.FREEZE, "worker 1", after=2.0, down=4.5),
    Disaster(Kind.KILL, "worker 2", after=1.0, down=0.3),
    Disaster(Kind.KILL, "valkey", after=2.0, down=0.3),
    Disaster(Kind.KILL, "postgres", after=2.0, down=0.3),
    Disaster(Kind.KILL, "worker 1", after=2.0, down=0.3),
)


@pytest.mark.xdist_group("chaos")
def test_nothing_is_lost_or_doubled_when_workers_and_engines_are_killed_and_frozen() -> None:
    pace = Pace(lease=3.0, timeout=1.0, hold=1.0, recover=1.0)
    outcome = play(DISASTERS, MESSAGES, seed=3, pace=pace, durable=False)
    verdict = outcome.verdict
    assert (verdict.lost, verdict.doubled, verdict.stuck, verdict.denied) == ([], [], [], [])
    assert (verdict.unsettled, verdict.strange, verdict.unheard, verdict.disorder) == ([], [], [], [])
    assert verdict.balanced
    assert verdict.messages == MESSAGES == verdict.statuses["delivered"] + len(verdict.in_doubt)
    assert len(verdict.in_doubt) <= MOST_IN_DOUBT
    assert outcome.kills == len(DISASTERS)
