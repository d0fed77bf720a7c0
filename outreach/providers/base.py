"""The one contract of a carrier, and the table form that every carrier's words are given in."""

from __future__ import annotations

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


class Provider(Protocol):
    """A carrier. `send` is called from several threads at once.

    send      returns Accepted; raises Refused (surely not sent) or Uncertain (may be on its way).
    receipt   reads one status callback (form fields as received) into our words.
    find      lists what the carrier knows of messages to `to` on `day` (UTC); empty where the carrier has no such list.
    close     lets go of connections.
    """

    name: str
    channel: Channel

    def send(self, parcel: Parcel) -> Accepted: ...

    def receipt(self, fields: Mapping[str, str]) -> Receipt: ...

    def find(self, to: str, day: date) -> Sequence[Found]: ...

    def close(self) -> None: ...
