"""The far sides that carriers are tried against: the sandbox, and a stub that answers exactly what it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import pytest

from outreach.domain.channel import Channel
from outreach.domain.message import Content, Parcel
from outreach.sandbox.app import build
from outreach.sandbox.running import Running, running
from outreach.sandbox.script import Behaviour

SID, TOKEN = "AC" + "a" * 32, "the token"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running(build(SID, TOKEN, smtp_port=0, behaviour=Behaviour(callback_delay=0))) as up:
        yield up


@dataclass
class Stub:
    """Answers every request with `status`, `body`, `headers`; status 0 hangs up. Keeps what it was asked."""

    status: int = 201
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    hold: threading.Event = field(default_factory=threading.Event)
    silent: bool = False
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    sockets: set[object] = field(default_factory=set)
    url: str = ""


@pytest.fixture
def stub() -> Iterator[Stub]:
    state = Stub()

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            state.asked.append((self.command, self.path, body))
            state.sockets.add(self.client_address)
            if state.silent:
                state.hold.wait(10)
            if state.silent or not state.status:
                self.close_connection = True
                return
            self.send_response(state.status)
            for name, value in {"Content-Length": str(len(state.body)), **state.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(state.body)

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield state
    state.hold.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def sms() -> Callable[..., Parcel]:
    def make(to: str = "+12025550123", text: str = "Your visit is tomorrow.", sender: str = "+12025550100") -> Parcel:
        attempt = uuid4()
        callback = f"http://127.0.0.1:9/hooks/twilio/status/{attempt}"
        return Parcel(attempt, Channel.SMS, sender, "", to, Content("en", text), status_callback=callback)

    return make


@pytest.fixture
def mail() -> Callable[..., Parcel]:
    def make(to: str = "patient@example.org", **content: object) -> Parcel:
        words = {"locale": "en", "text": "Hello", "subject": "Your visit", "html": "<p>Hello</p>", **content}
        return Parcel(
            uuid4(),
            Channel.EMAIL,
            "care@clinic.example",
            "Clínica Río, S.A.",
            to,
            Content(**words),  # type: ignore[arg-type]
            unsubscribe_url="https://clinic.example/u/" + "t" * 120,
            message_domain="clinic.example",
        )

    return make
