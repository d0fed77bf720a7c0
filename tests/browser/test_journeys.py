"""The ways that people go: at the desk, on the telephone, on the patient's page."""

from __future__ import annotations

import re
from datetime import date, timedelta
from urllib.parse import quote
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Window
from tests.browser.site import Site

pytestmark = pytest.mark.xdist_group("browser")
PHONE_SIZE = {"width": 360, "height": 740}


def in_days(days: int) -> str:
    return (date.today() + timedelta(days=days)).isoformat()  # noqa: DTZ011  weeks ahead: no zone changes the test


def fill_enrolment(page: Page, name: str, phone: str, *, locale: str = "en", consent: str = "", days: int = 20) -> None:
    """From the list of patients to the preview."""
    page.goto("/patients")
    page.get_by_role("link", name="Enrol a patient").first.click()
    page.locator("[name=name]").fill(name)
    page.locator("[name=external]").fill(f"J-{uuid4().hex[:8]}")
    page.locator("[name=locale]").select_option(locale)
    page.locator("[name=phone]").fill(phone)
    page.locator("[name=date]").fill(in_days(days))
    page.locator("[name=time]").fill("10:00")
    page.locator("[name=minutes]").fill("40")
    page.locator(f"[name=consent][value='{consent}']").check()
    if consent:
        page.locator("[name=signed]").fill(in_days(-1))
    page.locator("button[value=preview]").last.click()


def enrol(page: Page, name: str, phone: str, **more: object) -> str:
    """Enrol, and the patient's id."""
    fill_enrolment(page, name, phone, **more)  # type: ignore[arg-type]
    page.locator("button[value=save]").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    found = re.search(r"/patients/([0-9a-f-]{36})", page.url)
    assert found, page.url
    return found[1]


@pytest.mark.parametrize(("script", "phone"), [(True, "+17735550191"), (False, "+17735550192")])
def test_a_patient_is_enrolled_from_nothing_to_the_first_message_and_agrees(
    there: Site, window: Window, script: bool, phone: str
) -> None:
    desk, handset = window(java_script_enabled=script), window(None)
    fill_enrolment(desk, "Rosa Journey", phone, locale="es")
    expect(desk.get_by_text("Not saved yet.")).to_be_visible()
    expect(desk.locator("main")).to_contain_text("Asking for agreement")
    there.pump()
    handset.goto(f"{there.phones}/{quote(phone)}")
    expect(handset.locator(".theirs")).to_have_count(0)  # a preview sends nothing
    desk.locator("button[value=save]").first.click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Rosa Journey")
    assert there.pump() == 1
    handset.goto(f"{there.phones}/{quote(phone)}")
    expect(handset.locator(".theirs .bubble")).to_contain_text("STOP")
    handset.locator("form.answer input[name=body]").fill("1")
    handset.get_by_role("button", name="Send").click()
    expect(handset.locator("[title='taken by the clinic']")).to_be_visible()
    desk.reload()
    expect(desk.locator("#agreement ~ .list").first).to_contain_text("Agreed")
    desk.set_viewport_size(PHONE_SIZE)
    expect(desk.locator("dl.facts").first).to_contain_text("Agreed")


def test_a_form_that_comes_back_keeps_what_was_typed_and_leads_to_each_fault(window: Window) -> None:
    desk = window()
    fill_enrolment(desk, "<script>alert(1)</script> مريم", "12", days=-400)
    alert = desk.get_by_role("alert")
    expect(alert).to_be_visible()
    expect(desk.locator("[name=name]")).to_have_value("<script>alert(1)</script> مريم")
    expect(desk.locator("[name=phone]")).to_have_value("12")
    expect(desk.locator("[name=phone]")).to_have_attribute("aria-invalid", "true")
    alert.locator("a[href='#phone']").click()
    assert desk.evaluate("location.hash") == "#phone"


def test_moving_a_visit_shows_old_and_new_before_it_is_saved(there: Site, window: Window) -> None:
    desk = window()
    enrol(desk, "Mara Mover", "+17735550193", consent="warned", days=20)
    there.pump()
    desk.reload()
    before = desk.locator(".line .when").all_inner_texts()
    desk.get_by_role("link", name=re.compile("^Move or cancel")).first.click()
    desk.locator("[name=date]").fill(in_days(27))
    desk.locator("button[value=preview]").first.click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Move this visit?")
    desk.locator("button[value=save]").first.click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Mara Mover")
    after = desk.locator(".line .when").all_inner_texts()
    assert set(after) - set(before), "the plan changed"
    visit = desk.get_by_role("link", name=re.compile("^Move or cancel")).first.get_attribute("href") or ""
    assert there.one("SELECT revision FROM infusion WHERE id = :id", id=visit.rpartition("/")[2]) == 1


