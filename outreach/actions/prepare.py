"""Preparing: the exact words of a message, sealed for its row, and the parcel that its carrier gets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from outreach.actions.compose import compose
from outreach.actions.speak import Speakers
from outreach.content.compose import Words
from outreach.content.spoken import Spoken
from outreach.domain.law import Law
from outreach.domain.message import Parcel, text_hash
from outreach.domain.sender import Sender
from outreach.domain.sequence import Sequence as Steps
from outreach.store.due import Due
from outreach.store.ids import fresh_ids
from outreach.store.queue import Going
from outreach.store.vault import Vault

INSIST = "#rc=5&rp=all"
"""Asks the carrier to call five times more where we do not answer; its default is once, and only if nobody is there."""


@dataclass(frozen=True)
class Sources:
    """What composing and addressing need: words, sequences, our public address, the carriers and laws there are."""

    words: Words
    sequences: Mapping[str, Steps]
    public_url: str
    carriers: Collection[str]
    laws: Mapping[str, Law] = field(default_factory=dict)
    speakers: Speakers = field(default_factory=Speakers)


class Handed(NamedTuple):
    """A message in the hands of a worker: its parcel, and the second (of `ticks`) by which it must have been begun."""

    due: Due
    parcel: Parcel
    sender: Sender
    begin_by: float


class Preparing:
    """Prepares the messages of one claim; what it takes to name them is made for all at once."""

    def __init__(self, sources: Sources, vault: Vault, now: datetime, begin_by: float, found: Sequence[Due]) -> None:
        self._sources, self._vault, self._now, self._begin_by = sources, vault, now, begin_by
        self._attempts = iter(fresh_ids(len(found)))
        ids = [due.message.id for due in found]
        self._tokens = dict(zip([one.int for one in ids], vault.tokens("message", ids), strict=True))
        public = sources.public_url
        self._page, self._unsubscribe = f"{public}/p/", f"{public}/u/"
        self._callback = f"{public}/hooks/twilio/status/"

    def prepare(
        self, due: Due, sender: Sender, spoken: Spoken, warned: bool, *, hint: bool = False
    ) -> tuple[Handed, Going]:
        """What is handed over, and what its row remembers. NotApproved, BadInput: there are no such words."""
        message, sources, vault, now = due.message, self._sources, self._vault, self._now
        message_id, clinic_id = message.id, message.clinic_id
        token = self._tokens[message_id.int]
        unsubscribe = self._unsubscribe + token
        # What goes to staff names the page of ours that it leads to; a patient's link is the message's own.
        page = message.facts.get("page") if message.facts else None
        link = f"{sources.public_url}{page}" if page else self._page + token
        content, wording, said_id = compose(due, spoken, sources.sequences, link, unsubscribe, warned, now, hint=hint)
        attempt_id = next(self._attempts)
        assert due.to is not None  # decide() ended it otherwise
        parcel = Parcel(
            attempt_id, message.channel, sender.address, due.clinic.name, due.to, content,
            f"{self._callback}{attempt_id!s}{INSIST}", unsubscribe, sender.domain,
            _valid_seconds(message.useful_until, now),
        )  # fmt: skip
        row = Going(
            message_id, attempt_id, sender.id, content.locale, wording,
            vault.seal(content.subject, "message.subject", clinic_id, message_id) if content.subject else None,
            vault.seal(content.text, "message.body", clinic_id, message_id), content.segments, text_hash(content.text),
            said_id,
        )  # fmt: skip
        return Handed(due, parcel, sender, self._begin_by), row


def _valid_seconds(useful_until: datetime, now: datetime) -> int:
    return int(min(max((useful_until - now).total_seconds(), 60), 14400))
