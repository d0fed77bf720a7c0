"""The small language of a sequence's times: `3 days before start at 10:00`, `12 hours later`, and what each means.

    when          N days|weeks before start at HH:MM · N days|weeks after [start|end] at HH:MM · same day at HH:MM
                  next day at HH:MM · N hours|minutes before|after start|end · at enrolment · when agreed, moved, ...
    useful_until  start · end of day · N minutes|hours|days|weeks later
    unless        next infusion within N hours|days · STEP on the same day

Days and weeks count on the calendar of the patient's zone; hours and minutes are real time passing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from difflib import get_close_matches

from outreach.domain.window import Moment, moment, wall_at
from outreach.errors import BadInput

TRIGGERS = {
    "at enrolment": "enrolment",
    "when agreed": "agreed",
    "when moved": "moved",
    "when cancelled": "cancelled",
    "when stopped": "stopped",
    "when restarted": "restarted",
    "when asked for help": "help",
    "when urgent": "urgent",
    "when coming": "coming",
    "when a change is wanted": "change",
    "when a call is wanted": "call",
    "when side effects are gone": "gone",
    "when side effects stay": "still",
    "when something else is written": "other",
    "when staff write": "staff",
    "when nobody took it": "escalated",
}
WHEN_FORMS = (
    "3 days before start at 10:00",
    "3 days after at 10:00",
    "next day at 10:00",
    "same day at 07:00",
    "2 hours before start",
    "2 hours after end",
    *TRIGGERS,
)
UNTIL_FORMS = ("start", "end of day", "2 hours later", "1 day later")
UNLESS_FORMS = ("next infusion within 48 hours", "pre.the_day on the same day")

_UNITS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_NUMBER = r"(?P<number>[1-9]\d{0,2})"
_CLOCK = r"at (?P<clock>\S+)"
_CALENDAR = re.compile(rf"{_NUMBER} (?P<unit>day|week)s? (?P<side>before|after)(?: (?P<anchor>start|end))? {_CLOCK}")
_NEAR = re.compile(rf"(?P<near>next|same) day {_CLOCK}")
_ELAPSED = re.compile(rf"{_NUMBER} (?P<unit>hour|minute)s? (?P<side>before|after) (?P<anchor>start|end)")
_LATER = re.compile(rf"{_NUMBER} (?P<unit>minute|hour|day|week)s? later")
_UNLESS = re.compile(rf"next infusion within {_NUMBER} (?P<unit>hour|day)s?")
_TOLD = re.compile(r"(?P<step>[a-z_]+(?:\.[a-z_]+)*) on the same day")


@dataclass
class BadRule(BadInput):
    """A rule that cannot be read: what is wrong and what would be right."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}"


@dataclass(frozen=True)
class When:
    """A time relative to an infusion. With `at`: `offset` in calendar days, then that clock; without: time passing."""

    text: str
    anchor: str
    offset: timedelta
    at: time | None = None

    @property
    def before(self) -> bool:
        return self.anchor == "start" and self.offset <= timedelta(0)

    def moment(self, start: datetime, end: datetime, zone: str) -> Moment:
        """When this is, for someone living in `zone`; `start` and `end` are aware instants of the infusion."""
        anchor = start if self.anchor == "start" else end
        if self.at is None:
            return Moment(anchor + self.offset, wall_at(anchor + self.offset, zone))
        return moment(datetime.combine(wall_at(anchor, zone).date() + self.offset, self.at), zone)


@dataclass(frozen=True)
class Until:
    """How long a message is still worth sending: until the `start`, the `end of day`, or `later` than planned."""

    text: str
    later: timedelta | None = None
    calendar: bool = False

    def instant(self, planned: Moment, start: datetime | None, zone: str) -> datetime:
        """The first instant at which the message is useless (UTC)."""
        if self.text == "start":
            return start if start is not None else planned.at
        if self.text == "end of day":
            return moment(datetime.combine(planned.wall.date() + timedelta(days=1), time(0)), zone).at
        later = self.later or timedelta(0)
        return moment(planned.wall + later, zone).at if self.calendar else planned.at + later


def parse_clock(text: str) -> time:
    """`10:00` as a time; BadRule for anything but hours and minutes of a day."""
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", text)
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise BadRule(f'"{text}" is not a time of day.', "Write hours and minutes, 00:00 to 23:59, such as 10:00.")
    return time(int(found[1]), int(found[2]))


def parse_when(text: str) -> When | str:
    """A When, or the name of the event that triggers the step (a value of TRIGGERS)."""
    said = " ".join(text.split())
    if said in TRIGGERS:
        return TRIGGERS[said]
    if found := _CALENDAR.fullmatch(said):
        side = found["side"]
        anchor = found["anchor"] or ("start" if side == "before" else "end")
        return When(said, anchor, _signed(found), parse_clock(found["clock"]))
    if found := _NEAR.fullmatch(said):
        near = found["near"]
        days = timedelta(days=1 if near == "next" else 0)
        return When(said, "end" if near == "next" else "start", days, parse_clock(found["clock"]))
    if found := _ELAPSED.fullmatch(said):
        return When(said, found["anchor"], _signed(found))
    raise BadRule(f'"{text}" is not a time we can read.', _like(said, WHEN_FORMS))


def parse_until(text: str) -> Until:
    said = " ".join(text.split())
    if said in ("start", "end of day"):
        return Until(said)
    if found := _LATER.fullmatch(said):
        return Until(said, int(found["number"]) * _UNITS[found["unit"]], found["unit"] in ("day", "week"))
    raise BadRule(f'"{text}" is not a time we can read.', _like(said, UNTIL_FORMS))


def parse_unless(text: str) -> timedelta | str:
    """When the step is left out: how near, after the end of this infusion, the next one must start; or the step that
    tells the same, where that one goes on the same day."""
    said = " ".join(text.split())
    if found := _UNLESS.fullmatch(said):
        return int(found["number"]) * _UNITS[found["unit"]]
    if found := _TOLD.fullmatch(said):
        return found["step"]
    raise BadRule(f'"{text}" is not a condition we know.', _like(said, UNLESS_FORMS))


def _signed(found: re.Match[str]) -> timedelta:
    length = int(found["number"]) * _UNITS[found["unit"]]
    return -length if found["side"] == "before" else length


def _like(said: str, forms: tuple[str, ...]) -> str:
    near = get_close_matches(said, forms, n=1, cutoff=0.6)
    if near:
        return f'Write it like "{near[0]}".'
    return "Write it like one of: " + ", ".join(f'"{form}"' for form in forms) + "."
