"""A whole course of one patient, driven by the client over a real socket: enrolled, agreed, moved, told, stopped."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import uvicorn
from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from outreach.actions.dispatch import drain
from outreach.actions.receive import apply
from outreach.actions.tell import tell
from outreach.client import Client, Problem, verify
from outreach.content.compose import Words
from outreach.content.keywords import load_replies
from outreach.content.sequences import load as load_sequence
from outreach.domain.access import Scope
from outreach.domain.channel import Channel
from outreach.domain.message import Receipt
from outreach.domain.status import Status
from outreach.providers.memory import MemoryProvider
from outreach.settings import ROOT, Settings
from outreach.store import clinics, keys, senders
from outreach.store.vault import Vault
from outreach.web.app import create
from outreach.wiring import Outreach

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)  # 10:00 in Chicago
PHONE = "+12025550143"


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
        words=Words.load(ROOT, ["en"]),
        sequences={sequence.name: sequence},
        replies=load_replies(ROOT / "config" / "replies.yaml"),
        providers={"memory": carrier},
        clock=lambda: clock[0],
    )
    with out.sessions.begin() as session:
        clinic = clinics.add(
            session, slug="fern", name="Fern Street Clinic", zone="America/Chicago", country="US", locale="en",
            phone="+12025550199", address="12 Fern Street", emergency="911",
        )  # fmt: skip
        senders.add(session, clinic.id, Channel.SMS, "+12025550100", carrier="memory")
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


def test_a_whole_course_of_one_patient_is_driven_by_the_client(running: Running, listener: Listener) -> None:
    with Client(running.url, running.key) as client:
        assert client.me()["clinic"] == "Fern Street Clinic"
        hook = client.add_webhook(listener.url, ["message.delivered", "message.suppressed", "consent.changed"])
        listener.secret = hook["secret"]

        preview = client.plan([{"starts": "2026-12-03T09:30"}], channels=["sms"])
        assert "pre.tomorrow" in {one["step"] for one in preview}

        done = client.enrol(
            name="Ana Sample", locale="en", phone=PHONE, external_id="MRN-1042",
            infusions=[{"starts": "2026-12-03T09:30", "external_id": "V-1"}], idempotency_key="enrol-1042",
        )  # fmt: skip
        again = client.enrol(
            name="Ana Sample", locale="en", phone=PHONE, external_id="MRN-1042",
            infusions=[{"starts": "2026-12-03T09:30", "external_id": "V-1"}], idempotency_key="enrol-1042",
        )  # fmt: skip
        assert again == done
        patient = done["patient"]
        assert [one["id"] for one in client.find_patients(phone="202-555-0143")] == [patient["id"]]

        agreed = client.record_consent(
            patient["id"], channel="sms", method="paper", evidence="form-1", at="2026-11-22T10:00:00Z", warned=True
        )
        assert (agreed["consent"], agreed["allowed"]) == ("agreed", True)

        infusion = client.infusions(done["course_id"])[0]
        foreseen = client.preview_move(infusion["id"], starts="2026-12-04T10:00")
        assert {one["local"] for one in foreseen["coming"]}.isdisjoint(one["local"] for one in foreseen["leaving"])
        assert client.infusions(done["course_id"])[0] == infusion, "a preview writes nothing"
        moved = client.move_infusion(infusion, starts="2026-12-04T10:00")
        assert moved["infusion"]["starts"] == "2026-12-04T10:00"
        with pytest.raises(Problem) as stale:
            client.move_infusion(infusion, starts="2026-12-05T10:00")
        assert (stale.value.status, stale.value.kind) == (412, "changed-meanwhile")

        running.pump()
        running.deliver()
        first = next(one for one in client.messages(patient_id=patient["id"]) if one["status"] == "delivered")
        assert client.words(first["id"])["text"]
        assert [one["status"] for one in client.events(first["id"])][-1] == "delivered"

        assert running.tell() > 0
        told = {one["type"] for one in listener.heard}
        assert told == {"message.delivered", "consent.changed"}
        assert "Ana" not in str(listener.heard)
        assert PHONE not in str(listener.heard)
        assert running.tell() == 0, "what was told is not told again"

        gone = len(running.carrier.taken)
        stopped = client.revoke_consent(patient["id"], "sms", "call-7")
        assert (stopped["consent"], stopped["allowed"]) == ("revoked_by_staff", False)
        assert stopped["suppressed"] > 0
        running.tell()
        assert "message.suppressed" in {one["type"] for one in listener.heard}
        running.wait_until(NOW + timedelta(days=10))
        running.pump()
        assert len(running.carrier.taken) == gone, "nothing goes out after the stop"
