"""The table of doors is the application's: every route is in it, and opens for exactly whom it names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.routing import _IncludedRouter  # the one way to what a nested router serves, prefix and all
from sqlalchemy import text
from starlette.routing import BaseRoute, Mount

from outreach.cli.access import PAGE
from outreach.domain.access import Permission, Role
from outreach.domain.brakes import Scope
from outreach.errors import NotAllowed
from outreach.store import pauses, staff
from outreach.web import access
from outreach.web.access import DOORS, SIGNED, staff_may, who_may
from outreach.web.app import create
from outreach.web.ways import landing
from tests.web.house import NOW, PASSWORD, House, TestClient, add_clinic, field
from tests.web.test_many_rows import fill

API = "/api/"
STATUS = ("POST", "/hooks/twilio/status/{attempt_id}")
"""Answered in front of the framework, by a signature; not among its routes."""
CONSOLE = [door for door, who in DOORS.items() if isinstance(who, Permission) or (who is SIGNED and API not in door[1])]
LEAVES = ("POST", "/sign-out")
WITH_A_FILE = {("POST", "/imports")}


def served(app: FastAPI, prefix: str = "") -> set[tuple[str, str]]:
    """(method, path) of everything that a request can reach."""
    found = set()
    for route in walk(app.routes):
        if isinstance(route, Mount):
            if isinstance(route.app, FastAPI):  # else /static: files of the repository
                found |= served(route.app, prefix + route.path)
            continue
        methods = getattr(route, "methods", None)
        assert methods, f"a route without methods: {route}"
        found |= {(method, prefix + route.path) for method in methods if method != "HEAD"}  # type: ignore[attr-defined]
    return found


def walk(routes: object) -> Iterator[BaseRoute]:
    for route in routes:  # type: ignore[attr-defined]
        if isinstance(route, _IncludedRouter):
            yield from walk(route.effective_candidates())
        else:
            yield route


def framework(house: House) -> FastAPI:
    app: object = create(house.out)
    while not isinstance(app, FastAPI):  # what stands around the framework: headers, the hook for receipts
        app = getattr(app, "app", None) or app._rest  # type: ignore[attr-defined]
    return app


def test_every_route_has_its_door_and_every_door_a_route(house: House) -> None:
    running = served(framework(house))
    assert sorted(running - DOORS.keys()) == [], "served, and not in the table of doors"
    assert sorted(DOORS.keys() - running - {STATUS}) == [], "in the table of doors, and not served"


def test_a_route_that_the_table_does_not_know_opens_for_nobody() -> None:
    with pytest.raises(NotAllowed):
        who_may("GET", "/forgotten")
    with pytest.raises(NotAllowed):
        staff_may(Role.ADMINISTRATOR, "GET", "/forgotten")
    assert who_may("HEAD", "/today") is who_may("GET", "/today")


def test_every_permission_opens_something_to_somebody() -> None:
    asked = {who for who in DOORS.values() if isinstance(who, Permission)}
    assert sorted(permission for permission in asked if not any(access.may(role, permission) for role in Role)) == []


def test_the_page_of_who_may_what_is_current() -> None:
    assert PAGE.read_text("utf-8") == access.table(), "run: outreach access --write"


# Anonymous


def test_nobody_passes_without_signing_in(house: House) -> None:
    let_in = []
    for method, path in CONSOLE:
        answer = house.browser().request(method, filled(path, lambda _: str(uuid4())))
        if (answer.status_code, answer.headers.get("location")) != (303, "/sign-in"):
            let_in.append(f"{method} {path}: {answer.status_code} {answer.headers.get('location')}")
    assert CONSOLE
    assert let_in == []


# Roles


def test_each_role_passes_exactly_the_doors_of_the_table(house: House) -> None:
    """Refused with 403 where the table says so, and only there; whatever the page then says of an id nobody has. From
    the day, old links lead whoever may not see it to a page that they may."""
    desks = {role: signed_in(house, role) for role in Role}
    wrong = []
    for method, path in CONSOLE:
        for role, (browser, csrf) in desks.items():
            if (method, path) == LEAVES:
                continue  # it ends the session; tried by the tests of signing in
            answer = knock(browser, csrf, method, filled(path, lambda _: str(uuid4())))
            led_away = (method, path) == ("GET", "/today") and answer.headers.get("location") == landing(role) != path
            refused = answer.status_code == 403 or led_away
            if refused is staff_may(role, method, path):
                wrong.append(f"{role.value}: {method} {path}: {answer.status_code}")
            assert answer.status_code < 500, f"{role.value}: {method} {path}: {answer.status_code}"
    assert wrong == []


def test_no_form_of_any_room_is_taken_without_the_secret_of_its_session(house: House) -> None:
    """Each door once, knocked at by the first role that may pass it: without a secret, and with a colleague's."""
    desks = {role: signed_in(house, role) for role in Role}
    _, colleagues = signed_in(house, Role.ADMINISTRATOR)
    taken = []
    for method, path in CONSOLE:
        if method == "GET":
            continue
        browser, _ = next(desks[role] for role in Role if staff_may(role, method, path))
        file = {"file": ("list.csv", b"name")} if (method, path) in WITH_A_FILE else None
        for secret in ({}, {"csrf": colleagues}):
            answer = browser.request(method, filled(path, lambda _: str(uuid4())), data=secret, files=file)
            if answer.status_code != 403:
                taken.append(f"{method} {path}: {answer.status_code} {answer.headers.get('location', '')}")
    assert taken == []


