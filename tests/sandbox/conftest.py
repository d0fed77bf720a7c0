"""A running sandbox, and our side of it: a place where its webhooks arrive."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import httpx
import pytest

from outreach.sandbox.app import build
from outreach.sandbox.running import Running, running
from outreach.sandbox.script import Behaviour

SID, TOKEN = "AC" + "a" * 32, "the token"


@dataclass
class Hook:
    """What one webhook brought."""

    path: str
    fields: list[tuple[str, str]]
    signature: str

    def __getitem__(self, name: str) -> str:
        return dict(self.fields)[name]


@dataclass
class Ours:
    """Our web process as the sandbox sees it; `answers` are given out in order, then 204."""

    url: str
    arrived: queue.Queue[Hook] = field(default_factory=queue.Queue)
    answers: list[tuple[int, bytes]] = field(default_factory=list)

    def next(self) -> Hook:
        return self.arrived.get(timeout=10)


@pytest.fixture
def ours() -> Iterator[Ours]:
    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            fields = parse_qsl(body, keep_blank_values=True)
            status, text = state.answers.pop(0) if state.answers else (200, b"")
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
            state.arrived.put(Hook(self.path, fields, self.headers["X-Twilio-Signature"]))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    state = Ours(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def sandbox(ours: Ours) -> Iterator[Running]:
    app = build(SID, TOKEN, ours.url + "/hooks/twilio/inbound", smtp_port=0, behaviour=Behaviour(callback_delay=0))
    with running(app) as up:
        yield up


@pytest.fixture
def web(sandbox: Running) -> Iterator[httpx.Client]:
    """Signed in as our account."""
    with httpx.Client(base_url=sandbox.url, auth=(SID, TOKEN)) as client:
        yield client


@pytest.fixture
def send(web: httpx.Client, ours: Ours) -> Callable[..., httpx.Response]:
    """Create a message by plain HTTP; a field given as None is left out."""

    def create(to: str = "+12025550123", attempt: str = "attempt-1", **fields: str | None) -> httpx.Response:
        form = {
            "To": to,
            "From": "+12025550100",
            "Body": "Hello",
            "StatusCallback": f"{ours.url}/hooks/twilio/status/{attempt}?x=1",
            **fields,
        }
        given = {name: value for name, value in form.items() if value is not None}
        return web.post(f"/2010-04-01/Accounts/{SID}/Messages.json", data=given)

    return create
