"""Today: the way to enrol, what e-mail can and cannot tell, and instructions that nobody has approved."""

from __future__ import annotations

import re
from itertools import pairwise

from outreach.domain.access import Role
from outreach.store import staff
from tests.web.house import PASSWORD, House, field
from tests.web.links import hold
from tests.web.test_console import FORM
from tests.web.test_instructions import write

ENROL = '<a class="button" href="/patients/new">'


def test_the_day_leads_to_enrolling_for_whoever_may(house: House) -> None:
    with house.out.sessions.begin() as session:
        staff.add(session, clinic_id=house.clinic_id, email="look@north.example", name="Vi", password=PASSWORD,
                  role=Role.VIEWER)  # fmt: skip
    assert ENROL in house.desk().get("/today").text
    assert ENROL not in house.desk("look@north.example").get("/today").text


def test_mail_is_not_said_to_wait_for_a_receipt(house: House) -> None:
    held = hold(house)
    for step, columns in {
        "pre.the_day": {"status": "sent"}, "pre.tomorrow": {"status": "sent", "channel": "email"},
        "post.check_in": {"status": "accepted", "channel": "email"},
    }.items():  # fmt: skip
        held.set_message(step, **columns)
    desk = house.desk()
    page = desk.get("/today").text
    found = dict(re.findall(r'show=(\w+)"><b>(\d+)</b>', page))
    assert (found["sent"], found["mailed"], found["arrived"]) == ("1", "2", str(len(held.ids) - 3))
    assert "E-mail gives no receipts" in page
    listed = desk.get("/today/messages?show=mailed").text
    assert listed.count("Handed to the mail server") == 2 == listed.count(f'href="/patients/{held.patient_id}#')
    assert desk.get("/today/messages?show=sent").text.count(f'href="/patients/{held.patient_id}#') == 1


def test_instructions_that_wait_for_an_approver_are_told_of_with_a_way_there(house: House) -> None:
    pages, way = ("/today", "/languages"), 'href="/instructions?language=en"'
    assert not any(way in house.desk().get(page).text for page in pages)
    assert write(house, "en", food="Eat nothing from midnight on.")[0] == 303
    assert all(way in house.desk().get(page).text for page in pages)


def test_what_is_due_at_once_stands_text_before_mail_whatever_its_ids(house: House) -> None:
    browser = house.desk()
    csrf = field(browser.get("/patients/new").text, "csrf")
    form = FORM | {"csrf": csrf, "step": "preview", "consent": "", "email": "jose@example.com"}
    for _ in range(2):  # each time with other ids
        lines = re.findall(r"<strong>([^<]+)</strong>\s*<span class=\"muted\">([^<]+)<",
                           browser.post("/patients/new", data=form).text)  # fmt: skip
        assert len(lines) > 6
        assert lines[0][0] == "Asking for agreement"
        for text, mail in pairwise(lines):
            assert text[1] == "E-mail" or mail == (text[0], "E-mail"), lines


def test_a_day_without_visits_leads_to_the_next_ones(house: House) -> None:
    empty = house.desk().get("/today").text
    assert "No visit is booked yet." in empty
    assert 'href="/imports"' in empty
    who = hold(house).patient_id
    page = house.desk().get("/today").text
    following = page.partition("The next visits")[2].partition("</ul>")[0]
    assert f'href="/patients/{who}"' in following
    on = re.findall(r'href="/today\?day=([0-9-]+)"', following)
    assert len(on) == 1
    assert "The next visits" not in house.desk().get(f"/today?day={on[0]}").text
