"""What the sample clinic does not bring, so that every page has something to show."""

from __future__ import annotations

import threading
from datetime import timedelta
from urllib.parse import quote

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


def write(site: Site, page: Page, words: str) -> None:
    """Answer as one of the sample patients, on the phones page."""
    site.pump()
    page.goto(f"{site.phones}?show=phones")
    page.locator("article.phone h2 a").first.click()
    page.locator("form.answer input[name=body]").fill(words)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[title='taken by the clinic']").first).to_be_visible()
    # and a number that nobody here has: it has no phone on the page yet
    to = site.one("SELECT address FROM sender WHERE channel = 'sms' LIMIT 1")
    answer = page.request.post(
        site.phones.removesuffix("/phones") + "/sandbox/inbound",
        form={"from": "+17735550199", "to": to, "body": words},
    )
    assert answer.ok, answer.text()
    page.goto(f"{site.phones}/{quote('+17735550199')}")
    expect(page.locator("[title='taken by the clinic']").first).to_be_visible()


def furnish(site: Site, page: Page) -> None:
    """A patient's question, a list that waits with an error and one that is loaded, a key, a webhook, /join open."""
    write(site, page, "Is there a parking place for my daughter?")
    upload(site, page, "loaded.csv", patient_list(site, good(1, "Loaded Sample", "+12025550161")))
    load(site, page)
    rows = good(2, "Good Sample", "+12025550162"), "B-3,Wrong Sample,12,,xx,America/Chicago,yesterday,40,BV-3,,"
    upload(site, page, "checked.csv", patient_list(site, *rows))
    page.goto("/keys")
    page.locator("[name=name]").fill("booking system")
    page.locator("[name=scopes]").first.check()
    page.locator("form[action='/keys'] button").click()
    page.goto("/settings")
    page.locator("[name=join_open]").check()
    page.locator("form[action='/settings'] button").click()
    page.wait_for_url("**done=*")
    page.goto("/webhooks")
    page.locator("[name=url]").fill("https://ehr.example.org/outreach")
    page.locator("[name=kinds]").first.check()
    page.locator("form[action='/webhooks'] button").click()
    expect(page.locator("main a[href^='/webhooks/']")).to_have_count(1)
