"""Frequency caps: at most so many messages to one patient on one channel in any 24 hours and any seven days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True)
class Caps:
    """The most in a rolling day and a rolling week. The week's is what a patient is promised when asked to agree."""

    day: int
    week: int

    def room_at(self, sent: Sequence[datetime], now: datetime) -> datetime | None:
        """From when one more is within both caps, given when earlier ones went out (any order). None: now."""
        if len(sent) < min(self.day, self.week):
            return None
        newest = sorted(sent, reverse=True)
        waits = [newest[most - 1] + span for most, span in ((self.day, DAY), (self.week, WEEK)) if len(newest) >= most]
        return max((at for at in waits if at > now), default=None)
