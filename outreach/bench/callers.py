"""Calls a web hook as a carrier does: signed forms over kept connections, as fast as they are answered."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlencode
from uuid import UUID

import uvloop

from outreach.bench.plan import Wrong
from outreach.errors import OutreachError
from outreach.providers.twilio_signature import sign

CONNECTIONS = 64
PATH = "/hooks/twilio/status/"


def requests(
    attempts: Iterable[UUID], word: str, account: str, token: str, public_url: str, port: int
) -> Iterator[bytes]:
    """One signed status callback for each attempt, as bytes on the wire; nine fields, as Twilio sends them."""
    for attempt in attempts:
        path = f"{PATH}{attempt}"
        carrier_id = "SM" + attempt.hex
        fields = {
            "AccountSid": account, "ApiVersion": "2010-04-01", "From": "+13125550100", "MessageSid": carrier_id,
            "MessageStatus": word, "RawDlrDoneDate": "2611221600", "SmsSid": carrier_id, "SmsStatus": word,
            "To": "+13125550199",
        }  # fmt: skip
        body = urlencode(fields).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"X-Twilio-Signature: {sign(token, public_url + path, fields.items())}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


def call(port: int, made: Sequence[bytes], connections: int = CONNECTIONS) -> float:
    """Send all of them; returns wall seconds. Wrong: one was not answered 204."""
    begun = time.perf_counter()
    uvloop.run(_call(port, made, connections))
    return time.perf_counter() - begun


async def _call(port: int, made: Sequence[bytes], connections: int) -> None:
    todo = iter(made)

    async def lane() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for one in todo:
            writer.write(one)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 204"):
                raise Wrong(f"receipts: the hook answered {head[9:12].decode('latin-1')}")
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(lane() for _ in range(connections)))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_port(port: int, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise OutreachError(f"nothing answers on port {port}; its words stand above") from None
            time.sleep(0.05)
        else:
            return
