"""Who is let in: signing in, with a code and without, and what each role is refused."""

from __future__ import annotations

import re
import time
from uuid import uuid4

import pyotp
import pytest
from playwright.sync_api import expect

from outreach.domain.access import Role
from outreach.store import staff
from outreach.store.staff import DEMO_PASSWORD
from outreach.web.access import DOORS, PUBLIC, staff_may
from tests.browser.conftest import Window
from tests.browser.every_page import NO_PAGES, console_pages
from tests.browser.site import Site

pytestmark = pytest.mark.xdist_group("browser")
CONSOLE = [
    (method, path) for (method, path), who in DOORS.items() if who is not PUBLIC and not path.startswith(NO_PAGES)
]


def any_id(path: str) -> str:
    return re.sub(r"\{\w+\}", str(uuid4()), path)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_staff_without_the_right_role_is_refused_everywhere(there: Site, window: Window, role: Role) -> None:
    desk = window(role)
    desk.goto("/account")
    csrf = desk.locator("[name=csrf]").first.get_attribute("value") or ""
    refused = [(method, path) for method, path in CONSOLE if not staff_may(role, method, path)]
    assert refused
    for method, path in refused:
        sent = {"form": {"csrf": csrf}} if method == "POST" else {}
        answer = desk.request.fetch(any_id(path), method=method, max_redirects=0, **sent)  # type: ignore[arg-type]
        elsewhere = path == "/today" and answer.headers.get("location", "/today") != "/today"  # to the role's own page
        assert answer.status == 403 or elsewhere, f"{role}: {method} {path}: {answer.status}"
    for path in console_pages(there, role):
        answer = desk.request.get(path)
        assert answer.status == 200, f"{role}: {path}: {answer.status}"
    offered = [link.get_attribute("href") for link in desk.locator("nav.wide a").all()]
    assert offered
    assert not {("GET", path) for path in offered} & set(refused), "nothing is offered that is then refused"


def test_nobody_is_let_in_without_signing_in(window: Window) -> None:
    page = window(None)
    for method, path in CONSOLE:
        answer = page.request.fetch(any_id(path), method=method, max_redirects=0)
        assert (answer.status, answer.headers.get("location")) == (303, "/sign-in"), f"{method} {path}"


def test_who_uses_codes_is_asked_for_one_and_none_counts_twice(there: Site, window: Window) -> None:
    email = f"{uuid4().hex[:8]}@clinic.example"
    with there.out.sessions.begin() as session:
        clinic = there.one("SELECT id FROM clinic")
        staff.add(
            session, clinic_id=clinic, email=email, name="Cody Codes", password=DEMO_PASSWORD, role=Role.VIEWER
        )  # fmt: skip
    desk = window(None)
    there.sign_in(desk, email)
    desk.goto("/account")
    desk.locator("form:has(button[value=begin]) [name=password]").fill(DEMO_PASSWORD)
    desk.locator("button[value=begin]").click()
    app = pyotp.TOTP(desk.locator("code[dir=ltr]").inner_text().replace(" ", ""))
    used = app.now()
    desk.locator("[name=code]").fill(used)
    desk.locator("form:has(button[value=confirm]) [name=password]").fill(DEMO_PASSWORD)
    desk.locator("button[value=confirm]").click()
    expect(desk.locator("#codes + .card .status.good")).to_be_visible()
    again = window(None)
    there.sign_in(again, email)
    again.locator("[name=code]").fill(used)
    again.locator("main form button").first.click()
    expect(again.get_by_role("alert")).to_be_visible()
    again.locator("[name=code]").fill(app.at(int(time.time()) + app.interval))
    again.locator("main form button").first.click()
    expect(again).to_have_url(re.compile("/today"))


def test_a_wrong_password_is_refused_with_one_sentence(there: Site, window: Window) -> None:
    page = window(None)
    there.sign_in(page, f"{uuid4().hex[:8]}@clinic.example", "not the password")
    expect(page.get_by_role("alert")).to_have_count(1)
    assert page.url.endswith("/sign-in")
