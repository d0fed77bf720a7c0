"""The real application in a thread: PostgreSQL below it, the sandbox as its carrier, and the pump run by hand."""

from __future__ import annotations

import base64
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import text

from outreach.actions.dispatch import drain
from outreach.actions.sample import DEMO_STAFF, load_sample
from outreach.content.lexicon import Lexicon
from outreach.domain.access import Role
from outreach.sandbox.app import build as build_sandbox
from outreach.sandbox.running import running
from outreach.sandbox.script import Behaviour
from outreach.settings import ROOT, Settings
from outreach.store.staff import DEMO_PASSWORD
from outreach.web.app import create
from outreach.wiring import Outreach, build

SID, TOKEN = "AC" + "b" * 32, "a token of the browser's tests"
PATIENCE = 15.0


@dataclass
class Site:
    """Where the console is (`url`), where the patients' phones are, and what is behind both."""

    url: str
    phones: str
    out: Outreach
    signed: dict[Role, Any] = field(default_factory=dict)

    def pump(self) -> int:
        """Send what is due. In a thread of its own: the browser's driver has the loop of this one."""
        handled: list[int] = []
        thread = threading.Thread(target=lambda: handled.append(drain(self.out.pump(), 10.0).handled))
        thread.start()
        thread.join(30)
        assert handled, "the pump did not come to an end"
        return handled[0]

    def context(self, browser: Browser, role: Role | None = Role.ADMINISTRATOR, **options: Any) -> BrowserContext:
        """A browser window of somebody of the demo's staff, signed in; of nobody for None."""
        if role is not None and role not in self.signed:
            with browser.new_context(base_url=self.url) as first:
                self.sign_in(first.new_page(), DEMO_STAFF[role][0])
                self.signed[role] = first.storage_state()
        state = self.signed[role] if role is not None else None
        return browser.new_context(base_url=self.url, storage_state=state, **options)

    def sign_in(self, page: Page, email: str, password: str = DEMO_PASSWORD) -> None:
        page.goto("/sign-in")
        page.locator("[name=email]").fill(email)
        page.locator("[name=password]").fill(password)
        page.locator("main form button").first.click()

    def one(self, statement: str, **values: Any) -> Any:
        """The first value that a query finds; it must find one."""
        with self.out.sessions() as session:
            found = session.execute(text(statement), values).first()
        assert found is not None, statement
        return found[0]


@contextmanager
def site(database_url: str, root: Path | None = None) -> Iterator[Site]:
    """The demo as `outreach up` has it, with its patients, but without workers: tests say when something is sent.

    `root`: where its words lie, if not in the repository."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        behaviour = Behaviour(callback_delay=0)
        carrier = build_sandbox(SID, TOKEN, url + "/hooks/twilio/inbound", smtp_port=0, behaviour=behaviour)
        with running(carrier) as standin:
            out = build(_settings(database_url, url, standin.url, standin.smtp_port or 0))
            if root is not None:
                out = replace(out, lexicon=Lexicon.load(root))
            with out.sessions.begin() as session:
                load_sample(session, ROOT, out.clock(), out.sequences, out.words)
            try:
                with _serving(out, listener):
                    yield Site(url, standin.url + "/phones", out)
            finally:
                out.close()


def _settings(database_url: str, url: str, carrier: str, smtp_port: int) -> Settings:
    port = int(carrier.rpartition(":")[2])
    return Settings(
        database_url=database_url, redis_url="redis://unused", public_url=url, sandbox=True, demo=True,
        key=base64.b64encode(secrets.token_bytes(32)).decode(),
        twilio_account_sid=SID, twilio_auth_token=TOKEN, twilio_base_url=carrier,
        smtp_host="127.0.0.1", smtp_port=smtp_port, smtp_security="none",
        sandbox_http_port=port, sandbox_smtp_port=smtp_port,
    )  # fmt: skip


@contextmanager
def _serving(out: Outreach, listener: socket.socket) -> Iterator[None]:
    config = uvicorn.Config(create(out), log_level="critical", access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="web", daemon=True)
    thread.start()
    over = time.monotonic() + PATIENCE
    try:
        while not server.started:
            assert thread.is_alive(), "the web did not start"
            assert time.monotonic() < over, "the web did not start in time"
            time.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join(10)
