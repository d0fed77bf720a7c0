"""Which time a pump may believe: a worker's clock never lets a message leave early, whatever is done to that clock.

Three clocks are compared. The wall clock of the worker's machine can be set to anything. CLOCK_BOOTTIME cannot be set
and goes on while the machine is suspended (CLOCK_MONOTONIC stands still then), so it says how long it really was. The
database's clock is the one that all workers share.

    wall ahead of the database    the time is cut at the database's plus TOLERANCE: nothing leaves early
    wall behind the database      the wall clock is believed, so that nothing leaves early should the database be the
                                  one that is wrong; but what the database's time forbids (night, too late) waits
    wall and BOOTTIME disagree    somebody set the clock: a jump
    both moved on alike           the machine slept: no jump, it only wakes late

Not for a rehearsal, whose clock stands in the database and is weeks ahead on purpose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from outreach.errors import BadInput

TOLERANCE = timedelta(seconds=30)
JUMP = timedelta(seconds=5)
"""Smaller steps are the work of time servers, and of readings that were not taken at quite the same moment."""

NONE = timedelta(0)


@dataclass(frozen=True)
class Judged:
    """What the clocks say. `now`: the time to work with (UTC).

    `ahead`: worker's clock minus database's, negative when behind. `jump`: by how much somebody set the worker's clock
    since the last look, `database_jump`: the database's; zero when nobody did.
    """

    now: datetime
    ahead: timedelta
    jump: timedelta = NONE
    database_jump: timedelta = NONE
    tolerance: timedelta = TOLERANCE

    @property
    def held(self) -> bool:
        """The worker's clock is too far ahead: its time was cut."""
        return self.ahead > self.tolerance

    @property
    def late(self) -> bool:
        """The worker's clock is too far behind: what it sends leaves late, and by daylight of both clocks."""
        return self.ahead < -self.tolerance

    @property
    def word(self) -> str:
        """The one word for a log or an alert; "" when all is well."""
        if self.held:
            return "ahead"
        if self.late:
            return "behind"
        return "jumped" if self.jump or self.database_jump else ""


class ClockWatch:
    """One per worker process. Remembers the last look; `judge` is asked before each claim."""

    def __init__(self, wall: datetime, running: float, database: datetime, *, tolerance: timedelta = TOLERANCE) -> None:
        """`wall`, `database`: aware; `running`: seconds of CLOCK_BOOTTIME. BadInput for a time without its zone."""
        self.tolerance = tolerance
        # Pairs in one place each: another thread sees the old one or the new one, never half of both.
        self._last = _aware(wall), running
        self._database = _aware(database), running
        self._surely = database + tolerance
        """No time up to here is cut, however little has passed since the database was asked."""

    def now(self, wall: datetime, running: Callable[[], float]) -> datetime:
        """The time to work with, and nothing else: for each message. `running` is read where it matters."""
        if wall <= self._surely:
            return wall
        return min(wall, self._expected(running()) + self.tolerance)

    def judge(self, wall: datetime, running: float, database: datetime | None = None) -> Judged:
        """Compare the clocks. Without a fresh reading the database's time is the last one plus what passed since.

        Without a fresh one for hours the two oscillators drift.
        """
        last, at = self._last
        jump = _notable(_aware(wall) - last - _seconds(running - at))
        expected, database_jump = self._expected(running), NONE
        if database is not None:
            database_jump = _notable(_aware(database) - expected)
            self._database, expected = (database, running), database
            self._surely = database + self.tolerance
        self._last = wall, running
        return Judged(min(wall, expected + self.tolerance), wall - expected, jump, database_jump, self.tolerance)

    def _expected(self, running: float) -> datetime:
        database, asked = self._database
        return database + _seconds(running - asked)


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise BadInput("a clock's reading must carry its zone.")
    return at


def _seconds(length: float) -> timedelta:
    # A BOOTTIME that goes backwards is another machine's: a process was moved while it stood still.
    return timedelta(seconds=max(0.0, length))


def _notable(difference: timedelta) -> timedelta:
    return difference if abs(difference) > JUMP else NONE
