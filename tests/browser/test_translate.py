"""The workbench in a real browser, run alone over a copy of the words: a translator mends an Arabic text message."""

from __future__ import annotations

import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from starlette.types import ASGIApp

from outreach.settings import ROOT
from outreach.web.translate.local import create
from tests.browser.conftest import PATIENCE, running_browser
from tests.browser.every_page import WIDEST
from tests.browser.test_pages import violations

pytestmark = pytest.mark.xdist_group("browser")
KEY = "reply.received.sms"
DEAR = "%(clinic)s: شكرا جزيلا لكم على رسالتكم. سنقرأها. إن لم يحتمل الأمر الانتظار: %(phone)s."
SHORT = "%(clinic)s: شكرا. سنقرأ رسالتكم. للعاجل: %(phone)s."


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the words, with Arabic alone beside English, in which one text is too long."""
    for name in ("config", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    table = tmp_path / "config" / "languages.yaml"
    kept = [line for line in table.read_text("utf-8").splitlines() if line.startswith(("en:", "ar:"))]
    table.write_text("\n".join(kept), "utf-8")
    template = tmp_path / "templates" / "messages" / "reply.received" / "sms.txt"
    source = "{{ clinic }}: Thank you. We read what you write. If it cannot wait, call {{ phone }}."
    template.write_text(f'{{# facts: operational #}}\n{{% trans "{KEY}" %}}{source}{{% endtrans %}}\n', "utf-8")
    for locale in ("en", "ar"):
        shutil.copytree(ROOT / "locales" / locale, tmp_path / "locales" / locale)
    shutil.copy(ROOT / "locales" / "messages.pot", tmp_path / "locales")
    path = catalog(tmp_path)
    entry = (
        f'msgctxt "{KEY}"\nmsgid "%(clinic)s: Thank you. We read what you write. If it cannot wait, call %(phone)s."\n'
    )
    text, count = re.subn(
        rf'msgctxt "{KEY}"\nmsgid ".*"\nmsgstr ".*"\n', f'{entry}msgstr "{DEAR}"\n', path.read_text("utf-8")
    )
    assert count == 1
    path.write_text(text, "utf-8")
    return tmp_path


def catalog(root: Path) -> Path:
    return root / "locales" / "ar" / "LC_MESSAGES" / "messages.po"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as started:
        yield started


@pytest.fixture
def page(root: Path, browser: Browser) -> Iterator[Page]:
    """A window on the workbench; whatever its own console calls an error fails the test."""
    with serving(create(root, "Ana Reviewer <ana@example.org>")) as url:
        context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
        window, faults = context.new_page(), list[str]()
        window.set_default_timeout(PATIENCE)
        window.on("pageerror", lambda error: faults.append(str(error)))
        window.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
        yield window
        context.close()
        assert faults == []


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="critical", access_log=False, timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        over = time.monotonic() + PATIENCE
        while not server.started and time.monotonic() < over:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


def test_a_translator_makes_two_segments_one_and_saves_it_with_the_keyboard(root: Path, page: Page) -> None:
    before = catalog(root).read_text("utf-8").splitlines()
    page.goto("/translate/ar")
    page.get_by_label("Search in English").fill("cannot wait")
    page.keyboard.press("Enter")
    page.locator(f"a[href*='{KEY}']").click()
    typical = page.get_by_role("region", name="Typical values").locator(".segments")
    expect(typical).to_have_text("2 segments")
    expect(page.locator("[data-without-script]")).to_be_hidden()
    field = page.get_by_label("العربية")

    field.fill(SHORT.replace("%(phone)s", ""))
    expect(page.locator("#findings")).to_contain_text("placeholder.missing")
    expect(typical).to_have_text("1 segment")
    field.press("Control+Enter")
    expect(page.get_by_role("alert").first).to_contain_text("Not saved")
    assert catalog(root).read_text("utf-8").splitlines() == before
    field = page.get_by_label("العربية")
    assert field.input_value() == SHORT.replace("%(phone)s", ""), "what was typed is still there"

    field.fill(SHORT.replace("%(phone)s.", ""))
    page.get_by_role("button", name="%(phone)s").click()
    page.keyboard.type(".")
    expect(page.locator("[id='form.0.chips']")).to_have_text(SHORT)
    assert page.locator("[id='form.0.chips'] bdi").all_text_contents() == ["%(clinic)s", "%(phone)s"]
    expect(page.locator("#findings")).to_contain_text("Nothing is wrong.")
    expect(page.locator(".bubble").nth(1)).to_contain_text("604-555-0199")
    field.press("Control+Enter")
    expect(page.get_by_role("status").first).to_contain_text(KEY)

    after = catalog(root).read_text("utf-8").splitlines()
    assert [line for line in after if line not in before and line.startswith("msg")] == [f'msgstr "{SHORT}"']
    assert [line for line in before if line not in after and line.startswith(("msg", "#"))] == [f'msgstr "{DEAR}"']
    assert any(line.startswith("# Ana Reviewer <ana@example.org>, ") for line in after)


def test_the_mail_and_the_page_follow_what_is_typed_and_alt_arrows_go_on(page: Page) -> None:
    page.goto("/translate/ar/pre.the_day.body.vein")
    page.locator("textarea").fill("يعطى الدواء عن طريق الوريد.")
    for kind in ("email", "page"):
        frame = page.frame_locator(f"iframe.{kind}")
        expect(frame.get_by_text("يعطى الدواء عن طريق الوريد.")).to_be_visible()
        expect(frame.locator("html")).to_have_attribute("dir", "rtl")
    page.once("dialog", lambda asked: asked.accept())
    here = page.url
    page.locator("textarea").press("Alt+ArrowDown")
    page.wait_for_url(lambda url: url != here)
    page.keyboard.press("Alt+ArrowUp")
    page.wait_for_url(here)
    assert "يعطى الدواء عن طريق الوريد." not in page.locator("textarea").input_value(), "leaving keeps nothing"


def test_the_button_shows_the_same_without_a_script(root: Path, browser: Browser) -> None:
    with serving(create(root, "Ana Reviewer")) as url:
        context = browser.new_context(base_url=url, java_script_enabled=False)
        page = context.new_page()
        page.goto(f"/translate/ar/{KEY}")
        page.locator("textarea").fill(SHORT)
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_role("region", name="Typical values").locator(".segments")).to_have_text("1 segment")
        assert page.locator("textarea").input_value() == SHORT
        assert page.locator("[id='form.0.chips'] bdi").all_text_contents() == ["%(clinic)s", "%(phone)s"]
        context.close()


def test_no_page_of_the_workbench_has_a_barrier_or_is_wider_than_a_phone(page: Page) -> None:
    axe, faults = Axe(), list[str]()
    units = (
        f"/translate/ar/{KEY}",
        "/translate/ar/pre.the_day.body.long",
        "/translate/en/pre.tomorrow.sms",
        "/translate/ar/neutral.sms",
    )
    for path in ("/translate", "/translate/ar?show=unread", "/translate/ar?q=nobodysaysthis", *units):
        page.goto(path)
        if path == units[0]:
            page.locator("textarea").fill("%(clinic)s  <b>STOP</b>")
            expect(page.locator("#findings")).to_contain_text("markup")
        faults += violations(axe, page)
        page.set_viewport_size({"width": 360, "height": 740})
        if (width := page.evaluate("document.documentElement.scrollWidth")) > 360:
            faults.append(f"{path}: {width} px: {page.evaluate(WIDEST)}")
        page.set_viewport_size({"width": 1280, "height": 900})
        page.once("dialog", lambda asked: asked.accept())
    assert not faults, "\n".join(faults)
