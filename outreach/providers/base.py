"""The one contract of a carrier, and the table form that every carrier's words are given in."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from outreach.domain.channel import Channel
from outreach.domain.message import Accepted, Found, Parcel, Receipt
from outreach.errors import Reason


@dataclass(frozen=True)
class Treatment:
    """What an error code means to us: the reason, and whether a new attempt may succeed."""

    reason: Reason
    retry: bool = False


_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
LATE = "late"
"""Code of a Refused that is nobody's fault: it waited too long for a connection, so it was not begun."""


def ticks() -> float:
    """Seconds on a clock that goes on while the machine is suspended, as leases do; only differences mean anything."""
    return time.clock_gettime(_CLOCK)


class Provider(Protocol):
    """A carrier; `name` is the one that a sender's row gives.

    send      returns Accepted; raises Refused (surely not sent) or Uncertain (may be on its way). Called many times
              at once on one event loop. Ends within the carrier's time-out of being called, waiting for a connection
              included, and begins nothing that it could not end: a caller's lease of that length holds.
    receipt   reads one status callback (form fields as received) into our words.
    find      lists what the carrier knows of messages to `to` on `day` (UTC); empty where the carrier has no such list.
              May block: called in a thread.
    hang_up   closes the connections that belong to the running loop; the next send makes new ones.
    close     lets go of everything else. May be called twice; nothing is sent afterwards.
    """

    name: str
    channel: Channel

    async def send(self, parcel: Parcel) -> Accepted: ...

    def receipt(self, fields: Mapping[str, str]) -> Receipt: ...

    def find(self, to: str, day: date) -> Sequence[Found]: ...

    async def hang_up(self) -> None: ...

    def close(self) -> None: ...
