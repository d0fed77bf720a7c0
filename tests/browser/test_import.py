"""A list with errors: seen at the cell, the good rows loaded, the rest left out."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Window
from tests.browser.furnish import good, load, patient_list, upload
from tests.browser.site import Site

pytestmark = pytest.mark.xdist_group("browser")


def test_a_list_with_errors_is_seen_before_it_is_loaded_in_part(there: Site, window: Window) -> None:
    desk = window()
    rows = [
        good(31, "Ida Import", "+17735550181"),
        good(32, "Ivo Import", "+17735550182"),
        good(33, "Bad Import", "12"),
    ]
    upload(there, desk, "list.csv", patient_list(there, *rows))
    faulty = desk.locator("tr.faulty")
    expect(faulty).to_have_count(1)
    expect(faulty).to_contain_text("12")
    expect(faulty.locator(".wrong").first).to_be_visible()
    load(there, desk)
    expect(desk.locator("main")).to_contain_text("2")
    desk.goto("/patients")
    desk.locator("[name=find]").fill("Import")
    desk.locator("form[role=search] button").first.click()
    expect(desk.get_by_role("link", name="Ida Import")).to_be_visible()
    expect(desk.get_by_role("link", name="Ivo Import")).to_be_visible()
    expect(desk.get_by_role("link", name="Bad Import")).to_have_count(0)