# The other clinic


def test_another_clinics_ids_are_not_found_anywhere(house: House) -> None:
    """Every door with an id, as the administrator and as the approver of one clinic, with a row of the other one."""
    theirs = OtherClinic(house)
    before, ids = theirs.digests(), {name: theirs.id_of(name) for name in KINDS}
    assert None not in before.values(), before
    desks = [signed_in(house, Role.ADMINISTRATOR), signed_in(house, Role.APPROVER)]
    wrong = []
    for method, path in CONSOLE:
        names = [name for name in re.findall(r"{(\w+)}", path) if name not in NO_IDS]
        if not names:
            continue
        for browser, csrf in desks:
            answer = knock(browser, csrf, method, filled(path, lambda name: ids.get(name, "en")))
            gone = (method, path) in SAYS_GONE and "done=gone" in answer.headers.get("location", "")
            if answer.status_code not in (403, 404) and not gone:
                wrong.append(f"{method} {path}: {answer.status_code}")
            assert not any(secret in answer.text for secret in theirs.secrets), path
    assert wrong == []
    assert theirs.digests() == before


@pytest.mark.parametrize("garbled", ["x", "0", "%00", "'; drop table staff; --", "é" * 50])
def test_a_garbled_id_is_not_found_either(house: House, garbled: str) -> None:
    browser, csrf = signed_in(house, Role.ADMINISTRATOR)
    for method, path in CONSOLE:
        names = [name for name in re.findall(r"{(\w+)}", path) if name not in NO_IDS]
        if names and staff_may(Role.ADMINISTRATOR, method, path):
            answer = knock(browser, csrf, method, filled(path, lambda _: garbled))
            assert answer.status_code in (303, 400, 404, 405, 422), f"{method} {path}: {answer.status_code}"
            assert answer.status_code != 303 or answer.headers["location"] != "/sign-in"


NO_IDS = {"token", "name", "locale", "step", "key", "number", "unit"}
"""Parts of paths that are no row of a clinic: links of patients, and words that all clinics share."""


SAYS_GONE = {("POST", "/held/alerts/{alert_id}"), ("POST", "/held/{pause_id}/resume")}
"""What is over already is no fault: the same is said of an id that this clinic does not have."""


class OtherClinic:
    """Another clinic with rows of everything that stands in a path."""

    secrets = ("Zebediah Elsewhere", "Jordan Example")
    """What its staff and its patients are called."""

    def __init__(self, house: House) -> None:
        self.out = house.out
        self.clinic_id = add_clinic(house.out, "south", "+12025550120")
        with house.out.sessions.begin() as session:
            who = staff.add(
                session, clinic_id=self.clinic_id, email="z@south.example", name=self.secrets[0], password=PASSWORD
            )  # fmt: skip
            pauses.switch_on(session, self.clinic_id, Scope.CLINIC, "", "Fire drill", "operator", NOW)
        fill(replace(house, clinic_id=self.clinic_id), who, 1)

    def id_of(self, name: str) -> str:
        """The id of a row that exists; a new kind of id must say in KINDS where its rows are."""
        with self.out.sessions() as session:
            asked = text(f"select id from {KINDS[name]} and clinic_id = :clinic order by id limit 1")
            return str(session.execute(asked, {"clinic": self.clinic_id}).scalar_one())

    def digests(self) -> dict[str, str]:
        """What stands in each of its tables, so that a change shows."""
        with self.out.sessions() as session:
            return {
                table: session.scalar(
                    text(f"select md5(string_agg(one::text, '' order by one::text)) from {table} one"
                         " where clinic_id = :clinic"), {"clinic": self.clinic_id}
                )
                for table in (kind.split()[0] for kind in KINDS.values())
            }  # fmt: skip


KINDS = {
    "patient_id": "patient where true", "staff_id": "staff where true", "message_id": "message where true",
    "visit_id": "infusion where true", "task_id": "task where patient_id is not null",
    "inbound_id": "inbound where patient_id is null", "upload_id": "upload where true", "pause_id": "pause where true",
    "alert_id": "alert where true", "key_id": "api_key where true", "webhook_id": "webhook where true",
    "call_id": "webhook_call where true",
}  # fmt: skip
"""For each name in a path, the table of its rows and which of them."""


def signed_in(house: House, role: Role) -> tuple[TestClient, str]:
    """A browser of somebody with this role, and the secret of its forms."""
    email = f"{role.value}-{uuid4().hex[:6]}@north.example"
    with house.out.sessions.begin() as session:
        staff.add(session, clinic_id=house.clinic_id, email=email, name="R", password=PASSWORD, role=role)
    browser = house.browser()
    form = field(browser.get("/sign-in").text, "form")
    answer = browser.post("/sign-in", data={"form": form, "email": email, "password": PASSWORD})
    assert answer.status_code == 303
    return browser, field(browser.get("/account").text, "csrf")


def knock(browser: TestClient, csrf: str, method: str, path: str):  # type: ignore[no-untyped-def]
    fields = {"csrf": csrf, "do": "out", "decision": "arrived", "attempt": str(uuid4()), "step": "save"}
    return browser.request(method, path, data=fields if method == "POST" else None)


def filled(path: str, value: Callable[[str], str]) -> str:
    return re.sub(r"{(\w+)(?::\w+)?}", lambda found: value(found[1]), path)
