"""The window of one shift: how many messages may be in flight at once, and how many a claim is worth making for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from outreach.domain.channel import Channel

REFILL = 8
"""A claim is made when this part of the window (one in so many) is free: smaller claims cost more each."""
LANDING = 3
"""It asks for the free places and this part of those in flight, who will have landed when it comes to them."""


class Slots:
    """By channel, the places of a window and who is in flight. What a claim begins takes its places at once."""

    def __init__(self, limits: Mapping[Channel, int]) -> None:
        self._limits = limits
        self.flying: Counter[Channel] = Counter()

    def free(self, channel: Channel) -> int:
        """Places that nobody holds."""
        return self._limits[channel] - self.flying[channel]

    def worth(self, channel: Channel) -> int:
        """What a claim should ask for now; 0 where too little is free. Asks for more than `free`, which is looked at
        again before each message is taken."""
        free = self.free(channel)
        return free + self.flying[channel] // LANDING if free * REFILL >= self._limits[channel] else 0

    def room(self, channels: Collection[Channel]) -> dict[Channel, int]:
        """The same by channel, where it is worth a claim."""
        return {channel: room for channel in channels if (room := self.worth(channel))}
