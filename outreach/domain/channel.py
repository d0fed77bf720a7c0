"""The channels a message can take: data, one row each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Channel(StrEnum):
    """Stored; never rename a value."""

    SMS = "sms"
    EMAIL = "email"


@dataclass(frozen=True)
class Spec:
    """What a channel needs: the template parts it is made of, and whether a person can answer in it.

    `receipts`: it tells when a message has arrived. E-mail tells at most that one came back.
    """

    parts: tuple[str, ...]
    answers: bool
    receipts: bool


SPECS: dict[Channel, Spec] = {
    Channel.SMS: Spec(parts=("sms.txt",), answers=True, receipts=True),
    Channel.EMAIL: Spec(parts=("subject.txt", "body.md"), answers=False, receipts=False),
}
