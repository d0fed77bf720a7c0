"""A carrier without a network, for unit tests: answers as scripted and remembers what it was given."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from outreach.domain.channel import Channel
from outreach.domain.message import Accepted, Found, Parcel, Receipt
from outreach.domain.status import Status
from outreach.errors import OutreachError, Reason, Uncertain

Outcome = Accepted | OutreachError


class MemoryProvider:
    """`outcomes` are given out in order, then `otherwise` for ever (None: accepted, with an id of its own).

    `parcels` holds everything handed over, `taken` what a real carrier would now be sending: the accepted, and
    the uncertain when `uncertain_is_taken`.
    """

    def __init__(
        self,
        channel: Channel = Channel.SMS,
        outcomes: Iterable[Outcome] = (),
        otherwise: Outcome | None = None,
        uncertain_is_taken: bool = True,
        name: str = "memory",
    ) -> None:
        self.name = name
        self.channel = channel
        self.parcels: list[Parcel] = []
        self.taken: list[tuple[str, Parcel]] = []
        self.closed = False
        self.hung_up = 0
        self._outcomes = list(outcomes)
        self._otherwise = otherwise
        self._uncertain_is_taken = uncertain_is_taken
        self._lock = threading.Lock()

    async def send(self, parcel: Parcel) -> Accepted:
        with self._lock:
            self.parcels.append(parcel)
            outcome = self._outcomes.pop(0) if self._outcomes else self._otherwise
            if outcome is None:
                outcome = Accepted(carrier_id=f"mem-{len(self.parcels)}")
            if isinstance(outcome, Accepted):
                self.taken.append((outcome.carrier_id, parcel))
                return outcome
            if isinstance(outcome, Uncertain) and self._uncertain_is_taken:
                self.taken.append((f"mem-{len(self.parcels)}", parcel))
            raise outcome

    def receipt(self, fields: Mapping[str, str]) -> Receipt:
        """Fields: id, status (our own words), and perhaps attempt, reason, code."""
        word = fields.get("status", "")
        return Receipt(
            carrier_id=fields.get("id", ""),
            word=word,
            status=Status(word) if word in set(Status) else None,
            attempt_id=UUID(fields["attempt"]) if fields.get("attempt") else None,
            reason=Reason(fields["reason"]) if fields.get("reason") else None,
            code=fields.get("code", ""),
        )

    def find(self, to: str, day: date) -> Sequence[Found]:
        """What was taken for `to`; the day is not kept here."""
        with self._lock:
            return [
                Found(
                    carrier_id=carrier_id,
                    to=parcel.to,
                    sender=parcel.sender,
                    body=parcel.content.text,
                    status=Status.ACCEPTED,
                )
                for carrier_id, parcel in self.taken
                if parcel.to == to
            ]

    async def hang_up(self) -> None:
        self.hung_up += 1

    def close(self) -> None:
        self.closed = True
