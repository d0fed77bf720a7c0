"""Wall time, zones and quiet hours: how a clock on the patient's wall becomes an instant, and back.

The rule for the two strange hours of the year, written once and kept everywhere:

    gap      a wall time that the clock skips moves forward by the length of the gap (02:30 becomes 03:30)
    overlap  a wall time that comes twice means its first occurrence

Zone data come from the PyPI package `tzdata`, never from the machine: a zone file a year old sends at the wrong hour.
"""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from typing import NamedTuple

import tzdata  # type: ignore[import-untyped]

from outreach.errors import BadInput

# With an empty search path zoneinfo reads only the tzdata package; zones cached before this line are dropped.
zoneinfo.reset_tzpath(to=())
zoneinfo.ZoneInfo.clear_cache()


def tz_version() -> str:
    """The IANA release that plans are made with, such as "2026c"; kept on each plan."""
    return str(tzdata.IANA_VERSION)


@cache
def zone_names() -> frozenset[str]:
    """Every zone name that can be used."""
    return frozenset(zoneinfo.available_timezones())


@cache
def zone(name: str) -> zoneinfo.ZoneInfo:
    """The zone of this IANA name; BadInput with the nearest name when there is none."""
    if name not in zone_names():
        raise BadInput(f'"{name}" is not a time zone. {_zone_remedy(name)}')
    return zoneinfo.ZoneInfo(name)


def _zone_remedy(name: str) -> str:
    wanted = name.strip().replace(" ", "_").casefold()
    known = {each.casefold(): each for each in sorted(zone_names())}
    cities = {each.rpartition("/")[2].casefold(): each for each in sorted(zone_names()) if "/" in each}
    exact = known.get(wanted) or cities.get(wanted)
    near = [exact] if exact else [known[each] for each in get_close_matches(wanted, known, n=1, cutoff=0.75)]
    if not near:
        near = [cities[each] for each in get_close_matches(wanted, cities, n=1, cutoff=0.8)]
    return f"Did you mean {near[0]}?" if near else "Write an IANA name such as America/Vancouver."


class Moment(NamedTuple):
    """A wall time made real: the instant (UTC), the wall time it shows, and what had to be done ("" or a note)."""

    at: datetime
    wall: datetime
    note: str = ""


def moment(wall: datetime, name: str) -> Moment:
    """The instant of a naive wall time in the zone `name`, by the rule at the top of this module."""
    where = zone(name)
    # fold=0 takes the offset before the change: in a gap that lands `gap` later on the new clock, in an overlap it is
    # the first of the two. Both halves of the rule are this one line.
    local = wall.replace(tzinfo=where, fold=0)
    at = local.astimezone(UTC)
    change = _offset(local.replace(fold=1)) - _offset(local)
    if change > timedelta(0):
        return Moment(at, wall_at(at, name), f"gap: moved forward {_clock(change)}")
    return Moment(at, wall, "overlap: first of the two" if change < timedelta(0) else "")


def wall_at(at: datetime, name: str) -> datetime:
    """The naive wall time that a clock in the zone shows at an aware instant."""
    return at.astimezone(zone(name)).replace(tzinfo=None, fold=0)


def _offset(local: datetime) -> timedelta:
    return local.utcoffset() or timedelta(0)


def _clock(length: timedelta) -> str:
    hours, minutes = divmod(int(length.total_seconds()) // 60, 60)
    return f"{hours}:{minutes:02}"


@dataclass(frozen=True)
class QuietHours:
    """When patients may be written to, on their own clock: from `opens` up to, not including, `closes`.

    `closes` of 00:00 means the end of the day; 00:00 to 00:00 is never quiet.
    """

    opens: time = time(8)
    closes: time = time(21)

    def __post_init__(self) -> None:
        if self.closes != time(0) and self.closes <= self.opens:
            raise BadInput(f"quiet hours: opening {self.opens:%H:%M} must come before closing {self.closes:%H:%M}.")

    @classmethod
    def outside(cls, quiet_from: time, quiet_to: time) -> QuietHours:
        """The hours between what a clinic and a law write down: quiet from the evening to the morning. BadInput where
        the two do not go together."""
        return cls(opens=quiet_to, closes=quiet_from)

    def open_at(self, at: datetime, name: str) -> bool:
        """May a message go at this instant to someone living in the zone?"""
        return self._open(wall_at(at, name))

    def _open(self, wall: datetime) -> bool:
        clock = wall.time()
        return self.opens <= clock and (self.closes == time(0) or clock < self.closes)

    def next_open(self, at: datetime, name: str) -> datetime:
        """The same instant when it is open, else the first open one after it (UTC)."""
        wall = wall_at(at, name)
        if self._open(wall):
            return at.astimezone(UTC)
        day, candidate = wall.date(), at
        while not self.open_at(candidate, name) or candidate < at:
            candidate = self._opening(datetime.combine(day, self.opens), name, at)
            day += timedelta(days=1)
        return candidate.astimezone(UTC)

    def _opening(self, wall: datetime, name: str, after: datetime) -> datetime:
        first = moment(wall, name).at
        second = wall.replace(tzinfo=zone(name), fold=1).astimezone(UTC)
        return second if first < after <= second else first
