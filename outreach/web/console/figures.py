"""Figures out of tallies: the funnel, what went wrong, the course of days, each kind beside the others. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from outreach.domain.status import Status
from outreach.store.counts import OUT, Figure
from outreach.web.charts import SERIES

TROUBLE = (Status.FAILED, Status.UNDELIVERED, Status.UNKNOWN)
WEEKLY_FROM = 32
"""From so many days on a bar is a week: more bars than a month's nobody can read."""
FEW = 20
"""Of fewer no share is told: one message more or less would move it by more than five points."""
_DAY = timedelta(days=1)


class Kind(NamedTuple):
    """Messages told apart by one thing, or all. `planned`: all but cancelled ones; `sent`: a carrier took them;
    `underway`: of those, the ones without news since."""

    key: str
    planned: int
    sent: int
    delivered: int
    trouble: int
    withheld: int
    waiting: int
    underway: int
    segments: int
    answered: int

    @property
    def known(self) -> int:
        """Of those sent, how many a carrier has told the end of, or given up; the others may still arrive."""
        return self.sent - self.underway


def rate(part: int, of: int) -> float | None:
    """A share to be told; None of too few."""
    return part / of if of >= FEW else None


class Cause(NamedTuple):
    """Why messages did not arrive or were not sent."""

    status: str
    reason: str
    messages: int


@dataclass(frozen=True)
class Trend:
    """The course of days. `series`: keys of what is told apart; `bars`: (first day, values); `days` to a bar."""

    series: tuple[str, ...]
    bars: tuple[tuple[date, tuple[int, ...]], ...]
    days: int


def kind(key: str, figures: Iterable[Figure]) -> Kind:
    """Add up."""
    status: Counter[str] = Counter()
    segments = answered = 0
    for one in figures:
        status[one.status or ""] += one.messages
        segments += one.segments
        answered += one.answered
    return Kind(
        key,
        planned=status.total() - status[Status.CANCELLED],
        sent=sum(status[one] for one in OUT),
        delivered=status[Status.DELIVERED],
        trouble=sum(status[one] for one in TROUBLE),
        withheld=status[Status.SUPPRESSED] + status[Status.EXPIRED],
        waiting=status[Status.SCHEDULED] + status[Status.SENDING],
        underway=status[Status.ACCEPTED] + status[Status.SENT],
        segments=segments,
        answered=answered,
    )


def whole(figures: Sequence[Figure]) -> Kind:
    """All messages of the range."""
    return kind("", (one for one in figures if one.reason is not None))


def cancelled(figures: Sequence[Figure]) -> int:
    return sum(one.messages for one in figures if one.reason is not None and one.status == Status.CANCELLED)


def kinds(figures: Sequence[Figure], by: str) -> list[Kind]:
    """By channel, locale, step or sender; most planned first."""
    found: dict[str, list[Figure]] = {}
    for one in figures:
        key = getattr(one, by)
        if key is not None and one.day is None:
            found.setdefault(key, []).append(one)
    return sorted((kind(key, those) for key, those in found.items()), key=lambda one: (-one.planned, one.key))


def causes(figures: Sequence[Figure], statuses: Iterable[Status]) -> list[Cause]:
    """Reasons of these ends, most frequent first."""
    wanted = {status.value for status in statuses}
    found = [Cause(one.status or "", one.reason, one.messages) for one in figures
             if one.reason is not None and one.status in wanted]  # fmt: skip
    return sorted(found, key=lambda one: (-one.messages, one.status, one.reason))


def trend(figures: Sequence[Figure], by: str, first: date, last: date) -> Trend:
    """What was sent, by day or week, told apart by `by`; the rarest are added up under "…"."""
    step = 7 if (last - first).days + 1 >= WEEKLY_FROM else 1
    counts: dict[date, Counter[str]] = {}
    day = first
    while day <= last:
        counts[day] = Counter()
        day += step * _DAY
    gone = {status.value for status in OUT}
    total: Counter[str] = Counter()
    for one in figures:
        if one.day is not None and one.status in gone:
            key = str(getattr(one, by))
            counts[first + (one.day - first).days // step * step * _DAY][key] += one.messages
            total[key] += one.messages
    named = [key for key, _ in sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))]
    kept = named if len(named) <= SERIES else named[: SERIES - 1]
    rest = named[len(kept) :]
    bars = tuple(
        (day, (*(held[key] for key in kept), *([sum(held[key] for key in rest)] if rest else ())))
        for day, held in counts.items()
    )
    return Trend((*kept, *(["…"] if rest else [])), bars, step)


def untold(sent: Iterable[Kind], asked: Iterable[Kind]) -> bool:
    """Whether a share is left out of the tables because there are too few."""
    return any(0 < one.known < FEW for one in sent) or any(0 < one.sent < FEW for one in asked)


def answering(found: Iterable[Kind], asking: Mapping[str, object]) -> list[Kind]:
    """Of messages by step, those that ask something."""
    return [one for one in found if one.key in asking]
