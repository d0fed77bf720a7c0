"""What one worker knows of the lanes: which have something due, how far each was dealt with, and whose turn is next."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.claimed import Claim
from outreach.domain.channel import Channel
from outreach.store.turns import BEGINNING, Ahead, Lane, find_lanes

FORGET = 30.0
"""Seconds after which every mark goes back to the beginning, so that a row made due in the past, or late, is found."""
LOOKING_SHARE = 20
"""Looking for lanes takes at most one part in so many of the time, however many clinics there are."""
ELSEWHERE = 0.25
SHORTEST_REST = 0.02

Wanted = list[tuple[Lane, datetime, int]]


class Lanes:
    """Memory of one drain; a new one begins knowing nothing, which is always right and only slower."""

    def __init__(self, channels: Collection[Channel], poll: float) -> None:
        self.channels = frozenset(channels)
        self.more = True
        """Whether another look may find something at once."""
        self._poll = poll
        self._marks: dict[Lane, datetime] = {}
        self.busy: dict[Lane, None] = {}
        """Lanes known to have, or perhaps to have, something due; who was served last stands last."""
        self._resting: dict[Lane, float] = {}
        self._elsewhere: dict[tuple[UUID, Lane], tuple[float, datetime]] = {}
        self._next_look = 0.0
        self._looked = self._news = False
        self._forget_at = time.monotonic() + FORGET

    def next_look(self, now: float) -> float:
        """The monotonic instant from which a claim makes sense: now while lanes are known to hold more."""
        opens = [self._resting.get(lane, now) for lane in self.busy]
        return min(opens, default=self._next_look) if self.busy else self._next_look

    def news(self) -> None:
        """Something was written down: others of the same patients, or what follows from it, may go now."""
        self.more = self._news = True

    def look(self, session: Session, now: datetime, ahead: Ahead) -> None:
        """Find lanes with something due, when it is time to."""
        begun = time.monotonic()
        self._looked = begun >= self._next_look
        if not self._looked:
            return
        self._news = False  # what is written down from now on, this look may miss
        if begun > self._forget_at:
            self._marks.clear()
            self._forget_at = begun + FORGET
        for lane in find_lanes(session, now, self.channels, self._marks, ahead):
            self.busy.setdefault(lane)
        took = time.monotonic() - begun
        self._next_look = begun + max(self._poll, took * LOOKING_SHARE)

    def share(self, room: Mapping[Channel, int]) -> Wanted:
        """So many messages of each busy lane, that the free places of its channel are shared evenly.

        Who was served goes to the end of the row (learn): with more lanes than places each has its turn.
        """
        monotonic = time.monotonic()
        self._resting = {lane: until for lane, until in self._resting.items() if until > monotonic}
        wanted: Wanted = []
        for channel, free in room.items():
            ready = [lane for lane in self.busy if lane.channel is channel and lane not in self._resting]
            ready.sort(key=lambda lane: not lane.urgent)
            for place, lane in enumerate(ready[:free]):
                part = free // len(ready) + (place < free % len(ready))
                wanted.append((lane, self._marks.get(lane, BEGINNING), part))
        return wanted

    def learn(self, found: Claim, wanted: Wanted) -> None:
        """What a committed claim showed: lanes that gave all they had are not asked until they are found again."""
        for lane, _, _ in wanted:
            self.busy.pop(lane, None)
            if lane in found.more:
                self.busy[lane] = None
        self._marks |= found.marks
        monotonic = time.monotonic()
        for lane, seconds in found.rest.items():
            self._resting[lane] = monotonic + max(seconds, SHORTEST_REST)
        over = [one for one, (until, _) in self._elsewhere.items() if until <= monotonic]
        for one in over:  # the look of this very claim still passed them by
            self._reopen(one[1], self._elsewhere.pop(one)[1])
        self._elsewhere |= {one: (monotonic + ELSEWHERE, due_at) for one, due_at in found.busy.items()}
        served = bool(found.handed or found.counts or self._elsewhere or over)
        self.more = served or self._news or not self._looked or any(lane not in self._resting for lane in self.busy)

    def waiting_patients(self) -> set[UUID]:
        """Patients of whom a message was in the air a moment ago while another was due."""
        now = time.monotonic()
        return {patient for (patient, _), (until, _) in self._elsewhere.items() if until > now}

    def _reopen(self, lane: Lane, due_at: datetime) -> None:
        """Look again from `due_at` on: while a patient had a message in the air, their next ones were out of sight."""
        mark = self._marks.get(lane)
        if mark is not None and due_at < mark:
            self._marks[lane] = due_at
