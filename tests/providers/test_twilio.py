"""The Twilio carrier: what it asks for, how it reads answers and receipts, what it never logs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import Any
from urllib.parse import parse_qs

import pytest

from outreach.domain.message import Parcel
from outreach.domain.status import Status
from outreach.errors import OutreachError, Reason, Refused, Uncertain
from outreach.providers.twilio import TwilioProvider
from outreach.providers.twilio_codes import CODES, treatment
from outreach.sandbox.running import Running
from tests.providers.handing import handed

SID, TOKEN = "AC" + "a" * 32, "the token"
CREATED = json.dumps({"sid": "SM" + "b" * 32, "status": "queued"}).encode()
Make = Callable[..., Parcel]


def to_stub(stub: Any, timeout: float = 5) -> TwilioProvider:
    return TwilioProvider(SID, TOKEN, stub.url, timeout=timeout, pool=4)


def said_of(stub: Any, parcel: Parcel, timeout: float = 5) -> OutreachError:
    carrier = to_stub(stub, timeout)
    with pytest.raises(OutreachError) as caught:
        handed(carrier, parcel)
    carrier.close()
    return caught.value


def test_the_attempt_travels_in_the_callback_and_the_words_stay_as_counted(stub: Any, sms: Make) -> None:
    stub.body = CREATED
    parcel = sms()
    handed(to_stub(stub), parcel)
    [(method, path, body)] = stub.asked
    assert (method, path) == ("POST", f"/2010-04-01/Accounts/{SID}/Messages.json")
    assert parse_qs(body) == {
        "To": ["+12025550123"],
        "From": ["+12025550100"],
        "Body": ["Your visit is tomorrow."],
        "StatusCallback": [parcel.status_callback],
        "ValidityPeriod": ["14400"],
        "SmartEncoded": ["false"],
    }


def test_a_messaging_service_is_named_as_one(stub: Any, sms: Make) -> None:
    stub.body = CREATED
    handed(to_stub(stub), sms(sender="MG" + "c" * 32))
    form = parse_qs(stub.asked[0][2])
    assert form["MessagingServiceSid"] == ["MG" + "c" * 32]
    assert "From" not in form


REFUSALS = (
    ("its usual error", 400, {"code": 21610, "message": "m", "status": 400}, (Reason.UNSUBSCRIBED_AT_CARRIER, False)),
    (
        "RFC 9457",
        400,
        {"type": "t", "title": "t", "status": 400, "code": 21211, "detail": "+12025550123"},
        (Reason.BAD_NUMBER, False),
    ),
    ("a code we do not know", 400, {"code": 29999, "message": "m", "status": 400}, (Reason.UNKNOWN_CODE, False)),
    ("no JSON", 400, None, (Reason.UNKNOWN_CODE, False)),
)


@pytest.mark.parametrize(("status", "body", "says"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_a_refusal_is_read_in_every_shape(
    stub: Any, sms: Make, status: int, body: dict[str, Any] | None, says: tuple[Reason, bool]
) -> None:
    stub.status, stub.body = status, json.dumps(body).encode() if body else b"<html>"
    said = said_of(stub, sms())
    assert isinstance(said, Refused)
    assert (said.reason, said.retry) == says


UNKNOWN = (
    ("500", 500, b"{}"),
    ("503 with a code", 503, b'{"code": 20503, "message": "m"}'),
    ("a redirect", 302, b""),
    ("201 that is not JSON", 201, b"<html>"),
    ("201 with a list", 201, b"[]"),
    ("201 without an id", 201, b"{}"),
    ("a closed connection", 0, b""),
)


@pytest.mark.parametrize(("status", "body"), [row[1:] for row in UNKNOWN], ids=[row[0] for row in UNKNOWN])
def test_an_answer_that_proves_nothing_is_uncertain(stub: Any, sms: Make, status: int, body: bytes) -> None:
    stub.status, stub.body = status, body
    assert isinstance(said_of(stub, sms()), Uncertain)
    assert len(stub.asked) == 1, "never asked twice: that would be a second message"


def test_silence_ends_by_the_clock_and_is_uncertain(stub: Any, sms: Make) -> None:
    stub.silent = True
    assert isinstance(said_of(stub, sms(), timeout=0.2), Uncertain)
    stub.hold.set()
    assert len(stub.asked) == 1


def test_how_long_to_wait_is_kept_from_429(stub: Any, sms: Make) -> None:
    stub.status, stub.body, stub.headers = 429, b'{"code": 20429}', {"Retry-After": "7"}
    said = said_of(stub, sms())
    assert said == Refused(Reason.TRANSIENT, retry=True, code="20429", after=7.0)


def test_connections_are_kept_and_shared_by_all_that_is_in_flight(stub: Any, sms: Make) -> None:
    stub.body = CREATED
    carrier = to_stub(stub)

    async def many() -> None:
        await asyncio.gather(*(carrier.send(sms()) for _ in range(60)))
        await carrier.hang_up()

    asyncio.run(many())
    carrier.close()
    assert len(stub.asked) == 60
    assert len(stub.sockets) <= 4


def test_no_address_reaches_a_log(sandbox: Running, sms: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    carrier = TwilioProvider(SID, TOKEN, sandbox.url, timeout=5, pool=1)
    handed(carrier, sms("+12025550177"))
    carrier.find("+12025550177", datetime.now(UTC).date())
    carrier.close()
    assert "2025550177" not in caplog.text


def test_the_stand_in_is_never_asked_about_another_service() -> None:
    carrier = TwilioProvider(SID, TOKEN, "http://127.0.0.1:1", timeout=1)
    with pytest.raises(Exception, match=r"unexpected host lookups\.twilio\.com"):
        carrier._client.lookups.v2.phone_numbers("+12025550123").fetch()


RECEIPTS = (
    ("queued", "", Status.ACCEPTED, None),
    ("sending", "", Status.ACCEPTED, None),
    ("sent", "", Status.SENT, None),
    ("delivered", "", Status.DELIVERED, None),
    ("read", "", Status.DELIVERED, None),
    ("undelivered", "30003", Status.UNDELIVERED, Reason.UNREACHABLE),
    ("undelivered", "30007", Status.UNDELIVERED, Reason.CONTENT_REFUSED),
    ("failed", "30005", Status.FAILED, Reason.UNKNOWN_HANDSET),
    ("failed", "99999", Status.FAILED, Reason.UNKNOWN_CODE),
    ("failed", "", Status.FAILED, Reason.UNKNOWN_CODE),
    ("canceled", "", Status.CANCELLED, None),
    ("teleported", "", None, None),
)


@pytest.mark.parametrize(("word", "code", "status", "reason"), RECEIPTS)
def test_a_receipt_is_read_in_our_words(word: str, code: str, status: Status | None, reason: Reason | None) -> None:
    receipt = TwilioProvider(SID, TOKEN).receipt({"MessageSid": "SM1", "MessageStatus": word, "ErrorCode": code})
    assert (receipt.carrier_id, receipt.word, receipt.status, receipt.reason) == ("SM1", word, status, reason)
    assert receipt.code == code


def test_a_lost_answer_is_found_in_the_list(sandbox: Running, sms: Make) -> None:
    carrier = TwilioProvider(SID, TOKEN, sandbox.url, timeout=5)
    parcel = sms("+14155559053", "Found by its words")
    with pytest.raises(Uncertain):
        handed(carrier, parcel)
    found = wait_for(lambda: carrier.find(parcel.to, datetime.now(UTC).date()))
    assert [(one.to, one.body, one.sender) for one in found] == [(parcel.to, "Found by its words", parcel.sender)]
    assert carrier.find(parcel.to, datetime.now(UTC).date() + timedelta(days=1)) == []
    assert carrier.find("+14155550000", datetime.now(UTC).date()) == []
    carrier.close()


def wait_for(look: Callable[[], Any]) -> Any:
    for _ in range(500):
        if seen := look():
            return seen
    return look()


def test_asking_fails_as_sending_does(stub: Any) -> None:
    stub.status = 500
    with pytest.raises(OutreachError):
        to_stub(stub).find("+12025550123", datetime.now(UTC).date())


@pytest.fixture
def trickle() -> Iterator[str]:
    """A list that never ends: a byte every twentieth of a second, for five seconds at most."""
    over = threading.Event()

    class Trickle(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            with contextlib.suppress(OSError):  # hung up on, as it should be
                for _ in range(100):
                    self.wfile.write(b" ")
                    if over.wait(0.05):
                        return

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Trickle) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        over.set()
        server.shutdown()
        thread.join()


def test_a_list_that_trickles_in_ends_by_the_clock(trickle: str) -> None:
    carrier = TwilioProvider(SID, TOKEN, trickle, timeout=0.3, pool=4)
    begun = monotonic()
    for _ in range(5):  # one more than connections are kept: each is given back
        with pytest.raises(Uncertain, match="TimeoutError"):
            carrier.find("+12025550123", datetime.now(UTC).date())
    assert 5 * 0.3 <= monotonic() - begun < 5
    carrier.close()


def test_asking_again_uses_the_connection_that_is_there(stub: Any) -> None:
    stub.status, stub.body = 200, json.dumps({"messages": []}).encode()
    carrier = to_stub(stub)
    for _ in range(6):
        assert carrier.find("+12025550123", datetime.now(UTC).date()) == []
    assert len(stub.sockets) == 1
    carrier.close()


def test_the_table_retries_nothing_that_a_person_or_their_number_refused() -> None:
    never = {Reason.UNSUBSCRIBED_AT_CARRIER, Reason.BAD_NUMBER, Reason.CONTENT_REFUSED, Reason.SECURITY, Reason.BLOCKED}
    assert [code for code, row in CODES.items() if row.reason in never and row.retry] == []
    assert treatment("nonsense") == treatment(None) == treatment(1)


CLASSES = (
    (Reason.UNSUBSCRIBED_AT_CARRIER, False, (21610, 63014, 63033, 30640)),
    (Reason.BAD_NUMBER, False, (21211, 21217, 21421, 21614, 21635, 30006, 30011, 63003, 63024)),
    (Reason.UNKNOWN_HANDSET, False, (30005,)),
    (Reason.UNREACHABLE, False, (21612,)),
    (Reason.UNREACHABLE, True, (30003, 30008)),
    (Reason.BLOCKED, False, (30004,)),
    (Reason.TRANSIENT, True, (429, 20429, 20500, 20503, 21611, 30001, 30017, 30022, 63009, 63010, 63012, 63017, 63018)),
    (Reason.TRANSIENT, False, (30410,)),
    (Reason.QUOTA, True, (30023, 30027, 63038)),
    (
        Reason.CONTENT_REFUSED,
        False,
        (30007, 30019, 21617, 21602, 21655, 21656, 63016, 63027, 63028, 63040, 63041, 63042),
    ),
    (Reason.CONFIGURATION, True, (20003, 20005, 30002, 21408, 21603, 21606, 21659, 21701, 21703, 21799, 30018, 30024)),
    (Reason.CONFIGURATION, True, (30032, 30033, 30034, 30035, 21608, 572005)),
    (Reason.VALIDITY_OVER, False, (30036,)),
    (Reason.QUIET_HOURS, True, (30610,)),
    (Reason.SECURITY, False, (30450, 14107)),
    (Reason.UNKNOWN_CODE, False, (1, 11200, 30409, 21800, 99999)),
)


@pytest.mark.parametrize(("reason", "retry", "codes"), CLASSES, ids=[f"{r[0]} {r[1]}" for r in CLASSES])
def test_each_code_is_treated_by_its_class(reason: Reason, retry: bool, codes: tuple[int, ...]) -> None:
    said = {code: treatment(code) for code in codes}
    assert {code: (row.reason, row.retry) for code, row in said.items()} == dict.fromkeys(codes, (reason, retry))
