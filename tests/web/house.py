"""What tests of the web have at hand: browsers, a signed-in desk, patients, signed hooks."""

from __future__ import annotations

import atexit
import re
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from typing import Any
from uuid import UUID

from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from sqlalchemy import Engine, event
from starlette.routing import BaseRoute, Mount

from outreach.domain.channel import Channel
from outreach.domain.window import tz_version, wall_at
from outreach.providers.twilio_signature import sign
from outreach.store import audit, clinics, messages, patients, staff
from outreach.web.app import create
from outreach.web.console.desk import cookie_name
from outreach.wiring import Outreach
from tests import shipped

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # starlette asks for a client of another name while ours does the same
    from fastapi.testclient import TestClient

NOW = datetime(2026, 11, 21, 18, tzinfo=UTC)
TOKEN = "a-token-of-tests"
PUBLIC = "http://testserver"
PASSWORD = "a long enough word"
_READ: dict[int, BaseRoute] = {}


@dataclass
class House:
    """The application with what a test wants at hand."""

    out: Outreach
    clinic_id: UUID
    email: str = "desk@north.example"

    def browser(self) -> TestClient:
        """A browser with no cookies; it does not follow redirects by itself."""
        made = TestClient(self._application, base_url=PUBLIC, follow_redirects=False)
        made.portal = _loop()
        return made

    @cached_property
    def _application(self) -> Any:
        """One for all browsers of this house: a new one costs its first request as much as ten others."""
        made = create(self.out)
        _as_read_before(made)
        return made

    def desk(self, email: str = "") -> TestClient:
        """A browser that has signed in, with what that leaves behind. Not through the form, which most tests are not
        about (`entered` is for those): two pages more for each of five hundred tests."""
        browser, now = self.browser(), self.out.clock()
        with self.out.sessions.begin() as session:
            staff_id = staff.id_of(session, email or self.email)
            assert staff_id
            clinic_id = staff.clinic_id_of(session, staff_id)
            cookie = staff.begin_session(session, clinic_id, staff_id, now)
            audit.note(
                session, clinic_id=clinic_id, at=now, actor_kind="staff", actor_id=staff_id, action="staff.signed_in",
                subject="staff", subject_id=staff_id,
            )  # fmt: skip
        browser.cookies.set(cookie_name(self.out), cookie, domain="testserver.local", path="/")
        return browser

    def entered(self) -> TestClient:
        """A browser in which a person has signed in through the form, and which is known from then on."""
        browser = self.browser()
        form = field(browser.get("/sign-in").text, "form")
        answer = browser.post("/sign-in", data={"form": form, "email": self.email, "password": PASSWORD})
        assert answer.headers["location"] == "/today"
        return browser

    def later(self, by: timedelta) -> House:
        """The same house with its clock moved on."""
        now = self.out.clock() + by
        return replace(self, out=replace(self.out, clock=lambda: now))

    def patient(self, locale: str = "en", clinic_id: UUID | None = None, phone: str = "+12025550143") -> UUID:
        """A patient with a phone, nothing else."""
        with self.out.sessions.begin() as session:
            owner = clinic_id or self.clinic_id
            patient_id = patients.add(
                session, clinic_id=owner, name="Ana Sample", locale=locale, zone="America/Chicago", wording="full",
                now=NOW, external="N-1",
            )  # fmt: skip
            patients.set_address(session, owner, patient_id, Channel.SMS, phone, NOW)
            return patient_id

    def message(self, patient_id: UUID, step: str, clinic_id: UUID | None = None) -> tuple[UUID, str]:
        """A message that is due now, and the token of its link."""
        owner = clinic_id or self.clinic_id
        with self.out.sessions.begin() as session:
            reach = patients.addresses(session, owner, patient_id)[Channel.SMS]
            message_id = messages.add_occasion(
                session, clinic_id=owner, patient_id=patient_id, address_id=reach.id, channel=Channel.SMS, step=step,
                occasion=f"test:{step}:{reach.id}", zone="America/Chicago", due_at=NOW,
                useful_until=NOW + timedelta(days=3), wall=wall_at(NOW, "America/Chicago"), tz_version=tz_version(),
            )  # fmt: skip
        assert message_id
        return message_id, self.out.vault.token("message", message_id)

    def hook(self, path: str, fields: dict[str, str], signature: str | None = "right") -> Any:
        """A carrier's call, signed as Twilio signs, or with the given signature."""
        right = sign(TOKEN, PUBLIC + path, fields.items())
        given = {} if signature is None else {"X-Twilio-Signature": right if signature == "right" else signature}
        return self.browser().post(path, data=fields, headers=given)


def add_clinic(out: Outreach, slug: str, sender: str, locales: tuple[str, ...] = shipped.SPOKEN) -> UUID:
    """A clinic that has approved every shipped word of these languages (none named: of all)."""
    with out.sessions.begin() as session:
        made = clinics.add(
            session, slug=slug, name=f"{slug.title()} Clinic", zone="America/New_York", country="US", locale="en",
            phone="+12025550100", address="1 Sample Street", emergency="911", sms_sender=sender,
            email_sender=f"care@{slug}.example",
        )  # fmt: skip
        shipped.approve(session, made.id, *locales)
        return made.id


@cache
def _loop() -> BlockingPortal:
    """One event loop for all browsers: else each request begins a thread and a loop of its own, and ends them."""
    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal())
        atexit.register(stack.pop_all().close)
    return portal


def _as_read_before(front: Any) -> None:
    """FastAPI reads the signatures of all handlers anew for each application, a tenth of a second at first requests.
    They are the same for every house: give this application those that the first one has read."""
    while not isinstance(front, FastAPI):
        front = vars(front).get("_rest") or vars(front)["app"]
    routes = front.router.routes
    for place, route in enumerate(routes):
        if isinstance(route, Mount) and isinstance(route.app, FastAPI):
            _as_read_before(route.app)
        if router := getattr(route, "original_router", None):
            routes[place] = _READ.setdefault(id(router), route)


def field(html: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found, f"no field {name}"
    return found[1]


@contextmanager
def count_queries(engine: Engine) -> Iterator[list[str]]:
    """The statements that were sent while the block lasted: `with count_queries(house.out.engine) as sent: ...`."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)
