"""The stage of a rehearsal: a database of its own, a clock that can be set, and the real workers and sandbox."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import psycopg
import redis
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import make_url

from outreach.cli.supervise import Child, Supervisor
from outreach.cli.up import child_environment, children, urls
from outreach.data_folder import make_var
from outreach.embedded import Engines
from outreach.settings import Settings
from outreach.store.brakes import Clock
from outreach.store.migrate import upgrade
from outreach.wiring import Outreach, build

START_SECONDS = 60.0
WAKE_SECONDS = "0.1"
BROKER_DATABASE = "/9"


@dataclass
class Stage:
    """What a rehearsal plays on."""

    out: Outreach
    settings: Settings
    supervisor: Supervisor
    engines: Engines | None

    def set_clock(self, now: datetime) -> None:
        """Every process of the rehearsal reads its `now` from this row."""
        with self.out.sessions.begin() as session:
            row = upsert(Clock).values(id=1, now=now)
            session.execute(row.on_conflict_do_update(index_elements=["id"], set_={"now": now}))

    def mend(self) -> list[str]:
        """Restart what died: an engine that was killed, a worker. Returns the engines' names."""
        self.supervisor.tick()
        return self.engines.ensure() if self.engines else []

    def sandbox(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask the sandbox's own interface; JSON in, JSON out."""
        url = f"http://127.0.0.1:{self.settings.sandbox_http_port}{path}"
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(url, data, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"{}")

    def press(self, path: str) -> None:
        """A patient opens the page and presses the button that posts to `path`, with the mark of the words shown."""
        address = f"{self.settings.public_url}{path}"
        with urllib.request.urlopen(address.rpartition("/")[0], timeout=30) as opened:
            shown = re.findall(r'name="shown" value="([^"]*)"', opened.read().decode())
        request = urllib.request.Request(address, urllib.parse.urlencode([("shown", one) for one in shown]).encode())
        urllib.request.urlopen(request, timeout=30).close()


@contextlib.contextmanager
def stage(settings: Settings) -> Iterator[Stage]:
    """Set up, and take down without a trace: the database is dropped, the children stopped."""
    make_var(settings.var)
    (settings.var / "rehearsal").mkdir(exist_ok=True)
    with urls(settings) as (database, broker, engines):
        own = make_url(database).set(database=f"outreach_rehearsal_{uuid4().hex[:8]}").render_as_string(False)
        with _database(database, own):
            upgrade(own)
            web, http, smtp = _free_ports()
            mine = Settings(
                database_url=own, redis_url=broker, var=settings.var, key=settings.key, port=web,
                public_url=f"http://127.0.0.1:{web}", sandbox=True, sandbox_http_port=http,
                sandbox_smtp_port=smtp, clock="database",
            )  # fmt: skip
            yield from _play(mine, own, broker.rpartition("/")[0] + BROKER_DATABASE, engines)


def _play(settings: Settings, database: str, broker: str, engines: Engines | None) -> Iterator[Stage]:
    with redis.Redis.from_url(broker) as client:
        client.flushdb()
    environment = child_environment(settings, database, broker) | {
        "OUTREACH_CLOCK": "database", "OUTREACH_WAKE_SECONDS": WAKE_SECONDS,
        "OUTREACH_SANDBOX_CALLBACK_DELAY": "0.01",
        "OUTREACH_SANDBOX_SHELF": "",
    }  # fmt: skip
    supervisor = Supervisor([_apart(child, settings) for child in children(settings, environment)])
    out = build(Settings(**_carried(settings, environment)))
    try:
        supervisor.start()
        running = Stage(out, settings, supervisor, engines)
        supervisor.until(lambda: _listening(settings), START_SECONDS)
        yield running
    finally:
        supervisor.stop()
        out.close()


def _carried(settings: Settings, environment: dict[str, str]) -> dict[str, Any]:
    """The same settings as the children's, for reading and planning in this process."""
    return settings.model_dump() | {
        "twilio_account_sid": environment["OUTREACH_TWILIO_ACCOUNT_SID"],
        "twilio_auth_token": environment["OUTREACH_TWILIO_AUTH_TOKEN"],
    }


def _apart(child: Child, settings: Settings) -> Child:
    """Logs and beat's notebook apart from those of the service that may be running."""
    child.log = settings.var.absolute() / "rehearsal" / child.log.name
    notebook, own = str(settings.var / "beat"), str(settings.var / "rehearsal" / "beat")
    child.command = [own if part == notebook else part for part in child.command]
    return child


@contextlib.contextmanager
def _database(administrator: str, own: str) -> Iterator[None]:
    name = make_url(own).database
    with psycopg.connect(administrator.replace("+psycopg", "", 1), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    try:
        yield
    finally:
        with psycopg.connect(administrator.replace("+psycopg", "", 1), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


def _free_ports() -> tuple[int, int, int]:
    """Three ports that the system says are free; two rehearsals at once get different ones."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(3)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        web, http, smtp = (int(probe.getsockname()[1]) for probe in probes)
    return web, http, smtp


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _listening(settings: Settings) -> bool:
    return not (_free(settings.port) or _free(settings.sandbox_http_port) or _free(settings.sandbox_smtp_port))
