"""The wire of a post: one kept session per event loop, a fence before the first byte, answers read up to a limit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.client_reqrep import ClientRequest, ClientResponse
from aiohttp.connector import Connection
from yarl import URL

from outreach.errors import OutreachError, Reason, Refused, Uncertain
from outreach.providers.base import LATE, ticks

# Whatever a library says about a request may hold its URL or its body.
for _name in ("aiohttp.client", "aiohttp.internal"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

MOST_BYTES = 65_536  # Twilio's answers have under 1 kB
KEEP_SECONDS = 30.0  # below the idle limits of servers and balancers (60 s): they must not close what we are using


class NotBegun(aiohttp.ClientError):
    """The fence: too late for the first byte, so none was sent."""


class _Fenced(ClientRequest):
    """A process that was frozen while it waited for a connection must not post when it wakes: its lease may be over."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._asked_at = ticks()

    async def send(self, conn: Connection) -> ClientResponse:
        connect = self._session.timeout.connect
        if connect and ticks() - self._asked_at > connect:
            raise NotBegun
        return await super().send(conn)


@dataclass(frozen=True)
class Answer:
    """`body` None: the answer was longer than MOST_BYTES, so not one of Twilio's."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None


class Wire:
    """Posts bytes to one URL. Never repeats, never follows a redirect; closed with the loop that it ran on.

    `timeout` seconds end everything; the first byte leaves within the first half of them (5 s at most), or never.
    """

    def __init__(self, headers: Mapping[str, str], timeout: float, pool: int) -> None:
        self._headers, self._pool = dict(headers), pool
        self._timeout = aiohttp.ClientTimeout(total=timeout, connect=min(5.0, timeout / 2), ceil_threshold=float("inf"))
        self._sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}

    async def post(self, url: URL, form: bytes) -> Answer:
        """The answer, whatever its status. Raises Refused when surely no byte left, else Uncertain."""
        session = self._sessions.get(asyncio.get_running_loop()) or self._open()
        try:
            async with session.post(url, data=form, allow_redirects=False) as answer:
                return Answer(answer.status, answer.headers, await _body(answer))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise classify(error) from None  # the original names the URL

    async def hang_up(self) -> None:
        """Close what belongs to the running loop."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._pool, keepalive_timeout=KEEP_SECONDS),
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=self._timeout,
            request_class=_Fenced,
        )
        self._sessions[asyncio.get_running_loop()] = session
        return session


async def _body(answer: ClientResponse) -> bytes | None:
    first = await answer.content.readany()
    if answer.content.at_eof():  # nearly always: one packet
        return first
    parts, size = [first], len(first)
    while size <= MOST_BYTES and (part := await answer.content.readany()):
        parts.append(part)
        size += len(part)
    if size <= MOST_BYTES:
        return b"".join(parts)
    answer.close()
    return None


def classify(error: Exception) -> OutreachError:
    """Refused only where surely no byte of the request left; everything else is Uncertain."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return Refused(Reason.CONFIGURATION, retry=True, code="certificate")
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):  # DNS failures are among them
        return Refused(Reason.TRANSIENT, retry=True, code="connect")
    if isinstance(error, NotBegun):
        return Refused(Reason.TRANSIENT, retry=True, code=LATE)
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return Refused(Reason.CONFIGURATION, retry=True, code="url")
    return Uncertain(type(error).__name__)
