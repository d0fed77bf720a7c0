"""Every page: no barrier that axe knows, nothing wider than a phone, nothing that needs a script."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Window
from tests.browser.every_page import BOOKED, NO_LINK, WIDEST, console_pages, open_pages, patients_pages
from tests.browser.site import Site

pytestmark = pytest.mark.xdist_group("browser")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLOURS = {"runOnly": ["color-contrast"]}
ONLY = {"resultTypes": ["violations"]}
LOOK = "async options => (await axe.run(options)).violations"


@pytest.fixture(scope="session")
def axe() -> Axe:
    return Axe()


def violations(axe: Axe, page: Page, *, dark: bool = True) -> list[str]:
    """What axe finds on this page: everything by day, by night the colours, which alone are others then."""
    # Not by axe.run() of Python: it fetches whatever axe found in order too, which takes a seventh of the time.
    page.evaluate(axe.axe_script)
    found = page.evaluate(LOOK, RULES | ONLY)
    if dark:
        page.emulate_media(color_scheme="dark")
        found += page.evaluate(LOOK, COLOURS | ONLY)
        page.emulate_media(color_scheme="light")
    return [
        f"{page.url} {one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes'][:3]]}" for one in found
    ]


def opened(page: Page, path: str) -> None:
    answer = page.goto(path)
    assert answer is not None
    assert answer.status in ({404, 410} if NO_LINK in path else {200}), f"{path}: {answer.status}"


def test_no_console_page_has_a_barrier_by_day_or_by_night(there: Site, window: Window, axe: Axe) -> None:
    page, faults = window(), []
    for path in console_pages(there):
        opened(page, path)
        faults += violations(axe, page)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_no_patients_page_has_a_barrier(there: Site, window: Window, axe: Axe, locale: str) -> None:
    page, faults = window(None), []
    for path in patients_pages(there, locale):
        opened(page, path)
        faults += violations(axe, page)
    assert not faults, "\n".join(faults)


def test_what_nobody_need_sign_in_for_has_no_barrier(there: Site, window: Window, axe: Axe) -> None:
    page, faults = window(None), []
    for path in open_pages(there):
        opened(page, path)
        faults += violations(axe, page, dark=False)
    assert not faults, "\n".join(faults)


def test_on_a_phone_no_page_is_too_wide_and_every_target_is_large_enough_for_a_finger(
    there: Site, window: Window
) -> None:
    """Each page is asked for once, and turned round: too wide in neither direction of writing. 44 px for buttons,
    fields and the ways through the console; links within text are exempt (WCAG 2.5.8)."""
    page, faults = window(viewport={"width": 360, "height": 740}), []
    console = console_pages(there)
    for path in [*console, *patients_pages(there, "ar"), *patients_pages(there, "en")]:
        opened(page, path)
        if path in console:
            faults += [f"{path}: {one}" for one in page.evaluate(SMALL)]
        for direction in ("ltr", "rtl"):
            page.evaluate("to => document.documentElement.dir = to", direction)
            if (width := page.evaluate("document.documentElement.scrollWidth")) > 360:
                faults.append(f"{path} {direction}: {width} px, by {page.evaluate(WIDEST)}")
    assert not faults, "\n".join(faults)


def test_the_console_works_without_a_script(there: Site, window: Window) -> None:
    """That every page is there without one is seen where each is read in Spanish (test_language)."""
    page = window(java_script_enabled=False)
    page.goto("/today")
    page.set_viewport_size({"width": 360, "height": 740})
    page.get_by_text("Menu", exact=True).click()
    page.get_by_role("link", name="Patients", exact=True).click()
    assert page.url.endswith("/patients")


SMALL = """() => [...document.querySelectorAll("button, .button, select, textarea, nav a, summary, "
      + "input:not([type=hidden], [type=checkbox], [type=radio])")]
    .filter(one => { const box = one.getBoundingClientRect(); return box.height && box.height < 43.5 })
    .slice(0, 5).map(one => one.outerHTML.slice(0, 120) + " " + one.getBoundingClientRect().height)"""


def test_the_bar_is_one_line_on_a_laptop_and_no_number_breaks_on_a_phone(there: Site, window: Window) -> None:
    page = window(viewport={"width": 1280, "height": 800})
    opened(page, "/today")
    box = page.locator(".bar .frame").bounding_box()
    assert box is not None
    assert box["height"] < 70
    page.set_viewport_size({"width": 360, "height": 740})
    patient = there.one(BOOKED.replace("i.id", "c.patient_id"))
    for path in (f"/patients/{patient}", f"/inbox/patients/{patient}"):
        opened(page, path)
        page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true })")
        rows = page.locator("main .whole").evaluate_all("all => all.map(one => one.getClientRects().length)")
        assert rows
        assert set(rows) == {1}
