"""Signing in: one sentence for every refusal, a limit on tries, sessions that end on the server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from outreach.domain.access import Role
from outreach.errors import BadInput
from outreach.store import staff
from outreach.store.office import SignInTry
from outreach.store.tables import Clinic, Staff, StaffSession
from outreach.web.app import create
from outreach.web.console.signin import DEMO_ONLY, WAIT, WRONG
from outreach.web.tries import PER_PERSON
from tests.web.house import NOW, PASSWORD, PUBLIC, House, TestClient, field


def test_the_health_page_asks_the_database(house: House) -> None:
    assert house.browser().get("/healthz").text == "ok\n"


@pytest.mark.parametrize("path", ["/today", "/patients", "/patients/new", "/patients/x", "/visits/x"])
def test_a_stranger_is_sent_to_sign_in(house: House, path: str) -> None:
    answer = house.browser().get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


@pytest.mark.parametrize(
    ("email", "password"),
    [("desk@north.example", "wrong"), ("nobody@north.example", PASSWORD), ("", ""), ("desk@north.example", "")],
    ids=["wrong password", "unknown person", "nothing", "no password"],
)
def test_every_refusal_says_the_same(house: House, email: str, password: str) -> None:
    browser = house.browser()
    form = field(browser.get("/sign-in").text, "form")
    answer = browser.post("/sign-in", data={"form": form, "email": email, "password": password})
    assert answer.status_code == 403
    assert WRONG in answer.text
    assert "outreach_desk" not in browser.cookies


def test_an_unknown_person_costs_one_hash_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []

    def never(stored: str, _password: str) -> bool:
        checked.append(stored)
        return False

    monkeypatch.setattr(staff, "_matches", never)
    with house.out.sessions() as session:
        for email in ("desk@north.example", "nobody@north.example"):
            assert staff.recognise(session, email, "wrong") is None
    assert len(checked) == 2
    assert all(stored.startswith("$argon2id$") for stored in checked)


def test_a_foreign_page_cannot_sign_anybody_in(house: House) -> None:
    browser = house.browser()
    browser.get("/sign-in")
    answer = browser.post("/sign-in", data={"form": "x", "email": "desk@north.example", "password": PASSWORD})
    assert answer.status_code == 403
    assert "outreach_desk" not in browser.cookies


def test_too_many_tries_must_wait_even_with_the_right_word(house: House) -> None:
    browser = house.browser()
    form = field(browser.get("/sign-in").text, "form")
    entry = {"form": form, "email": "desk@north.example", "password": "wrong"}
    for _ in range(PER_PERSON):
        assert browser.post("/sign-in", data=entry).status_code == 403
    answer = browser.post("/sign-in", data=entry | {"password": PASSWORD})
    assert answer.status_code == 429
    assert WAIT in answer.text


def try_in(house: House, address: str, password: str, cookies: dict[str, str] | None = None) -> int:
    """One try at the desk's account from this address; the status of the answer."""
    browser = TestClient(create(house.out), base_url=PUBLIC, follow_redirects=False, client=(address, 5000))
    browser.cookies.update(cookies or {})
    form = field(browser.get("/sign-in").text, "form")
    entry = {"form": form, "email": house.email, "password": password}
    return browser.post("/sign-in", data=entry).status_code


def test_a_stranger_elsewhere_locks_nobody_out(house: House) -> None:
    for _ in range(PER_PERSON):
        assert try_in(house, "198.51.100.7", "wrong") == 403
    assert try_in(house, "198.51.100.7", PASSWORD) == 429
    assert try_in(house, "198.51.100.8", PASSWORD) == 303


def test_a_stranger_at_the_same_address_does_not_lock_out_a_browser_that_is_known(house: House) -> None:
    known = dict(house.entered().cookies)
    for _ in range(PER_PERSON):
        assert try_in(house, "testclient", "wrong") == 403
    assert try_in(house, "testclient", PASSWORD) == 429
    device = {"outreach_device": known["outreach_device"]}
    assert try_in(house, "testclient", PASSWORD, device) == 303
    assert try_in(house, "testclient", PASSWORD, {"outreach_device": "A" * 22}) == 429, "a made-up one helps nobody"


