"""So many lines of a long list at a time: which ones stand on the page, and what the others are, by kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from outreach.domain.channel import Channel
from outreach.errors import Reason
from outreach.store.seen import Seen

SHOWN = 24
"""Messages on one page of a preview, each with its words: all that one visit brings on two channels, and no more than
the server composes in a few milliseconds."""


@dataclass(frozen=True)
class Stretch:
    """Where the page begins in a list of so many (`all`), counted from 0."""

    first: int
    all: int

    @classmethod
    def of(cls, count: int, asked: str) -> Stretch:
        """From where the reader asked, as the form's `start` says; from the beginning for anything else."""
        first = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0
        return cls(first if first < count else 0, count)

    @property
    def after(self) -> int:
        """The first that does not stand here any more."""
        return min(self.first + SHOWN, self.all)

    @property
    def whole(self) -> bool:
        return self.after - self.first == self.all

    @property
    def earlier(self) -> int | None:
        """Where the page before begins; None: this is the first."""
        return max(0, self.first - SHOWN) if self.first else None

    @property
    def later(self) -> int | None:
        return self.after if self.after < self.all else None

    @property
    def coming(self) -> int:
        """How many the next page shows."""
        return min(SHOWN, self.all - self.after)


@dataclass(frozen=True)
class Kind:
    """Messages that are alike: of one step, and left out for one reason where they are. `days`: each with its zone, in
    order, once where a text and an e-mail go on one day."""

    step: str
    reason: Reason | None
    channels: list[Channel]
    days: list[tuple[datetime, str]]
    count: int


def by_kind(rows: Iterable[Seen]) -> list[Kind]:
    """What `rows` are, without their words; in the order in which each kind comes first."""
    groups: dict[tuple[str, Reason | None], list[Seen]] = {}
    for row in rows:
        groups.setdefault((row.step, row.reason), []).append(row)
    return [_kind(step, reason, alike) for (step, reason), alike in groups.items()]


def _kind(step: str, reason: Reason | None, alike: list[Seen]) -> Kind:
    days = {row.wall.date(): (row.due_at, row.zone) for row in reversed(alike)}
    return Kind(step, reason, sorted({row.channel for row in alike}, reverse=True), list(days.values())[::-1],
                len(alike))  # fmt: skip
