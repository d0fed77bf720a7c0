"""A real browser for the journeys. Where there is none the tests skip, saying what to install; in CI they fail."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from outreach.domain.access import Role
from tests.browser.furnish import furnish
from tests.browser.site import Site, site

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    "no browser: install Chromium (as root: apt-get install chromium; anywhere: .venv/bin/playwright install chromium)"
)
PATIENCE = 10_000  # milliseconds a page may take on a loaded machine before it counts as broken

# With each window came three processes that nobody looks at: pages of the address bar's own, and a spare one. That was
# half of what the pages of a journey took. Of several such lists the last counts: so this says again what Playwright's
# says.
NOT_NEEDED = (
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "InitialWebUI", "WebUIReloadButton",
    "PreloadTopChromeWebUI", "SpareRendererForSitePerProcess",
    "AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay", "MediaRouter",
    "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)  # fmt: skip

HERE = Path(__file__).parent

Window = Callable[..., Page]
_over = ExitStack()
_running: list[Browser] = []


def chromium(playwright: Playwright) -> str | None:
    """The program to run; None where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    own = playwright.chromium.executable_path
    return found or (own if Path(own).exists() else None)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """The browser of this process, without the windows that were opened while the block lasted."""
    if not _running:
        _running.append(_over.enter_context(_started()))
    [browser] = _running
    before = list(browser.contexts)
    yield browser
    for context in browser.contexts:
        if context not in before:
            context.close()


@contextmanager
def _started() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        program = chromium(playwright)
        if program is None:
            if os.environ.get("CI"):
                pytest.fail(MISSING)
            pytest.skip(MISSING)
        expect.set_options(timeout=PATIENCE)
        # Chromium refuses its sandbox to root, and containers have little shared memory.
        flags = ["--disable-dev-shm-usage", f"--disable-features={','.join(NOT_NEEDED)}"]
        flags += ["--no-sandbox"] if os.geteuid() == 0 else []
        started = playwright.chromium.launch(executable_path=program, args=flags)
        yield started
        started.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """One browser for all tests of this folder, and none after them: its driver keeps a loop running in this thread,
    and whatever test came next on this process could not start one of its own."""
    yield
    if nextitem is None or HERE not in nextitem.path.parents:
        _running.clear()
        _over.close()


@pytest.fixture(scope="session")
def there(lasting_database_url: str) -> Iterator[Site]:
    """The demo, up and running, shared by the journeys of this process: each makes the patients that it needs."""
    with site(lasting_database_url) as up:
        with running_browser() as browser, up.context(browser) as context:
            furnish(up, context.new_page())
        up.pump()
        yield up


@pytest.fixture(scope="module")
def browser(there: Site) -> Iterator[Browser]:
    with running_browser() as started:
        yield started


@pytest.fixture
def window(there: Site, browser: Browser) -> Iterator[Window]:
    """`window(role, **options)`: a new page of somebody signed in; whatever the page's own console calls an error fails
    the test."""
    opened: list[BrowserContext] = []
    faults: list[str] = []

    def open_one(role: Role | None = Role.ADMINISTRATOR, **options: Any) -> Page:
        opened.append(there.context(browser, role, **options))
        page = opened[-1].new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
        return page

    yield open_one
    for context in opened:
        context.close()
    assert not faults
