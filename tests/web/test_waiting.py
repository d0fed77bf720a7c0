"""What was due before the patient agreed: it waits, goes once they do, and is not said to be lost meanwhile."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from outreach.actions.agree import agree
from outreach.actions.withdraw import stop
from outreach.domain.status import Status
from outreach.errors import Reason
from outreach.store import messages
from outreach.store.tables import Address
from outreach.store.traffic import Message
from tests.web.house import NOW, House
from tests.web.test_patient import home, typed


def late(house: House) -> str:
    """A patient who has been asked; the visit is in two days, so that its first message was due at once, and was kept
    back. Its page."""
    path = home(house, consent="", date="2026-11-23", time="15:00", locale="en")
    with house.out.sessions.begin() as session:
        due = session.scalars(select(Message.id).where(Message.step == "pre.the_day", Message.due_at <= NOW)).all()
        assert len(due) == 1
        messages.finish(session, due, Status.SUPPRESSED, Reason.NO_CONSENT, NOW)
    return path


def lines(html: str) -> dict[str, str]:
    """The timeline's lines by their message."""
    found = re.findall(r'<li class="[^"]*" id="m-.*?</li>', html, re.S)
    return {re.findall(r"<strong>([^<]+)<", one)[0]: one for one in found}


ABOUT = "About the visit, with date and place"


def test_what_was_due_before_the_yes_waits_on_every_page_and_is_no_change(house: House) -> None:
    path, browser = late(house), house.desk()
    line = lines(browser.get(path).text)[ABOUT]
    assert "Waits for agreement" in line
    assert "Why:" not in line
    assert "What it will say" in line
    today = browser.get("/today").text
    assert 'show=waiting"><b>1</b>' in today
    assert "Waits for agreement" in browser.get("/today/messages?show=waiting").text
    for group in ("show=not_sent", "reason=no_consent"):
        assert ABOUT not in browser.get(f"/today/messages?{group}").text
    edit = typed(browser.get(f"{path}/edit").text) | {"name": "Maria", "step": "preview"}
    assert "What changes</h2>" not in browser.post(f"{path}/edit", data=edit).text


def address(house: House) -> UUID:
    with house.out.sessions() as session:
        return session.scalars(select(Address.id)).one()


def test_the_yes_plans_what_waited(house: House) -> None:
    path = late(house)
    with house.out.sessions.begin() as session:
        assert agree(session, address(house), method="sms", evidence="1", locale="en", wording="Yes?", now=NOW)
    line = lines(house.desk().get(path).text)[ABOUT]
    assert ("Planned" in line, "Waits" in line) == (True, False)


def test_after_a_no_or_too_late_it_is_not_sent(house: House) -> None:
    path = late(house)
    over = house.later(timedelta(days=3)).desk().get(path).text
    assert "Not sent" in lines(over)[ABOUT]
    with house.out.sessions.begin() as session:
        stop(session, address(house), method="page", evidence="no", now=NOW)
    desk = house.desk()
    assert "Not sent" in lines(desk.get(path).text)[ABOUT]
    assert "show=waiting" not in desk.get("/today").text
