"""Status callbacks of the stand-in: signed as Twilio signs, over kept connections, tried again, doubled, reversed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections import Counter, deque
from random import Random
from typing import Any, cast
from urllib.parse import quote_plus, urlsplit

from outreach.bench.carrier_book import Taken
from outreach.bench.carrier_settings import CallbackSettings

CONNECTIONS = 32
PATIENCE = 15.0
_running: set[asyncio.Task[None]] = set()  # the loop itself keeps only weak references


class Callbacks:
    """Plans the news of what is taken; `counts` says what became of it, `told` which were answered with 2xx."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.settings: CallbackSettings | None = None
        self.counts: Counter[str] = Counter()
        self.told: list[tuple[str, str]] = []
        self._era = 0
        self._pools: dict[tuple[str, int], Pool] = {}
        self._random = Random(1)

    def set(self, told: dict[str, Any] | None) -> None:
        """None stops calling back. TypeError names an unknown word."""
        if told:
            self.settings = CallbackSettings(**{**told, "words": tuple(told.get("words", ("sent", "delivered")))})
            self._random = Random(self.settings.seed)
        else:
            self.settings = None

    def clear(self) -> None:
        """Forget news that is not told yet."""
        self._era += 1
        self._pools.clear()
        self.counts.clear()
        self.told.clear()
        self.settings = None

    def follow(self, taken: Taken) -> None:
        """Plan the news of a message just taken."""
        settings = self.settings
        if settings is None or not taken.callback:
            return
        words = list(settings.words)
        if settings.reversed and self._random.random() < settings.reversed:
            self.counts["reversed"] += 1
            words.reverse()
        times = 1
        if settings.duplicates and self._random.random() < settings.duplicates:
            self.counts["duplicated"] += 1
            times = 2
        for place, word in enumerate(words, 1):
            for _ in range(times):
                self.counts["planned"] += 1
                news = News(taken, word, settings, self._era)
                self.loop.call_later(place * settings.delay_ms / 1000, self._tell, news)

    def failed(self, news: News, why: str) -> None:
        """Try again later, as `#rc=5&rp=all` asks, or give up."""
        self.counts[why] += 1
        if news.left > 0:
            news.left -= 1
            self.counts["retried"] += 1
            self.loop.call_later(news.settings.pause_ms / 1000, self._tell, news)
        else:
            self.counts["given_up"] += 1

    def _tell(self, news: News) -> None:
        if news.era != self._era:
            return
        where = news.origin
        if where not in self._pools:
            self._pools[where] = Pool(self, *where)
        self._pools[where].send(news)


class Pool:
    """The kept connections to one origin, and the news that waits for one."""

    def __init__(self, callbacks: Callbacks, host: str, port: int) -> None:
        self.callbacks = callbacks
        self._origin = host, port
        self._open = 0
        self._idle: list[Line] = []
        self._waiting: deque[News] = deque()

    def send(self, news: News) -> None:
        """Now if a connection is free or may be opened, else when one gets free."""
        if self._idle:
            self._idle.pop().send(news)
        elif self._open < CONNECTIONS:
            self._open += 1
            task = self.callbacks.loop.create_task(self._connect(news))
            _running.add(task)
            task.add_done_callback(_running.discard)
        else:
            self._waiting.append(news)

    def free(self, line: Line) -> None:
        """A connection has its answer and can carry the next news."""
        if self._waiting:
            line.send(self._waiting.popleft())
        else:
            self._idle.append(line)

    def lost(self, line: Line) -> None:
        if line in self._idle:
            self._idle.remove(line)
        self._less()

    def _less(self) -> None:
        self._open -= 1
        if self._waiting:
            self.send(self._waiting.popleft())

    async def _connect(self, news: News) -> None:
        try:
            async with asyncio.timeout(5):
                _, line = await self.callbacks.loop.create_connection(lambda: Line(self), *self._origin)
        except (OSError, TimeoutError):
            self.callbacks.failed(news, "unreachable")
            self._less()
            return
        line.send(news)


class News:
    """One word about one message, and how often it may still be tried."""

    __slots__ = ("era", "left", "origin", "settings", "taken", "target", "word")

    def __init__(self, taken: Taken, word: str, settings: CallbackSettings, era: int) -> None:
        self.taken, self.word, self.settings, self.era = taken, word, settings, era
        self.left = settings.retries
        asked = urlsplit(taken.callback)
        base = urlsplit(settings.url_base) if settings.url_base else asked
        self.target = (asked.path or "/") + (f"?{asked.query}" if asked.query else "")
        self.origin = base.hostname or "127.0.0.1", base.port or 80

    def request(self) -> bytes:
        """The whole POST."""
        one = self.taken
        fields = [
            ("AccountSid", one.account), ("ApiVersion", "2010-04-01"), ("From", one.sender),
            ("MessageSid", one.sid), ("MessageStatus", self.word), ("SmsSid", one.sid), ("SmsStatus", self.word),
            ("To", one.to),
        ]  # fmt: skip
        url = one.callback.partition("#")[0]
        body = "&".join(f"{name}={quote_plus(value)}" for name, value in fields).encode()
        host, port = self.origin
        return (
            f"POST {self.target} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: TwilioProxy/1.1\r\n"
            f"X-Twilio-Signature: {_sign(self.settings.token, url, fields)}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body


def _sign(token: str, url: str, fields: list[tuple[str, str]]) -> str:
    """As Twilio does; `fields` are sorted by name and each name stands once."""
    text = url + "".join(name + value for name, value in fields)
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


class Line(asyncio.Protocol):
    """One kept connection to the web side."""

    def __init__(self, pool: Pool) -> None:
        self._pool, self._callbacks = pool, pool.callbacks
        self._news: News | None = None
        self._held = b""
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self, news: News) -> None:
        self._news, self._held = news, b""
        self._timer = self._callbacks.loop.call_later(PATIENCE, self._transport.abort)
        self._transport.write(news.request())

    def data_received(self, data: bytes) -> None:
        self._held += data
        end = self._held.find(b"\r\n\r\n")
        if end < 0 or self._news is None:
            return
        head = self._held[:end].lower()
        at = head.find(b"content-length:")
        size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._held) < end + 4 + size:
            return
        news, self._news = self._news, None
        status = int(head[9:12])
        if self._timer is not None:
            self._timer.cancel()
        if 200 <= status < 300:
            self._callbacks.counts["told"] += 1
            self._callbacks.told.append((news.taken.attempt, news.word))
        else:
            self._callbacks.failed(news, f"answered_{status}")
        if b"connection: close" in head or b"chunked" in head:
            self._transport.close()
        else:
            self._pool.free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if (news := self._news) is not None:
            self._news = None
            self._callbacks.failed(news, "cut_off")
        self._pool.lost(self)
