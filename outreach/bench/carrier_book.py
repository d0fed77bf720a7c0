"""What the stand-in has taken: counted by attempt id, kept by receiver, shown as Twilio shows messages."""

from __future__ import annotations

import json
import secrets
import time
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote_to_bytes

from outreach.bench.carrier_settings import CallbackSettings

_SHOWN = (
    '{"account_sid": "%s", "api_version": "2010-04-01", "body": %s, "date_created": "%s", "date_sent": null, '
    '"date_updated": "%s", "direction": "outbound-api", "error_code": null, "error_message": null, "from": %s, '
    '"messaging_service_sid": %s, "num_media": "0", "num_segments": "1", "price": null, "price_unit": "USD", '
    '"sid": "%s", "status": "%s", "subresource_uris": {"media": '
    '"/2010-04-01/Accounts/%s/Messages/%s/Media.json"}, "to": %s, '
    '"uri": "/2010-04-01/Accounts/%s/Messages/%s.json"}'
)


def read_form(body: bytes) -> dict[bytes, bytes]:
    """Names and still encoded values: only what is used is decoded."""
    return dict(pair.split(b"=", 1) for pair in body.split(b"&") if b"=" in pair)


def _text(value: bytes | None) -> str:
    return unquote_to_bytes(value.replace(b"+", b" ")).decode("utf-8", "replace") if value else ""


class Taken:
    """One message the carrier took. `words` are the statuses it lives through, `every` seconds apart."""

    __slots__ = ("account", "at", "attempt", "body", "callback", "every", "listed_from", "sender", "sid", "to", "words")

    def __init__(self, form: dict[bytes, bytes], account: bytes, number: int, lag: float) -> None:
        self.sid = f"SM{number:032x}"
        self.account = account.decode()
        self.at = time.time()
        self.listed_from = self.at + lag
        self.to = _text(form.get(b"To"))
        self.sender = _text(form.get(b"From") or form.get(b"MessagingServiceSid"))
        self.body = form.get(b"Body", b"")
        self.callback = _text(form.get(b"StatusCallback"))
        self.attempt = self.callback.partition("#")[0].partition("?")[0].rpartition("/")[2]
        self.words: tuple[str, ...] = ()
        self.every = 0.0

    @property
    def first(self) -> str:
        return "accepted" if self.sender.startswith("MG") else "queued"

    def status(self, now: float) -> str:
        """What is true at the carrier now, whatever it has told us."""
        if not self.words:
            return "sent"
        steps = min(int((now - self.at) / self.every), len(self.words)) if self.every > 0 else len(self.words)
        return self.words[steps - 1] if steps else self.first

    def created(self) -> bytes:
        """The body of the 201."""
        return self._json(self.first).encode()

    def shown(self, now: float) -> dict[str, Any]:
        """As the list shows it."""
        return {**json.loads(self._json(self.status(now))), "date_sent": _date(int(self.at))}

    def _json(self, status: str) -> str:
        service = self.sender.startswith("MG")
        sender, created = json.dumps(self.sender), _date(int(self.at))
        return _SHOWN % (
            self.account, json.dumps(_text(self.body)), created, created, "null" if service else sender,
            sender if service else "null", self.sid, status, self.account, self.sid, json.dumps(self.to),
            self.account, self.sid,
        )  # fmt: skip


class Book:
    """All that was taken. `keep=False`: counts only, for runs of millions."""

    def __init__(self, keep: bool) -> None:
        self._keep = keep
        self._first = secrets.randbits(64) << 64  # another process, or the same after a reset, never repeats an id
        self._given = 0
        self.clear()

    def clear(self) -> None:
        self.taken = 0
        self.attempts: set[str] = set()
        self.order: list[tuple[str, float]] = []
        self._by_receiver: dict[str, list[Taken]] = {}

    def take(self, form: dict[bytes, bytes], account: bytes, lag: float, callbacks: CallbackSettings | None) -> Taken:
        self.taken += 1
        self._given += 1
        taken = Taken(form, account, self._first + self._given, lag)
        if callbacks is not None:
            taken.words, taken.every = callbacks.words, callbacks.delay_ms / 1000
        self.attempts.add(taken.attempt)
        if self._keep:
            self.order.append((taken.attempt, taken.at))
            self._by_receiver.setdefault(taken.to, []).append(taken)
        return taken

    def listed(self, query: dict[str, str]) -> dict[str, Any]:
        """Twilio's list: newest first, filtered by To, From and the day it was sent; one page."""
        now, size = time.time(), min(int(query.get("PageSize", 50)), 1000)
        found = []
        for one in reversed(self._by_receiver.get(query.get("To", ""), [])):
            day = datetime.fromtimestamp(one.at, UTC).date().isoformat()
            if one.listed_from <= now and query.get("From", one.sender) == one.sender and _on(day, query):
                found.append(one.shown(now))
        return {"messages": found[:size], "page": 0, "page_size": size, "next_page_uri": None}


def _on(day: str, query: dict[str, str]) -> bool:
    """Days as ISO text; the client may write a whole instant, of which Twilio reads the day."""
    return (
        query.get("DateSent>", day)[:10] <= day <= query.get("DateSent<", day)[:10]
        and query.get("DateSent", day)[:10] == day
    )


_dates: dict[int, str] = {}


def _date(second: int) -> str:
    """RFC 2822 as Twilio writes it; formatting is dearer than all the rest, so once a second."""
    if second not in _dates:
        _dates.clear()
        _dates[second] = formatdate(second).replace("-0000", "+0000")
    return _dates[second]
