"""The window of one shift: how many messages may be in flight at once, and how many a claim is worth making for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

from outreach.domain.channel import Channel

REFILL = 8
"""A claim is made when this part of the window (one in so many) is free: smaller claims cost more each."""

Places = Callable[[Channel], int]
"""How many messages of a channel may be begun now; asked again as others land."""


def plenty(_: Channel) -> int:
    """Places for a claim that nothing limits but what it asks for."""
    return 1 << 30


class Slots:
    """By channel, the places of a window and who is in flight. What a claim begins takes its places at once."""

    def __init__(self, limits: Mapping[Channel, int]) -> None:
        self._limits = limits
        self.flying: Counter[Channel] = Counter()
        self.in_flight = 0
        self._landed: Counter[Channel] = Counter()
        self._meanwhile: Mapping[Channel, int] = {}

    def take(self, channel: Channel) -> None:
        """One more is in flight."""
        self.flying[channel] += 1
        self.in_flight += 1

    def give_back(self, channel: Channel) -> None:
        """One has landed."""
        self.flying[channel] -= 1
        self.in_flight -= 1
        self._landed[channel] += 1

    @contextmanager
    def claiming(self) -> Iterator[None]:
        """While a claim is made: as many as land in it, the next one may expect to land in it."""
        before = self._landed.copy()
        yield
        self._meanwhile = self._landed - before

    def free(self, channel: Channel) -> int:
        """Places that nobody holds."""
        return self._limits[channel] - self.flying[channel]

    def worth(self, channel: Channel) -> int:
        """What a claim should ask for now; 0 where too little is free. It may be more than `free`, which is asked again
        before each message is taken."""
        free = self.free(channel)
        if free * REFILL < self._limits[channel]:
            return 0
        return free + min(self._meanwhile.get(channel, 0), self.flying[channel])

    def room(self, channels: Collection[Channel]) -> dict[Channel, int]:
        """The same by channel, where it is worth a claim."""
        return {channel: room for channel in channels if (room := self.worth(channel))}
