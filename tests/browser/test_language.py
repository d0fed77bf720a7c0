"""The console in the language of whoever reads it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Window
from tests.browser.every_page import WIDEST, console_pages
from tests.browser.site import Site

pytestmark = pytest.mark.xdist_group("browser")


def test_staff_choose_spanish_and_every_page_follows_also_without_a_script(there: Site, window: Window) -> None:
    """Both in one walk through all pages, each of which costs a tenth of a second; widths are the browser's own."""
    desk = window(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    desk.goto("/account")
    desk.locator("[name=locale]").select_option("es")
    desk.locator("form[action='/account'] button").first.click()
    expect(desk.locator("html")).to_have_attribute("lang", "es")
    try:
        for path in console_pages(there):
            answer = desk.goto(path)
            assert answer is not None
            assert (answer.status, desk.locator("h1").count()) == (200, 1), path
            assert desk.locator("html").get_attribute("lang") == "es", path
            assert desk.evaluate("document.documentElement.scrollWidth") <= 360, f"{path}: {desk.evaluate(WIDEST)}"
            assert desk.locator("nav.slim summary").inner_text() == "Menú", path
    finally:
        desk.goto("/account")
        desk.locator("[name=locale]").select_option("en")
        desk.locator("form[action='/account'] button").first.click()
        expect(desk.locator("html")).to_have_attribute("lang", "en")


def test_the_page_for_signing_in_follows_the_browser(window: Window) -> None:
    page = window(None, locale="es-MX")
    page.goto("/sign-in")
    expect(page.get_by_role("heading", level=1)).to_have_text("Entrar")
    page.goto("/no-such-page")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("No se encontró"))
