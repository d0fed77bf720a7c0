"""The stand-in counts what it takes, speaks Twilio's form, fails when told to, and calls back signed."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl
from uuid import uuid4

import httpx
import pytest

from outreach.bench.carrier_process import CarrierProcess, carrier
from outreach.providers.twilio import TwilioProvider
from outreach.providers.twilio_signature import valid

SID, TOKEN, TO = "AC" + "a" * 32, "the token", "+15005550006"
MESSAGES = f"/2010-04-01/Accounts/{SID}/Messages.json"


@pytest.fixture(scope="module")
def process() -> Iterator[CarrierProcess]:
    with carrier() as running:
        yield running


@pytest.fixture
def standin(process: CarrierProcess) -> CarrierProcess:
    process.reset()
    return process


@pytest.fixture
def client(standin: CarrierProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=standin.url, timeout=10, trust_env=False) as made:
        yield made


def form(callback: str = "", **more: str) -> dict[str, str]:
    return {"To": TO, "From": "+15005550001", "Body": 'Grüße, "Ada" & تحية', "StatusCallback": callback, **more}


def test_a_message_is_taken_counted_and_shown_in_twilios_form(standin: CarrierProcess, client: httpx.Client) -> None:
    attempt = str(uuid4())
    answer = client.post(MESSAGES, data=form(f"http://127.0.0.1:9/hooks/twilio/status/{attempt}#rc=5&rp=all"))
    said = answer.json()
    assert (answer.status_code, said["status"], said["body"], said["to"]) == (201, "queued", form()["Body"], TO)
    assert len(said["sid"]) == 34
    assert said["sid"].startswith("SM")
    assert standin.attempts() == [attempt]
    client.post(MESSAGES, data=form(f"http://127.0.0.1:9/hooks/twilio/status/{attempt}"))
    counts = standin.counts()
    assert (counts["posts"], counts["distinct"], counts["doubles"], counts["connections_made"]) == (2, 1, 1, 1)


def test_a_messaging_service_is_named_where_twilio_names_it(client: httpx.Client) -> None:
    service = "MG" + "b" * 32
    said = client.post(MESSAGES, data={"To": TO, "Body": "hi", "MessagingServiceSid": service}).json()
    assert (said["from"], said["messaging_service_sid"], said["status"]) == (None, service, "accepted")


def test_the_list_answers_by_receiver_and_day(client: httpx.Client) -> None:
    client.post(MESSAGES, data=form())
    client.post(MESSAGES, data=form(Body="second"))
    client.post(MESSAGES, data=form(To="+15005550007"))
    found = client.get(MESSAGES, params={"To": TO, "DateSent>": "2026-01-01T00:00:00Z", "PageSize": 50}).json()
    assert [one["body"] for one in found["messages"]] == ["second", form()["Body"]]
    assert found["next_page_uri"] is None
    later = client.get(MESSAGES, params={"To": TO, "DateSent>": "2999-01-01"}).json()
    assert later["messages"] == []


def test_a_list_that_lags_does_not_show_what_was_just_taken(standin: CarrierProcess, client: httpx.Client) -> None:
    standin.faults(list_lag_ms=60_000)
    client.post(MESSAGES, data=form())
    assert client.get(MESSAGES, params={"To": TO}).json()["messages"] == []


def test_our_own_carrier_reads_the_list(standin: CarrierProcess, client: httpx.Client) -> None:
    sid = client.post(MESSAGES, data=form()).json()["sid"]
    provider = TwilioProvider(SID, TOKEN, base_url=standin.url)
    try:
        (found,) = provider.find(TO, datetime.now(UTC).date())
    finally:
        provider.close()
    assert (found.carrier_id, found.body, found.sender) == (sid, form()["Body"], "+15005550001")


@pytest.mark.parametrize(
    ("share", "status", "taken"),
    [("too_many", 429, 0), ("error", 500, 0), ("error_taken", 500, 1), ("garbled", 201, 1)],
)
def test_a_fault_answers_so_and_takes_the_message_or_not(
    standin: CarrierProcess, client: httpx.Client, share: str, status: int, taken: int
) -> None:
    standin.faults(**{share: 1.0})
    answer = client.post(MESSAGES, data=form("http://x.example/hooks/1"))
    counts = standin.counts()
    assert (answer.status_code, counts["taken"], counts["faults"]) == (status, taken, {share: 1})
    assert answer.headers.get("retry-after") == ("1" if status == 429 else None)
    if share == "garbled":
        with pytest.raises(json.JSONDecodeError):
            answer.json()


@pytest.mark.parametrize(("share", "taken"), [("half_open", 1), ("hang", 0)])
def test_a_silent_carrier_takes_the_message_or_not_and_never_answers(
    standin: CarrierProcess, client: httpx.Client, share: str, taken: int
) -> None:
    standin.faults(**{share: 1.0})
    with pytest.raises(httpx.ReadTimeout):
        client.post(MESSAGES, data=form("http://x.example/hooks/1"), timeout=0.2)
    assert standin.counts()["taken"] == taken


def test_the_same_seed_meets_the_same_faults(standin: CarrierProcess, client: httpx.Client) -> None:
    runs = []
    for _ in range(2):
        standin.faults(too_many=0.3, error=0.2, seed=7)
        runs.append([client.post(MESSAGES, data=form()).status_code for _ in range(30)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {201, 429, 500}


def test_shares_above_one_are_refused(client: httpx.Client) -> None:
    assert client.post("/control/faults", json={"error": 0.7, "hang": 0.6}).status_code == 400
    assert client.post("/control/faults", json={"weather": 1}).status_code == 400


@dataclass
class Ours:
    """Our web side: what arrived, and the answers it gives before it is content."""

    url: str
    arrived: queue.Queue[tuple[str, list[tuple[str, str]], str]]
    answers: list[int]


@pytest.fixture
def ours() -> Iterator[Ours]:
    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.send_response(state.answers.pop(0) if state.answers else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()
            state.arrived.put((self.path, parse_qsl(body, keep_blank_values=True), self.headers["X-Twilio-Signature"]))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    state = Ours(f"http://127.0.0.1:{server.server_port}", queue.Queue(), [])
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def words(ours: Ours, count: int) -> list[str]:
    return [dict(ours.arrived.get(timeout=10)[1])["MessageStatus"] for _ in range(count)]


def test_callbacks_are_signed_over_the_url_without_its_fragment(
    standin: CarrierProcess, client: httpx.Client, ours: Ours
) -> None:
    standin.faults(callbacks={"token": TOKEN, "url_base": ours.url})
    path = f"/hooks/twilio/status/{uuid4()}"
    sid = client.post(MESSAGES, data=form(f"https://clinic.example{path}#rc=5&rp=all")).json()["sid"]
    for _ in range(2):
        arrived_at, fields, signature = ours.arrived.get(timeout=10)
        assert arrived_at == path
        assert dict(fields)["MessageSid"] == sid
        assert valid([TOKEN], f"https://clinic.example{path}", fields, signature)
        assert not valid(["another"], f"https://clinic.example{path}", fields, signature)


def test_callbacks_come_twice_and_in_the_wrong_order(standin: CarrierProcess, client: httpx.Client, ours: Ours) -> None:
    standin.faults(callbacks={"token": TOKEN, "delay_ms": 60, "duplicates": 1, "reversed": 1})
    client.post(MESSAGES, data=form(f"{ours.url}/1"))
    assert words(ours, 4) == ["delivered", "delivered", "sent", "sent"]


def test_a_callback_answered_with_an_error_is_tried_again(
    standin: CarrierProcess, client: httpx.Client, ours: Ours
) -> None:
    ours.answers += [503, 500]
    standin.faults(callbacks={"token": TOKEN, "words": ["delivered"], "pause_ms": 5})
    client.post(MESSAGES, data=form(f"{ours.url}/1"))
    assert words(ours, 3) == ["delivered"] * 3
