"""The time one worker goes by: its own clock, as far as the database's bears it out (domain.clockwatch)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.domain.clockwatch import ClockWatch
from outreach.providers.base import ticks

log = structlog.get_logger()

ASK_AFTER = 10.0
"""Seconds between two readings of the database's clock; between them what passed since is counted."""


class Timekeeper:
    """Called, it is the time to decide and to record by. Before the first comparison it believes the clock.

    A worker whose clock jumped a day ahead must neither send tomorrow's messages nor end today's as too late.
    `ahead`: seconds our clock may run before the database's; None: it is believed whatever it says (a rehearsal).
    """

    def __init__(
        self, clock: Callable[[], datetime], ahead: float | None, running: Callable[[], float] = ticks
    ) -> None:
        self._clock, self._ahead, self._running = clock, ahead, running
        self._watch: ClockWatch | None = None
        self._ask_at = 0.0
        self._word = ""
        self._behind: timedelta | None = None

    def __call__(self) -> datetime:
        return self._clock() if self._watch is None else self._watch.now(self._clock(), self._running)

    def shared(self) -> datetime | None:
        """The database's time where ours is too far behind it; else None, and ours is gone by alone."""
        return self() + self._behind if self._behind is not None else None

    def compare(self, session: Session) -> None:
        """Read the database's clock when it is time to; asked before each claim."""
        running = self._running()
        if self._ahead is None or running < self._ask_at:
            return
        database = session.scalars(select(func.clock_timestamp())).one()
        wall, running = self._clock(), self._running()
        if self._watch is None:
            self._watch = ClockWatch(wall, running, database, tolerance=timedelta(seconds=self._ahead))
        judged = self._watch.judge(wall, running, database)
        if judged.word and judged.word != self._word:  # when it begins, not at each look
            log.warning("clock", word=judged.word, seconds=round(judged.ahead.total_seconds(), 1))
        self._word, self._ask_at = judged.word, running + ASK_AFTER
        self._behind = -judged.ahead if judged.late else None
