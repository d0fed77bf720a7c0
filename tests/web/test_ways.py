"""The navigation offers what the table of doors allows, and the style guide belongs to the demo."""

from __future__ import annotations

import pytest

from outreach.domain.access import Role
from outreach.web.access import DOORS
from outreach.web.ways import DAILY, MORE, ways
from tests.web.house import House


@pytest.mark.parametrize(
    ("role", "offered", "withheld"),
    [
        (
            Role.ADMINISTRATOR,
            {"/today", "/patients", "/imports", "/held", "/settings", "/staff", "/keys", "/audit"},
            set(),
        ),
        (
            Role.COORDINATOR,
            {"/today", "/patients", "/imports", "/held", "/delivery"},
            {"/settings", "/staff", "/keys", "/audit"},
        ),
        (Role.APPROVER, {"/today", "/patients", "/languages"}, {"/imports", "/held", "/settings", "/staff"}),
        (
            Role.TRANSLATOR,
            {"/sequences", "/languages", "/translate"},
            {"/today", "/patients", "/imports", "/delivery", "/settings"},
        ),
        (Role.VIEWER, {"/today", "/patients", "/delivery"}, {"/imports", "/held", "/settings", "/staff", "/keys"}),
    ],
    ids=[role.value for role in Role],
)
def test_each_role_is_offered_its_own_ways(role: Role, offered: set[str], withheld: set[str]) -> None:
    paths = {way.path for part in ways(role) for way in part}
    assert offered <= paths
    assert not withheld & paths
    assert "/account" in paths


def test_the_days_work_stands_in_the_bar_and_the_rest_under_more() -> None:
    for role in Role:
        daily, more = ({way.path for way in part} for part in ways(role))
        assert len(daily) <= 7, "more than fits beside the clinic's name on an old laptop"
        assert not daily & more
        assert not daily & {"/held", "/doubts"}
    assert "/translate" in {way.path for way in ways(Role.TRANSLATOR)[0]}


def test_every_way_leads_to_a_door() -> None:
    assert {way.path for way in (*DAILY, *MORE)} <= {path for method, path in DOORS if method == "GET"}


def test_the_style_guide_is_shown_in_a_demo_only(house: House) -> None:
    desk = house.desk()
    assert {desk.get(path).status_code for path in ("/styleguide", "/styleguide.css")} == {404}


def test_scripts_may_run_on_the_console_and_never_on_a_patients_page(house: House) -> None:
    browser = house.browser()
    console, patients = browser.get("/sign-in"), browser.get("/p/no-such-link")
    assert "script-src 'self'" in console.headers["content-security-policy"]
    assert "unsafe" not in console.headers["content-security-policy"]
    assert "script-src" not in patients.headers["content-security-policy"]
    assert patients.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_frame_names_its_language_and_direction(house: House) -> None:
    page = house.desk().get("/today").text
    assert '<html lang="en" dir="ltr">' in page
    assert page.count('class="skip"') == 1
    assert page.count("<main") == page.count("<h1") == 1
