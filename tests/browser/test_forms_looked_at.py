"""Pages that only a sent form shows: what is at fault, what would be saved, the second step of signing in."""

from __future__ import annotations

from uuid import uuid4

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from outreach.domain.access import Role
from outreach.store import codes, invites, staff
from outreach.store.staff import DEMO_PASSWORD
from tests.browser.conftest import Window
from tests.browser.every_page import BOOKED, WIDEST
from tests.browser.site import Site
from tests.browser.test_journeys import fill_enrolment, in_days
from tests.browser.test_pages import violations

pytestmark = pytest.mark.xdist_group("browser")
LARGE, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}


def newcomers(there: Site) -> tuple[str, str]:
    """(the token of an invitation, the address of somebody whose telephone shows codes)."""
    clinic, now = there.one("SELECT id FROM clinic"), there.out.clock()
    email = f"{uuid4().hex[:8]}@clinic.example"
    with there.out.sessions.begin() as session:
        invited = staff.add(session, clinic_id=clinic, email=f"x{email}", name="Nia New", role=Role.VIEWER)
        coded = staff.add(
            session, clinic_id=clinic, email=email, name="Cody Code", password=DEMO_PASSWORD, role=Role.VIEWER
        )
        codes.begin(session, clinic, coded)
        secret = codes.waiting(session, clinic, coded)
        assert secret
        assert codes.accept(session, clinic, coded, pyotp.TOTP(secret).at(now), now)
        return invites.give(session, clinic, invited, now), email


def test_no_page_that_a_form_brings_has_a_barrier_or_is_wider_than_a_phone(there: Site, window: Window) -> None:
    axe, faults, seen = Axe(), [], []

    def look(page: Page, sign: str) -> None:
        """`sign`: what is on this page and on no other, so that it is the page that is meant."""
        assert page.locator(sign).count(), f"{page.url}: no {sign}"
        seen.append(page.url)
        faults.extend(violations(axe, page, dark=len(seen) <= 2))  # a fault and a preview: all colours that there are
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        if (width := page.evaluate("document.documentElement.scrollWidth")) > PHONE["width"]:
            faults.append(f"{page.url}: {width} px, by {page.evaluate(WIDEST)}")
        page.set_viewport_size(LARGE)  # type: ignore[arg-type]

    desk = window()
    fill_enrolment(desk, "<script>alert(1)</script> مريم", "12", days=-400)
    look(desk, "#phone[aria-invalid=true]")
    fill_enrolment(desk, "Pia Preview", "+17735550197", locale="ar")
    look(desk, "button[value=save]")
    desk.goto(f"/visits/{there.one(BOOKED)}")
    desk.locator("[name=date]").fill(in_days(41))
    desk.locator("button[value=preview]").first.click()
    look(desk, "button[value=save]")
    desk.goto("/sequences/ketamine-infusion/change")
    desk.locator("button[value=preview]").first.click()
    look(desk, "button[value=change]")
    desk.goto("/webhooks")
    desk.locator("[name=url]").fill("https://10.0.0.1/")
    desk.locator("main form button").last.click()
    look(desk, "[aria-invalid=true]")
    desk.goto("/imports?page=abc")
    look(desk, "main a[href='/imports']")

    stranger, (token, email) = window(None), newcomers(there)
    stranger.goto(f"/invite/{token}")
    look(stranger, "[name=password]")
    there.sign_in(stranger, "nobody@clinic.example")
    look(stranger, "[role=alert], .error")
    there.sign_in(stranger, email)
    look(stranger, "[name=code]")
    assert len(seen) == 9
    assert not faults, "\n".join(faults)
