"""Preparing: the exact words of a message, sealed for its row, and the parcel that its carrier gets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from outreach.actions.compose import compose
from outreach.content.compose import Words
from outreach.domain.law import Law
from outreach.domain.message import Parcel, text_hash
from outreach.domain.sender import Sender
from outreach.domain.sequence import Sequence as Steps
from outreach.store.due import Due
from outreach.store.ids import fresh_id
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


class Handed(NamedTuple):
    """A message in the hands of a worker: its parcel, and the second (of `ticks`) by which it must have been begun."""

    due: Due
    parcel: Parcel
    sender: Sender
    begin_by: float


def prepare(
    due: Due, sender: Sender, sources: Sources, vault: Vault, warned: bool, now: datetime, begin_by: float,
    *, hint: bool = False,
) -> tuple[Handed, Going]:  # fmt: skip
    """What is handed over, and what its row remembers. BadInput: there are no such words."""
    message = due.message
    token = vault.token("message", message.id)
    # What goes to staff names the page of ours that it leads to; a patient's link is the message's own.
    page = (message.facts or {}).get("page") or f"/p/{token}"
    link, unsubscribe = f"{sources.public_url}{page}", f"{sources.public_url}/u/{token}"
    content, wording = compose(due, sources.words, sources.sequences, link, unsubscribe, warned, now,
                               hint=hint)  # fmt: skip
    attempt_id, clinic_id = fresh_id(), message.clinic_id
    assert due.to is not None  # decide() ended it otherwise
    callback = f"{sources.public_url}/hooks/twilio/status/{attempt_id}{INSIST}"
    parcel = Parcel(
        attempt_id, message.channel, sender.address, due.clinic.name, due.to, content, callback, unsubscribe,
        sender.domain, _valid_seconds(message.useful_until, now),
    )  # fmt: skip
    row = Going(
        message.id, attempt_id, sender.id, content.locale, wording,
        vault.seal(content.subject, "message.subject", clinic_id, message.id) if content.subject else None,
        vault.seal(content.text, "message.body", clinic_id, message.id), content.segments, text_hash(content.text),
    )  # fmt: skip
    return Handed(due, parcel, sender, begin_by), row


def _valid_seconds(useful_until: datetime, now: datetime) -> int:
    return int(min(max((useful_until - now).total_seconds(), 60), 14400))
