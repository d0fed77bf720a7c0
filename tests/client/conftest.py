"""The service on a real port, its carrier in memory and its clock in our hand; and a program that listens to it."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest
import uvicorn
from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from outreach.actions import reply
from outreach.actions.dispatch import drain
from outreach.actions.receive import apply
from outreach.actions.tell import tell
from outreach.client import verify
from outreach.content.lexicon import Lexicon
from outreach.content.sequences import load as load_sequence
from outreach.domain.access import Scope
from outreach.domain.channel import Channel
from outreach.domain.message import Inbound, Receipt
from outreach.domain.status import Status
from outreach.providers.memory import MemoryProvider
from outreach.settings import ROOT, Settings
from outreach.store import clinics, keys, senders
from outreach.store.vault import Vault
from outreach.web.app import create
from outreach.wiring import Outreach
from tests import shipped

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)  # 10:00 in Chicago
NUMBER = "+12025550100"


@dataclass
class Listener:
    """Another program's ear: keeps what it was told, verified; answers as it is told to."""

    secret: str = ""
    answer: int = 200
    url: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)


@dataclass
class Running:
    """The service on a port of its own, its carrier in memory, its clock in our hand."""

    out: Outreach
    url: str
    key: str
    carrier: MemoryProvider
    clock: list[datetime]

    def wait_until(self, at: datetime) -> None:
        self.clock[0] = at

    def pump(self) -> None:
        drain(replace(self.out.pump(), ahead=replace(self.out.pump().ahead, seconds=None)), seconds=20)

    def deliver(self) -> None:
        """The carrier says of everything it took that it arrived."""
        with self.out.sessions.begin() as session:
            for carrier_id, parcel in self.carrier.taken:
                apply(session, parcel.attempt_id, Receipt(carrier_id, "delivered", Status.DELIVERED), self.clock[0])

    def write(self, sender: str, body: str) -> None:
        """A patient writes to the clinic's number, as the carrier hands it in."""
        said = Inbound(f"SM{uuid4().hex}", Channel.SMS, sender, NUMBER, body)
        with self.out.sessions.begin() as session:
            reply.heard(session, said, replies=self.out.replies, words=self.out.words, speakers=self.out.speakers,
                        laws=self.out.laws, now=self.clock[0])  # fmt: skip

    def tell(self) -> int:
        return tell(self.out.sessions, self.out.clock, local=True)


@pytest.fixture
def listener() -> Iterator[Listener]:
    ear = Listener()

    class Hear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if ear.answer < 300:
                ear.heard.append(verify(ear.secret, dict(self.headers), body, now=NOW.timestamp(), tolerance=1e9))
            ear.ids.append(self.headers["webhook-id"])
            self.send_response(ear.answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *_args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hear)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    ear.url = f"http://127.0.0.1:{server.server_port}/news"
    yield ear
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def running(engine: Engine, vault: Vault) -> Iterator[Running]:
    sequence = load_sequence(ROOT / "config" / "sequences" / "ketamine-infusion.yaml")
    clock, carrier = [NOW], MemoryProvider()
    out = Outreach(
        settings=Settings(database_url="postgresql://unused", redis_url="redis://unused", demo=True, sandbox=False),
        engine=engine,
        sessions=sessionmaker(engine, info={"vault": vault}, expire_on_commit=False),
        vault=vault,
        lexicon=Lexicon.of(shipped.words()),
        sequences={sequence.name: sequence},
        replies=shipped.replies(),
        providers={"memory": carrier},
        clock=lambda: clock[0],
    )
    with out.sessions.begin() as session:
        clinic = clinics.add(
            session, slug="fern", name="Fern Street Clinic", zone="America/Chicago", country="US", locale="en",
            phone="+12025550199", address="12 Fern Street", emergency="911",
        )  # fmt: skip
        senders.add(session, clinic.id, Channel.SMS, NUMBER, carrier="memory")
        shipped.approve(session, clinic.id, "en")
        _, key = keys.make(session, clinic_id=clinic.id, name="ehr", scopes=list(Scope), expires_at=None,
                           staff_id=None, now=NOW)  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the websockets that we do not serve
        server = uvicorn.Server(
            uvicorn.Config(create(out), host="127.0.0.1", port=0, log_config=None, ws="none", lifespan="on")
        )
        up = threading.Event()
        begin = server.startup

        async def startup(sockets: Any = None) -> None:
            await begin(sockets)
            up.set()

        server.startup = startup  # type: ignore[method-assign]
        thread = threading.Thread(target=server.run)
        thread.start()
        assert up.wait(30)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Running(out, f"http://127.0.0.1:{port}", key, carrier, clock)
        server.should_exit = True
        thread.join(30)
