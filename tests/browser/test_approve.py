"""Translate and approve: a text is mended in the workbench, read and approved at the desk, and reaches a patient."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from outreach.domain.access import Role
from outreach.domain.channel import Channel
from outreach.domain.window import tz_version, wall_at
from outreach.settings import ROOT
from outreach.store import messages, patients
from tests.browser.conftest import PATIENCE, running_browser
from tests.browser.every_page import WIDEST
from tests.browser.site import Site, site
from tests.browser.test_journeys import enrol
from tests.browser.test_pages import violations

pytestmark = pytest.mark.xdist_group("browser")
TEXT, PHONE = "reply.coming", "+17735550177"
KEY = f"{TEXT}.sms"
EARLIER = "%(clinic)s: شكرا جزيلا لكم على ردكم. سجلنا لدينا أنكم ستحضرون إلى موعدكم القادم عندنا في الوقت المحدد."
BETTER = "%(clinic)s: شكرا. سجلنا حضوركم."


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the words, in which one Arabic text is longer than it need be."""
    for name in ("config", "templates", "locales"):
        shutil.copytree(ROOT / name, tmp_path / name)
    path = tmp_path / "locales" / "ar" / "LC_MESSAGES" / "messages.po"
    entry = rf'(msgctxt "{re.escape(KEY)}"\nmsgid ".*"\n)msgstr ".*"\n'
    text, count = re.subn(entry, rf'\1msgstr "{EARLIER}"\n', path.read_text("utf-8"))
    assert count == 1
    path.write_text(text, "utf-8")
    return tmp_path


@pytest.fixture
def there(fresh_database_url: str, root: Path) -> Iterator[Site]:
    with site(fresh_database_url, root) as up:
        yield up


def told(there: Site, page: Page, patient_id: UUID, number: int) -> str:
    """What arrives on the patient's phone when they are told that their answer was noted."""
    out, clinic_id = there.out, there.one("SELECT clinic_id FROM patient WHERE id = :id", id=patient_id)
    with out.sessions.begin() as session:
        reach = patients.addresses(session, clinic_id, patient_id)[Channel.SMS]
        now = out.clock()
        messages.add_occasion(
            session, clinic_id=clinic_id, patient_id=patient_id, address_id=reach.id, channel=Channel.SMS, step=TEXT,
            occasion=f"test:{number}", zone="America/Chicago", due_at=now, useful_until=now + timedelta(days=1),
            wall=wall_at(now, "America/Chicago"), tz_version=tz_version(),
        )  # fmt: skip
    assert there.pump() == 1
    page.goto(f"{there.phones}/{quote(PHONE)}")
    expect(page.locator(".theirs .bubble")).to_have_count(number)
    return page.locator(".theirs .bubble").nth(number - 1).inner_text()


def test_words_reach_a_patient_once_they_are_mended_read_and_approved_and_the_earlier_ones_until_then(
    there: Site,
) -> None:
    with running_browser() as browser:
        contexts = [there.context(browser, role) for role in (Role.COORDINATOR, Role.TRANSLATOR, Role.APPROVER, None)]
        desk, bench, reviewer, handset = (context.new_page() for context in contexts)
        for page in (desk, bench, reviewer, handset):
            page.set_default_timeout(PATIENCE)
        patient_id = UUID(enrol(desk, "Amal Journey", PHONE, locale="ar", consent="warned", days=20))
        there.pump()
        handset.goto(f"{there.phones}/{quote(PHONE)}")
        before = handset.locator(".theirs .bubble").count()

        bench.goto(f"/translate/ar/{KEY}")
        typical = bench.locator(".segments").nth(1)
        expect(typical).to_have_attribute("data-segments", "2")
        bench.locator("textarea").fill(BETTER)
        expect(typical).to_have_attribute("data-segments", "1")
        bench.get_by_role("button", name="Save", exact=True).click()
        bench.wait_for_url("**saved=*")
        for _ in range(3):  # a change counts once two looks found it the same; one may be the application's own
            there.out.lexicon.refresh()

        assert "شكرا جزيلا لكم" in told(there, handset, patient_id, before + 1), "nobody has approved the new words"

        reviewer.goto("/languages")
        reviewer.get_by_role("link", name="العربية").click()
        reviewer.get_by_role("link", name="Answer: the patient will come").click()
        expect(reviewer.locator("#before ~ .changed ins").last).to_contain_text("حضوركم")
        axe, faults = Axe(), []
        for width in (1280, 360):
            reviewer.set_viewport_size({"width": width, "height": 800})
            for path in ("/languages/ar", f"/languages/ar/{TEXT}"):
                reviewer.goto(path)
                faults += violations(axe, reviewer)
                faults += reviewer.evaluate(WIDEST) if width == 360 else []
        assert faults == []
        reviewer.locator("[name=reviewer]").fill("Rana Reviewer")
        reviewer.locator("[name=role]").fill("medical translator")
        reviewer.get_by_role("button", name="Approve", exact=True).click()
        expect(reviewer.get_by_role("alert")).to_contain_text("Tick that you have read the words.")
        expect(reviewer.locator("[name=reviewer]")).to_have_value("Rana Reviewer")
        reviewer.locator("[name=read]").check()
        reviewer.get_by_role("button", name="Approve", exact=True).click()
        expect(reviewer.get_by_role("status")).to_contain_text("Approved.")

        said = told(there, handset, patient_id, before + 2)
        assert "سجلنا حضوركم" in said
        assert "جزيلا" not in said

        clinician = reviewer
        clinician.goto(f"/patients/{patient_id}")
        clinician.get_by_role("link", name="The words as approved").last.click()
        expect(clinician.locator("main")).to_contain_text("سجلنا حضوركم")
        expect(clinician.locator("main")).to_contain_text("Rana Reviewer")
        for context in contexts:
            context.close()
