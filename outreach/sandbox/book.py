"""What the sandbox remembers: messages and mails, the newest so many, and how often each of our attempts arrived."""

from __future__ import annotations

import secrets
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urldefrag, urlsplit

from outreach.domain import segments

KEEP_MESSAGES = 50_000
KEEP_MAILS = 10_000


def new_sid(kind: str) -> str:
    return kind + secrets.token_hex(16)


@dataclass
class Message:
    """One SMS, as Twilio's API shows it, and what only the sandbox knows of it."""

    sid: str
    to: str
    sender: str | None
    service: str | None
    body: str
    direction: str
    status: str
    created: datetime
    updated: datetime
    sent: datetime | None = None
    error: int | None = None
    callback: str = ""
    attempt: str = ""
    segments: int = 1
    hook: str = ""  # of an inbound one: waiting, answered, or why it was given up

    @property
    def phone(self) -> str:
        """The patient's side."""
        return self.sender or "" if self.inbound else self.to

    @property
    def clinic(self) -> str:
        """The clinic's side."""
        return self.to if self.inbound else self.sender or self.service or ""

    @property
    def inbound(self) -> bool:
        return self.direction == "inbound"


@dataclass(frozen=True)
class Mail:
    """One e-mail as it arrived: what a mailbox shows, and its headers."""

    id: str
    to: str
    sender: str
    received: datetime
    subject: str
    text: str
    html: str
    calendar: str
    headers: tuple[tuple[str, str], ...]
    message_id: str
    language: str = ""

    @property
    def attempt(self) -> str:
        return self.message_id.strip("<>").partition("@")[0]


@dataclass
class Book:
    """Everything in memory; used from one event loop only, so without locks. `revision` grows with every change."""

    messages: dict[str, Message] = field(default_factory=dict)
    mails: deque[Mail] = field(default_factory=lambda: deque(maxlen=KEEP_MAILS))
    attempts: Counter[str] = field(default_factory=Counter)
    stopped: set[tuple[str, str]] = field(default_factory=set)
    revision: int = 0

    def add(self, message: Message) -> Message:
        self.messages[message.sid] = message
        while len(self.messages) > KEEP_MESSAGES:
            del self.messages[next(iter(self.messages))]
        if message.attempt:
            self.attempts[message.attempt] += 1
        self.revision += 1
        return message

    def add_mail(self, mail: Mail) -> None:
        self.mails.append(mail)
        if mail.attempt:
            self.attempts[mail.attempt] += 1
        self.revision += 1

    def move(self, message: Message, status: str, error: int | None = None) -> None:
        message.status, message.error, message.updated = status, error, now()
        if status == "sent":
            message.sent = message.updated
        self.revision += 1

    def newest(self) -> Iterator[Message]:
        return reversed(self.messages.values())

    def duplicates(self) -> dict[str, int]:
        """Our attempts that arrived more than once; a correct system leaves this empty."""
        return {attempt: count for attempt, count in self.attempts.items() if count > 1}

    def clear(self) -> None:
        self.messages.clear()
        self.mails.clear()
        self.attempts.clear()
        self.stopped.clear()
        self.revision += 1


def now() -> datetime:
    return datetime.now(UTC)


def outbound(to: str, sender: str, service: str, body: str, callback: str) -> Message:
    """A message just created through the API; its attempt is the last part of the callback's path."""
    at = now()
    return Message(
        sid=new_sid("SM"),
        to=to,
        sender=sender or None,
        service=service or None,
        body=body,
        direction="outbound-api",
        status="accepted" if service else "queued",
        created=at,
        updated=at,
        callback=urldefrag(callback).url,  # what stands behind # is for the carrier: not sent, not signed
        attempt=urlsplit(callback).path.rstrip("/").rpartition("/")[2],
        segments=segments.count(body).segments,
    )


def inbound(phone: str, to: str, body: str) -> Message:
    """A message that the patient sends to the clinic."""
    at = now()
    return Message(
        sid=new_sid("SM"),
        to=to,
        sender=phone,
        service=None,
        body=body,
        direction="inbound",
        status="received",
        created=at,
        updated=at,
        sent=at,
        segments=segments.count(body).segments,
        hook="waiting",
    )