def test_of_two_who_move_one_visit_the_second_is_told_and_loses_nothing(window: Window) -> None:
    first, second = window(), window()
    enrol(first, "Tess Twice", "+17735550194", consent="warned", days=20)
    first.get_by_role("link", name=re.compile("^Move or cancel")).first.click()
    second.goto(first.url)
    for desk, days in ((first, 27), (second, 34)):
        desk.locator("[name=date]").fill(in_days(days))
        desk.locator("button[value=preview]").first.click()
    first.locator("button[value=save]").first.click()
    expect(first.get_by_role("heading", level=1)).to_have_text("Tess Twice")
    second.locator("button[value=save]").first.click()
    expect(second.get_by_text("Somebody changed this visit meanwhile.")).to_be_visible()
    expect(second.locator("[name=date]")).to_have_value(in_days(34))


@pytest.mark.parametrize(("locale", "phone"), [("en", "+17735550195"), ("ar", "+17735550196")])
def test_a_patient_stops_from_the_page_on_a_telephone_without_a_script(
    there: Site, window: Window, locale: str, phone: str
) -> None:
    desk = window()
    patient = enrol(desk, "Sam Stopper", phone, locale=locale, consent="warned")
    there.pump()
    message = there.one("SELECT id FROM message WHERE patient_id = :id ORDER BY due_at LIMIT 1", id=patient)
    page = window(None, java_script_enabled=False, viewport=PHONE_SIZE)
    page.goto(f"/p/{there.out.vault.token('message', message)}")
    expect(page.locator("html")).to_have_attribute("dir", "rtl" if locale == "ar" else "ltr")
    page.reload()
    desk.reload()
    expect(desk.locator("dl.facts").first).not_to_contain_text("Stopped")
    page.locator("form[action$='/stop'] button").click()
    expect(page.get_by_role("status")).to_be_visible()
    expect(page.locator("form[action$='/stop']")).to_have_count(0)
    desk.reload()
    expect(desk.locator("dl.facts").first).to_contain_text("Stopped by the patient")


def test_the_desk_stops_all_messages_only_with_a_tick_that_the_patient_asked(window: Window) -> None:
    desk = window()
    enrol(desk, "Tara Tick", "+17735550197", consent="warned")
    desk.get_by_role("link", name="Stop messages to this patient").click()
    everything = desk.get_by_role("button", name="Stop all messages")
    everything.click()
    expect(desk.locator("[name=asked]")).to_have_attribute("aria-invalid", "true")
    expect(everything).to_be_visible()  # the form is open where it was left
    expect(desk.locator("dl.facts").first).not_to_contain_text("Stopped")
    desk.locator("[name=asked]").check()
    everything.click()
    expect(desk.locator("dl.facts").first).to_contain_text("Stopped at the desk")
    expect(desk.get_by_role("link", name="Stop messages to this patient")).to_have_count(0)


def test_a_patients_question_is_found_taken_and_answered_from_the_inbox(there: Site, window: Window) -> None:
    desk, handset, phone = window(), window(None), "+17735550198"
    patient = enrol(desk, "Quinn Question", phone, consent="warned")
    there.pump()
    handset.goto(f"{there.phones}/{quote(phone)}")
    handset.locator("form.answer input[name=body]").fill("Is there a parking place near the door?")
    handset.get_by_role("button", name="Send").click()
    expect(handset.locator("[title='taken by the clinic']")).to_be_visible()
    desk.goto("/inbox")
    desk.get_by_role("link", name="Quinn Question").click()
    expect(desk.locator(".talk .theirs")).to_contain_text("parking place")
    desk.get_by_role("button", name="I take it").click()
    desk.locator("textarea[name=text]").fill("Yes, behind the house. Please ring twice.")
    desk.get_by_role("button", name="Send", exact=True).click()
    expect(desk.locator(".talk .ours").last).to_contain_text("Please ring twice.")
    there.pump()
    handset.goto(f"{there.phones}/{quote(phone)}")
    expect(handset.locator(".theirs .bubble").last).to_contain_text("Please ring twice.")
    assert there.one("SELECT count(*) FROM task WHERE patient_id = :id AND taken_by IS NOT NULL", id=patient) == 1
