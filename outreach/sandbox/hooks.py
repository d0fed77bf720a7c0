"""The sandbox's calls to us: status callbacks and inbound messages, signed as Twilio signs them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any
from xml.etree import ElementTree

import aiohttp
from twilio.request_validator import RequestValidator

from outreach.sandbox.book import Book, Message, inbound, now, outbound
from outreach.sandbox.script import Behaviour, Part

CONNECTIONS = 64
INBOUND_PATIENCE = 120.0  # seconds that an inbound message waits for our web process to be up
STOP_WORDS = {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
START_WORDS = {"start", "yes", "unstop"}


class Hooks:
    """One per sandbox; `open` inside the event loop, `close` before it ends."""

    def __init__(self, book: Book, account_sid: str, auth_token: str, inbound_url: str) -> None:
        self._book = book
        self._account = account_sid
        self._signer: Any = RequestValidator(auth_token)  # Twilio's own code signs, ours verifies
        self._inbound_url = inbound_url
        self._session: aiohttp.ClientSession | None = None
        self._running: set[asyncio.Task[None]] = set()
        self.behaviour = Behaviour()

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=30),
            timeout=aiohttp.ClientTimeout(total=15, connect=None, sock_connect=5),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    @property
    def busy(self) -> int:
        """Callbacks and inbound messages still to be delivered."""
        return len(self._running)

    def follow(self, message: Message, part: Part) -> None:
        """Let the message live through the statuses of its part, telling us each."""
        self._start(self._live(message, part))

    def receive(self, phone: str, to: str, body: str) -> Message:
        """The patient writes: kept, and posted to our inbound hook until it answers."""
        message = self._book.add(inbound(phone, to, body))
        word = body.strip().lower()
        if self.behaviour.stops and word in STOP_WORDS:
            self._book.stopped.add((phone, to))
        elif self.behaviour.stops and word in START_WORDS:
            self._book.stopped.discard((phone, to))
        self._start(self._tell(message))
        return message

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _live(self, message: Message, part: Part) -> None:
        words = (("queued", *part.words) if message.service else part.words) if part.words else ()
        news = [(word, part.error if word == part.words[-1] else None) for word in words]
        if self.behaviour.out_of_order:
            for word, error in news:  # what is true moves in order; only the telling does not
                self._book.move(message, word, error)
            news.reverse()
        for word, error in news:
            await asyncio.sleep(self.behaviour.callback_delay)
            if message.status == "canceled":
                return
            if not self.behaviour.out_of_order:
                self._book.move(message, word, error)
            for _ in range(0 if part.silent else 2 if self.behaviour.duplicates else 1):
                await self._call_back(message, word, error)

    async def _call_back(self, message: Message, word: str, error: int | None) -> None:
        if not message.callback:
            return
        fields = {
            **_sides(message, self._account),
            "MessageStatus": word,
            "SmsStatus": word,
            **({"ErrorCode": str(error)} if error else {}),
            **({"RawDlrDoneDate": now().strftime("%y%m%d%H%M")} if word in {"delivered", "undelivered"} else {}),
        }
        for _ in range(2):  # Twilio: one more try, on a failure to connect only
            with contextlib.suppress(TimeoutError, aiohttp.ClientError):
                await self._post(message.callback, fields)
                return
            await asyncio.sleep(min(self.behaviour.callback_delay, 1.0))

    async def _tell(self, message: Message) -> None:
        fields = {
            **_sides(message, self._account),
            "Body": message.body,
            "NumMedia": "0",
            "NumSegments": str(message.segments),
            "SmsMessageSid": message.sid,
            "SmsStatus": "received",
        }
        wait, patience = 0.2, INBOUND_PATIENCE
        while patience > 0 and self._inbound_url:
            try:
                status, text = await self._post(self._inbound_url, fields)
            except (TimeoutError, aiohttp.ClientError):
                status, text = 0, ""
            if status and status < 500:
                self._answered(message, status, text)
                return
            await asyncio.sleep(wait)
            patience, wait = patience - wait, min(wait * 2, 5.0)
        message.hook = "nobody answered"
        self._book.revision += 1

    def _answered(self, message: Message, status: int, text: str) -> None:
        message.hook = "answered" if status < 300 else f"refused with {status}"
        self._book.revision += 1
        for words in _replies(text):
            reply = self._book.add(outbound(message.phone, message.to, "", words, ""))
            reply.direction = "outbound-reply"
            self.follow(reply, Part())

    async def _post(self, url: str, fields: dict[str, str]) -> tuple[int, str]:
        if self._session is None:
            raise RuntimeError("Hooks.open was not awaited")
        headers = {
            "X-Twilio-Signature": self._signer.compute_signature(url.partition("#")[0], fields),
            "User-Agent": "TwilioProxy/1.1",
        }
        async with self._session.post(url, data=fields, headers=headers, allow_redirects=False) as answer:
            return answer.status, await answer.text(errors="replace")


def _sides(message: Message, account: str) -> dict[str, str]:
    return {
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "AccountSid": account,
        "ApiVersion": "2010-04-01",
        "From": message.sender or message.service or "",
        "To": message.to,
        **({"MessagingServiceSid": message.service} if message.service else {}),
    }


def _replies(text: str) -> list[str]:
    """The messages of a TwiML answer; none for anything else."""
    if "<Message" not in text or "<!" in text:
        return []
    try:
        found = ElementTree.fromstring(text).iter("Message")
        return [words for one in found if (words := "".join(one.itertext()).strip())]
    except ElementTree.ParseError:
        return []
