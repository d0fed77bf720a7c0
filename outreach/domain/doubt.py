"""When a carrier is asked about a message that may or may not be with it, and when a person has to decide. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from outreach.domain.channel import Channel

HOLD = timedelta(minutes=3)
"""How long a message in doubt rests before the first question: a carrier's list lags by minutes."""

AGES: dict[Channel, tuple[float, ...]] = {Channel.SMS: (1.0, 2.0, 5.0, 20.0), Channel.EMAIL: (1.0,)}
"""The age of the attempt at each question, in holds: with three minutes after 3, 6, 15 and 60.

SMTP has no list to ask: after the hold, in which a late answer may still be recorded, a person decides.
"""

ASKABLE = frozenset({Channel.SMS})


def next_ask(channel: Channel, started_at: datetime, asked: int, hold: timedelta = HOLD) -> datetime | None:
    """When the next question is due, after `asked` of them; None: none is left, a person decides."""
    ages = AGES[channel]
    return started_at + hold * ages[asked] if asked < len(ages) else None


def overdue(channel: Channel, age: timedelta, asked: int, hold: timedelta) -> bool:
    """Whether a carrier that cannot be reached has used up this question: its next one, or twice its age, has come."""
    ages = AGES[channel]
    following = ages[asked + 1] if asked + 1 < len(ages) else 2 * ages[asked]
    return age >= hold * following
