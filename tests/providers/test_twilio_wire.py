"""Faults at the wire of a post, against a real server on loopback that answers with exactly the bytes it is told."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote_plus
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.domain.channel import Channel
from outreach.domain.message import Accepted, Content, Parcel
from outreach.errors import OutreachError, Reason, Refused, Uncertain
from outreach.providers import twilio_wire
from outreach.providers.twilio import TwilioProvider, encoded, quoted
from tests.providers.handing import handed
from tests.providers.listening import listening

SID, TOKEN = "AC" + "a" * 32, "the token"
Make = Callable[..., Parcel]


def answer(status: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


CREATED = answer("201 Created", b'{"sid": "SM1", "status": "queued"}', "Content-Type: application/json")


@dataclass
class Far:
    """Answers each request with `says`; then keeps the connection, closes it, or resets it (`after`)."""

    says: bytes = CREATED
    after: str = "keep"
    asked: int = 0
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    def serve(self, one: socket.socket) -> None:
        self.connections += 1
        with one:
            while self._request(one):
                self.asked += 1
                if self.after == "silent":
                    self.over.wait(10)
                    return
                for at in range(0, len(self.says), 65_536):
                    try:
                        one.sendall(self.says[at : at + 65_536])
                    except OSError:  # hung up on us: enough is enough
                        return
                if self.after == "reset":
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if self.after != "keep":
                    break
        self.closed.set()

    def _request(self, one: socket.socket) -> bool:
        data = b""
        while b"\r\n\r\n" not in data or not data.endswith(b"."):  # our texts end so
            try:
                if not (more := one.recv(65_536)):
                    return False
            except OSError:
                return False
            data += more
        return True


@pytest.fixture
def far() -> Iterator[Far]:
    state = Far()
    with listening(state.serve) as state.port:
        yield state
        state.over.set()


def said(far: Far, parcel: Parcel, timeout: float = 5) -> Accepted | OutreachError:
    carrier = TwilioProvider(SID, TOKEN, f"http://127.0.0.1:{far.port}", timeout=timeout, pool=2)
    try:
        return handed(carrier, parcel)
    except OutreachError as error:
        return error
    finally:
        carrier.close()


HTML = b"<html><body>It works!</body></html>"
UNKNOWN = (
    ("HTML", answer("201 Created", HTML, "Content-Type: text/html")),
    ("HTML with 200", answer("200 OK", HTML)),
    ("nothing", b""),
    ("an empty body", answer("201 Created", b"")),
    ("half a body", answer("201 Created", b'{"sid": "SM1", "sta', length=600)),
    ("half a status line", b"HTTP/1.1 20"),
    ("half a header", b"HTTP/1.1 201 Created\r\nContent-Le"),
    ("no HTTP at all", b"SSH-2.0-OpenSSH_9.6\r\n"),
    ("201 without an id", answer("201 Created", b'{"status": "queued"}')),
    ("201 with an id that is none", answer("201 Created", b'{"sid": 7}')),
    ("201 with an empty id", answer("201 Created", b'{"sid": ""}')),
    ("garbage", answer("201 Created", b'{"sid": \xff\xfe')),
    ("brackets without end", answer("201 Created", b"[" * 60_000)),
    ("10 MB", answer("201 Created", b'{"sid": "SM1", "x": "' + b"x" * 10_000_000 + b'"}')),
    ("200 kB of 201 in chunks", b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n" + b"4000\r\n" * 9),
    ("moved, after it may have been taken", answer("303 See Other", b"", "Location: /elsewhere")),
    ("found, after it may have been taken", answer("302 Found", b"", "Location: /elsewhere")),
    ("a gateway that waited in vain", answer("504 Gateway Timeout", HTML)),
    ("too slow for the server", answer("408 Request Timeout", b"")),
)


@pytest.mark.parametrize("says", [row[1] for row in UNKNOWN], ids=[row[0] for row in UNKNOWN])
def test_an_answer_that_proves_nothing_is_uncertain_and_asked_once(far: Far, sms: Make, says: bytes) -> None:
    far.says, far.after = says, "close"
    assert isinstance(said(far, sms()), Uncertain)
    assert far.asked == 1, "never asked twice: that would be a second message"


def no(reason: Reason, code: str, retry: bool = True, after: float | None = None) -> Refused:
    return Refused(reason, retry, code, after)


AT_TEN, LATER = "Date: Sat, 21 Nov 2026 10:00:00 GMT", "Retry-After: Sat, 21 Nov 2026 10:00:42 GMT"
TOO_MANY = "429 Too Many Requests"
CERTAIN = (
    ("moved for good", answer("308 Permanent Redirect", b""), no(Reason.CONFIGURATION, "HTTP 308")),
    ("a proxy's no", answer("403 Forbidden", HTML), no(Reason.CONFIGURATION, "HTTP 403")),
    ("a wrong path", answer("404 Not Found", HTML), no(Reason.CONFIGURATION, "HTTP 404")),
    ("no code", answer("400 Bad Request", HTML), no(Reason.UNKNOWN_CODE, "400", retry=False)),
    ("10 MB", answer("400 Bad Request", b"x" * 10_000_000), no(Reason.UNKNOWN_CODE, "400", retry=False)),
    ("a list", answer("400 Bad Request", b"[21610]"), no(Reason.UNKNOWN_CODE, "400", retry=False)),
    ("a code in quotes", answer("400 Bad Request", b'{"code": "21614"}'), no(Reason.BAD_NUMBER, "21614", retry=False)),
    ("a code that is none", answer("400 Bad Request", b'{"code": {}}'), no(Reason.UNKNOWN_CODE, "400", retry=False)),
    ("too many", answer(TOO_MANY, b"", "Retry-After: 3"), no(Reason.TRANSIENT, "20429", after=3.0)),
    ("too many, for today", answer(TOO_MANY, b'{"code": 63038}'), no(Reason.QUOTA, "63038")),
    ("too many, until then", answer(TOO_MANY, b"", AT_TEN, LATER), no(Reason.TRANSIENT, "20429", after=42.0)),
    (
        "too many, for ever",
        answer(TOO_MANY, b"", f"Retry-After: {10**12}"),
        no(Reason.TRANSIENT, "20429", after=86_400),
    ),
    ("too many, whenever", answer(TOO_MANY, b"", "Retry-After: soon"), no(Reason.TRANSIENT, "20429")),
    ("an unknown status word", answer("201 Created", b'{"sid": "SM9", "status": "teleported"}'), Accepted("SM9")),
    ("200 instead of 201", answer("200 OK", b'{"sid": "SM9"}'), Accepted("SM9")),
)


@pytest.mark.parametrize(("says", "means"), [row[1:] for row in CERTAIN], ids=[row[0] for row in CERTAIN])
def test_a_whole_answer_is_read_as_what_it_proves(
    far: Far, sms: Make, says: bytes, means: Accepted | OutreachError
) -> None:
    far.says, far.after = says, "close"
    assert said(far, sms()) == means
    assert far.asked == 1


@pytest.mark.parametrize(
    ("says", "after"), [(b"", "reset"), (CREATED[:40], "reset"), (b"", "silent"), (b"", "close")], ids=str
)
def test_a_connection_that_breaks_after_the_post_leaves_us_uncertain(
    far: Far, sms: Make, says: bytes, after: str
) -> None:
    far.says, far.after = says, after
    assert isinstance(said(far, sms(), timeout=0.4 if after == "silent" else 5), Uncertain)
    assert far.asked == 1


def test_a_kept_connection_that_the_server_closed_is_replaced_before_a_byte_leaves(far: Far, sms: Make) -> None:
    carrier = TwilioProvider(SID, TOKEN, f"http://127.0.0.1:{far.port}", timeout=5, pool=1)
    far.after = "close"

    async def twice() -> None:
        await carrier.send(sms())
        assert await asyncio.to_thread(far.closed.wait, 5)
        for _ in range(20):  # let the loop hear of it
            await asyncio.sleep(0)
        await carrier.send(sms())
        await carrier.hang_up()

    asyncio.run(twice())
    carrier.close()
    assert (far.asked, far.connections) == (2, 2)


def test_who_waits_too_long_for_a_connection_is_not_begun(far: Far, sms: Make) -> None:
    carrier = TwilioProvider(SID, TOKEN, f"http://127.0.0.1:{far.port}", timeout=0.5, pool=1)
    far.after = "silent"

    async def both() -> list[object]:
        found = await asyncio.gather(carrier.send(sms()), carrier.send(sms()), return_exceptions=True)
        await carrier.hang_up()
        return list(found)

    first, second = asyncio.run(both())
    carrier.close()
    assert isinstance(first, Uncertain)
    assert second == Refused(Reason.TRANSIENT, retry=True, code="connect")
    assert far.asked == 1


def test_a_process_that_was_frozen_before_the_first_byte_does_not_post(
    far: Far, sms: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter((0.0, 61.0))
    monkeypatch.setattr(twilio_wire, "ticks", lambda: next(now))
    assert said(far, sms()) == Refused(Reason.TRANSIENT, retry=True, code="late")
    assert far.asked == 0


def test_connections_end_with_their_loop_and_the_next_loop_makes_its_own(far: Far, sms: Make) -> None:
    carrier = TwilioProvider(SID, TOKEN, f"http://127.0.0.1:{far.port}", timeout=5, pool=1)
    for _ in range(2):
        handed(carrier, sms())
    asyncio.run(carrier.hang_up())  # nothing to hang up: no error
    carrier.close()
    assert (far.asked, far.connections) == (2, 2)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_our_quoting_is_the_librarys(text: str) -> None:
    assert quoted(text) == quote_plus(text)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.integers(-5, 10**6))
def test_a_form_reads_back_as_it_was_written(text: str, seconds: int) -> None:
    callback = "https://clinic.example/hooks/twilio/status/one?a=b&c=ü#rc=5&rp=all"
    parcel = Parcel(
        uuid4(), Channel.SMS, "Clínica", "", "+12025550123", Content("en", text), callback,
        valid_seconds=seconds,
    )  # fmt: skip
    assert parse_qs(encoded(parcel).decode(), keep_blank_values=True) == {
        "To": ["+12025550123"],
        "From": ["Clínica"],
        "Body": [text],
        "StatusCallback": [callback],
        "ValidityPeriod": [str(min(max(seconds, 5), 36000))],
        "SmartEncoded": ["false"],
    }


def test_half_a_character_is_refused_before_anything_leaves(far: Far, sms: Make) -> None:
    assert said(far, sms(text="\ud83d.")) == Refused(Reason.CONTENT_REFUSED, code="encoding")
    assert far.asked == 0
