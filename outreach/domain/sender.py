"""Senders: what a clinic writes from, which of them a patient hears from, and how much each may carry now."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from outreach.domain.channel import Channel


@dataclass(frozen=True)
class Sender:
    """`per_second`: segments (SMS) or mails it carries, None without a limit; `burst`: how many of them at once.

    `free_at` is the instant at which everything it was given so far will have been carried at that pace.
    """

    id: UUID
    clinic_id: UUID
    channel: Channel
    address: str
    carrier: str
    weight: int = 1
    per_second: float | None = None
    burst: float = 1.0
    free_at: datetime | None = None

    @property
    def domain(self) -> str:
        """Of a mailbox; a number has none."""
        return self.address.rpartition("@")[2] if self.channel is Channel.EMAIL else "localhost"


def choose(senders: Sequence[Sender], patient_id: UUID, shunned: Collection[str] = ()) -> Sender | None:
    """The sender this patient always hears from, by weighted rendezvous; carriers in `shunned` come last.

    Adding or removing one sender moves only the patients who must move. None: there is no sender.
    """
    if len(senders) == 1:
        return senders[0]
    return min(senders, key=lambda one: (one.carrier in shunned, -_score(one, patient_id), one.id.bytes), default=None)


def _score(sender: Sender, patient_id: UUID) -> float:
    draw = int.from_bytes(hashlib.blake2b(sender.id.bytes + patient_id.bytes, digest_size=7).digest())
    return -sender.weight / math.log((draw + 1) / (2**56 + 1))


@dataclass
class Meter:
    """What one sender may still be given in this claim (GCRA). A message begun is charged whole, however long."""

    sender: Sender
    now: datetime
    free_at: datetime
    used: bool = False

    @property
    def open(self) -> bool:
        """Whether one more message may go: the time already given away is within the burst."""
        rate = self.sender.per_second
        return rate is None or (self.free_at - self.now).total_seconds() * rate < self.sender.burst

    def charge(self, units: int) -> None:
        """Take `units` (segments or mails)."""
        self.used = True
        if self.sender.per_second:
            self.free_at += timedelta(seconds=units / self.sender.per_second)

    @property
    def opens_at(self) -> datetime:
        """When one more message may go."""
        if not self.sender.per_second:
            return self.now
        return max(self.now, self.free_at - timedelta(seconds=self.sender.burst / self.sender.per_second))
