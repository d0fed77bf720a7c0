"""What the sample clinic does not bring, so that every page has something to show: lists, a key, a webhook."""

from __future__ import annotations

import threading
from datetime import timedelta

from playwright.sync_api import Page, expect

from outreach.actions.load_list import work_off
from tests.browser.site import Site

HEAD = "external_id,name,phone,email,language,zone,infusion_start,minutes,visit_id,consent_sms,consent_date"


def patient_list(site: Site, *rows: str) -> bytes:
    """A list as clinics have it; DAY in a row becomes a day next week."""
    day = (site.out.clock() + timedelta(days=7)).date().isoformat()
    return "\n".join([HEAD, *rows]).replace("DAY", day).encode() + b"\n"


def good(number: int, name: str, phone: str) -> str:
    return f"B-{number},{name},{phone},,es,America/Chicago,DAYT09:30,40,BV-{number},,"


def upload(site: Site, page: Page, name: str, content: bytes) -> None:
    """Through the form, as anybody would, up to its dry run."""
    page.goto("/imports")
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    page.locator("main form button").first.click()
    page.wait_for_url("**/imports/*-*")
    if page.locator("form[action$='/columns']").count():  # a list with other columns than the last one
        page.get_by_role("button", name="Check every row").click()
        expect(page.get_by_role("button", name="Check every row")).to_have_count(0)
    work(site)
    page.reload()


def work(site: Site) -> None:
    """What a worker does with uploaded lists, until none waits; in a thread, as the pump."""
    out = site.out
    thread = threading.Thread(
        target=work_off, args=(out.sessions, out.sequences, out.words, out.clock, threading.Event())
    )
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


def load(site: Site, page: Page) -> None:
    """Press the button of the dry run, and let a worker do it."""
    page.locator("form[action$='/load'] button").click()
    expect(page.locator("form[action$='/load']")).to_have_count(0)
    work(site)
    page.reload()


def furnish(site: Site, page: Page) -> None:
    """One list that waits for a decision, with an error, and one that is loaded; a key, a webhook."""
    upload(site, page, "loaded.csv", patient_list(site, good(1, "Loaded Sample", "+12025550161")))
    load(site, page)
    rows = good(2, "Good Sample", "+12025550162"), "B-3,Wrong Sample,12,,xx,America/Chicago,yesterday,40,BV-3,,"
    upload(site, page, "checked.csv", patient_list(site, *rows))
    page.goto("/keys")
    page.locator("[name=name]").fill("booking system")
    page.locator("[name=scopes]").first.check()
    page.locator("form[action='/keys'] button").click()
    page.goto("/webhooks")
    page.locator("[name=url]").fill("https://ehr.example.org/outreach")
    page.locator("[name=kinds]").first.check()
    page.locator("form[action='/webhooks'] button").click()
    expect(page.locator("main a[href^='/webhooks/']")).to_have_count(1)