def test_many_wrong_passwords_at_once_are_no_more_than_the_limit(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at, together, really = [], Barrier(12), staff.recognise

    def recognise(session: Session, email: str, password: str) -> staff.Known | None:
        looked_at.append(password)
        return really(session, email, password)

    monkeypatch.setattr(staff, "recognise", recognise)
    browser = house.browser()
    form, cookies = field(browser.get("/sign-in").text, "form"), dict(browser.cookies)

    def wrong(n: int) -> int:
        mine = TestClient(browser.app, base_url=PUBLIC, follow_redirects=False, cookies=cookies)
        together.wait(30)
        return mine.post("/sign-in", data={"form": form, "email": house.email, "password": f"wrong {n}"}).status_code

    with ThreadPoolExecutor(12) as pool:
        statuses = sorted(pool.map(wrong, range(12)))
    assert len(looked_at) == PER_PERSON
    assert statuses == [403] * PER_PERSON + [429] * (12 - PER_PERSON)


def test_a_success_gives_back_its_own_try_alone(house: House) -> None:
    assert try_in(house, "198.51.100.7", "wrong") == 403
    assert try_in(house, "198.51.100.7", PASSWORD) == 303
    with house.out.sessions() as session:
        assert session.scalar(select(func.count()).select_from(SignInTry)) == 1, "the place's own failure stays"


def test_a_network_of_ipv6_is_one_place_and_old_tries_are_deleted(house: House) -> None:
    for n in range(PER_PERSON):
        assert try_in(house, f"2001:db8:1:2::{n}", "wrong") == 403
    assert try_in(house, "2001:db8:1:2:ffff::1", PASSWORD) == 429
    assert try_in(house, "2001:db8:1:3::1", PASSWORD) == 303
    later = house.later(timedelta(minutes=16))
    assert try_in(later, "2001:db8:1:2::1", "wrong") == 403
    with house.out.sessions() as session:
        assert session.scalar(select(func.count()).select_from(SignInTry)) == 2, "one try, its pair and its place"
        assert house.email.encode() not in b"".join(session.scalars(select(SignInTry.key)))


def test_the_cookie_is_for_the_browser_alone(house: House) -> None:
    browser = house.browser()
    form = field(browser.get("/sign-in").text, "form")
    answer = browser.post("/sign-in", data={"form": form, "email": " Desk@North.Example", "password": PASSWORD})
    cookie = answer.headers.get_list("set-cookie")[0]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    with house.out.sessions() as session:
        stored = session.scalars(select(StaffSession)).one()
    assert browser.cookies["outreach_desk"].encode() not in stored.token_hash


def test_signing_out_ends_the_session_on_the_server(house: House) -> None:
    browser = house.desk()
    stolen = dict(browser.cookies)
    csrf = field(browser.get("/today").text, "csrf")
    assert browser.post("/sign-out", data={"csrf": csrf}).status_code == 303
    thief = house.browser()
    thief.cookies.update(stolen)
    assert thief.get("/today").status_code == 303


@pytest.mark.parametrize("path", ["/sign-out", "/patients", "/patients/new"])
def test_a_form_without_the_sessions_secret_is_refused(house: House, path: str) -> None:
    browser = house.desk()
    assert browser.post(path, data={"csrf": "x"}).status_code == 403
    assert browser.get("/today").status_code == 200


def test_a_session_ends_when_idle_and_when_old(house: House) -> None:
    browser = house.desk()
    for minutes, status in [(29, 200), (58, 200), (89, 303)]:
        later = house.later(timedelta(minutes=minutes)).browser()
        later.cookies.update(dict(browser.cookies))
        assert later.get("/today").status_code == status
    with house.out.sessions.begin() as session:
        staff.forget_old_sessions(session, NOW + staff.LONGEST + timedelta(seconds=1))
        assert session.scalar(select(func.count()).select_from(StaffSession)) == 0


def test_whoever_left_is_out_at_once(house: House) -> None:
    browser = house.desk()
    with house.out.sessions.begin() as session:
        session.scalars(select(Staff)).one().active = False
    assert browser.get("/today").status_code == 303


@pytest.mark.parametrize(("email", "password"), [("new@north.example", "short"), ("DESK@north.example", PASSWORD)])
def test_staff_need_a_long_password_and_an_address_of_their_own(house: House, email: str, password: str) -> None:
    with house.out.sessions() as session, pytest.raises(BadInput):
        staff.add(session, clinic_id=house.clinic_id, email=email, name="X", password=password, role=Role.ADMINISTRATOR)


def test_the_start_page_of_a_clinic_in_service_shows_no_password(house: House) -> None:
    answer = house.browser().get("/")
    assert answer.status_code == 303
    assert staff.DEMO_PASSWORD not in answer.text


@pytest.mark.parametrize(
    ("url", "status"), [(PUBLIC, 403), ("https://outreach.example.org", 403), ("http://127.0.0.1:8000", 303)]
)
def test_the_password_that_every_reader_knows_opens_a_demo_on_its_own_machine_alone(
    house: House, url: str, status: int
) -> None:
    with house.out.sessions.begin() as session:
        session.execute(update(Clinic).values(demo=True))
    out = replace(house.out, settings=house.out.settings.model_copy(update={"public_url": url}))
    browser = House(out, house.clinic_id).browser()
    browser.base_url = url  # behind TLS a cookie is sent to no other kind of address
    form = field(browser.get("/sign-in").text, "form")
    answer = browser.post("/sign-in", data={"form": form, "email": house.email, "password": PASSWORD})
    assert answer.status_code == status
    assert (DEMO_ONLY in answer.text) == (status == 403)
    with house.out.sessions() as session:
        assert session.scalar(select(func.count()).select_from(StaffSession)) == (status == 303)


def test_whoever_signs_in_ends_the_session_that_the_browser_brought_along(house: House) -> None:
    browser, elsewhere = house.desk(), house.desk()
    brought = browser.cookies["outreach_desk"]
    browser.cookies.set("outreach_form", "f", domain="testserver.local", path="/")
    answer = browser.post("/sign-in", data={"form": "f", "email": house.email, "password": PASSWORD})
    assert answer.status_code == 303
    thief = house.browser()
    thief.cookies.set("outreach_desk", brought)
    assert thief.get("/today").headers.get("location") == "/sign-in"
    assert browser.get("/today").status_code == elsewhere.get("/today").status_code == 200
