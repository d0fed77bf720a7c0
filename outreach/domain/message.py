"""A message as a value: what is planned, what is handed over, what came back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from outreach.domain.channel import Channel
from outreach.domain.status import Status
from outreach.errors import Reason


class Planned(NamedTuple):
    """One message of the future, as planned; `status` is SCHEDULED, EXPIRED or SUPPRESSED (with a reason).

    `wall` is naive local time in `zone`; `due_at` and `useful_until` are aware UTC instants, derived by `tz_version`.
    `infusion_id` is None for steps once per course (or per address). `late`: its time is past, it goes soon.
    """

    step: str
    channel: Channel
    wall: datetime
    zone: str
    tz_version: str
    due_at: datetime
    useful_until: datetime
    rule: str
    status: Status = Status.SCHEDULED
    reason: Reason | None = None
    infusion_id: UUID | None = None
    course_id: UUID | None = None
    revision: int = 0
    late: bool = False


class Content(NamedTuple):
    """Words ready to be carried. SMS: `text` only. E-mail: `subject`, `text`, `html`, perhaps a `calendar` (an ICS)."""

    locale: str
    text: str
    subject: str = ""
    html: str = ""
    calendar: bytes | None = None
    calendar_method: str = "PUBLISH"
    segments: int = 0
    encoding: str = ""


def text_hash(text: str) -> bytes:
    """What we know a text by when a carrier lists what it has. 32 bytes."""
    return hashlib.sha256(text.encode()).digest()


class Parcel(NamedTuple):
    """What a carrier gets: addresses, words, and our attempt id that must travel with them."""

    attempt_id: UUID
    channel: Channel
    sender: str
    sender_name: str
    to: str
    content: Content
    status_callback: str = ""
    unsubscribe_url: str = ""
    message_domain: str = "localhost"
    valid_seconds: int = 14400


class Accepted(NamedTuple):
    """The carrier took it; its own id, and the first status in our words."""

    carrier_id: str
    status: Status = Status.ACCEPTED


class Receipt(NamedTuple):
    """News of an attempt from a carrier, in our words. `word` is the carrier's own, kept and de-duplicated by."""

    carrier_id: str
    word: str
    status: Status | None
    attempt_id: UUID | None = None
    reason: Reason | None = None
    code: str = ""


@dataclass(frozen=True)
class Inbound:
    """A message a patient sent us. Addresses in E.164, or a short code or name. `media`: pictures that came along."""

    carrier_id: str
    channel: Channel
    sender: str
    to: str
    body: str
    opt_out_type: str = ""
    service: str = ""
    media: int = 0


@dataclass(frozen=True)
class Found:
    """A message as the carrier lists it; used to learn the fate of an unknown one."""

    carrier_id: str
    to: str
    sender: str
    body: str
    status: Status | None
    created_at: datetime | None = None
    reason: Reason | None = None
    extra: dict[str, str] = field(default_factory=dict)
