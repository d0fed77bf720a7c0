"""`outreach pictures`: screenshots of the main pages of a running demo, for the README."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from outreach.errors import OutreachError
from outreach.settings import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LARGEST = 150_000  # bytes: every clone carries them for ever
WIDE, SLIM = (1280, 800), (360, 740)
NO_BROWSER = (
    "no browser to take pictures with: `make test` sets up Playwright; Chromium comes with `apt-get install chromium`"
    " (as root) or `.venv/bin/playwright install chromium`."
)


@dataclass(frozen=True)
class Picture:
    """One file. `path`: a page of the console, "first:/x" the first link of it, "patient:ar" an Arabic one.s page."""

    name: str
    path: str
    size: tuple[int, int] = WIDE
    scheme: Literal["light", "dark"] = "light"


PICTURES = (
    Picture("today", "/today"),
    Picture("today-dark", "/today", scheme="dark"),
    Picture("today-phone", "/today", SLIM),
    Picture("patients", "/patients"),
    Picture("patient", "first:/patients"),
    Picture("patient-phone-dark", "first:/patients", SLIM, "dark"),
    Picture("enrol-phone", "/patients/new", SLIM),
    Picture("sequence", "/sequences/ketamine-infusion"),
    Picture("delivery", "/delivery"),
    Picture("languages", "/languages"),
    Picture("inbox", "/inbox"),
    Picture("translate", "/translate/ar/pre.tomorrow.sms"),
    Picture("translate-list", "/translate/ar"),
    Picture("approve", "/languages/ar/pre.tomorrow"),
    Picture("page-en", "patient:en", SLIM),
    Picture("page-ar", "patient:ar", SLIM),
    Picture("page-ar-dark", "patient:ar", SLIM, "dark"),
)
MOST_PAGES = 20


def register(app: typer.Typer) -> None:
    app.command("pictures")(pictures)


def pictures(
    url: Annotated[
        str, typer.Option(help="Where the demo runs; start one with `outreach up`.")
    ] = "http://127.0.0.1:8000",
    phones: Annotated[str, typer.Option(help="Its phones page; the console's port plus one by default.")] = "",
    to: Annotated[Path, typer.Option(help="The folder for the pictures.")] = ROOT / "docs" / "pictures",
) -> None:
    """Take the pictures of docs/pictures anew from a running demo."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ModuleNotFoundError:
        raise OutreachError(NO_BROWSER) from None
    to.mkdir(parents=True, exist_ok=True)
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        except Error as error:
            raise OutreachError(f"{NO_BROWSER} ({str(error).partition(chr(10))[0]})") from None
        try:
            for picture in PICTURES:
                taken = _take(browser, picture, url, phones or _phones(url), to)
                typer.echo(f"{taken.name}: {taken.stat().st_size // 1000} kB")
        except Error as error:
            what = str(error).partition("\n")[0]
            raise OutreachError(f"the demo at {url} did not show what is wanted ({what}). Is it running?") from None
        finally:
            browser.close()


def _take(browser: Browser, picture: Picture, url: str, phones: str, to: Path) -> Path:
    from outreach.store.staff import DEMO_EMAIL, DEMO_PASSWORD

    width, height = picture.size
    with browser.new_context(
        base_url=url, viewport={"width": width, "height": height}, color_scheme=picture.scheme, reduced_motion="reduce"
    ) as context:
        page = context.new_page()
        page.set_default_timeout(15_000)
        kind, _, rest = picture.path.rpartition(":")
        if kind == "patient":
            _open_as_patient(page, phones, rest)
        else:
            page.goto("/sign-in")
            page.locator("[name=email]").fill(DEMO_EMAIL)
            page.locator("[name=password]").fill(DEMO_PASSWORD)
            page.locator("main form button").first.click()
            page.wait_for_url("**/today")
            page.goto(rest)
            if kind == "first":
                page.goto(page.locator("main a[href^='/patients/']:has(bdi)").first.get_attribute("href") or rest)
        target = to / f"{picture.name}.png"
        page.screenshot(path=target)
    if (size := target.stat().st_size) > LARGEST:
        raise OutreachError(f"{target} has {size} bytes; pictures here have at most {LARGEST}. Show less on it.")
    return target


def _open_as_patient(page: Page, phones: str, locale: str) -> None:
    """By a link in somebody's mail, as patients do; the first whose page is in this language."""
    for number in range(1, MOST_PAGES):
        page.goto(f"{phones}?show=mail&page={number}")
        found = dict.fromkeys(re.findall(r"href=&quot;(https?://[^&]+/p/[\w-]+)&quot;", page.content()))
        for link in found:
            page.goto(link)
            if page.locator("html").get_attribute("lang") == locale:
                return
        if not found:
            break
    raise OutreachError(f"no mail of a patient who reads {locale} is on {phones} yet: let the demo run for a minute.")


def _phones(url: str) -> str:
    front, _, port = url.rstrip("/").rpartition(":")
    return f"{front}:{int(port) + 1}/phones"
