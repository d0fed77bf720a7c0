"""What the preview of a change says of a patient who gets no news of it: true of that patient."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from outreach.actions import withdraw
from outreach.domain.channel import Channel
from outreach.store import enrolments
from outreach.store.rows import together
from tests.web.house import NOW, House, field
from tests.web.links import Held, hold

UNHEARD, SAME = "No message about this visit has gone out", "The patient knows this time already"
STOPPED, TOLD = "may not be written to now. Tell them yourself", "The patient is told"
MOVED = {"date": "2026-11-25", "time": "09:30", "minutes": "40"}


def follow(house: House) -> Held:
    """A patient who has had every message about a visit, in a course that follows the clinic's series."""
    held = hold(house)
    with house.out.sessions.begin() as session:
        course_id = enrolments.course_for(session, house.clinic_id, held.patient_id, NOW)
        course = enrolments.course(session, course_id)
        together(session, enrolments.enrolling(uuid4(), course, next(iter(house.out.sequences)), "", NOW))
    return held


@pytest.mark.parametrize(
    ("heard", "stop", "form", "says"),
    [
        (False, False, MOVED, UNHEARD),
        (True, False, MOVED, TOLD),
        (True, False, MOVED | {"date": "2026-11-24", "minutes": "90"}, SAME),
        (True, True, MOVED, STOPPED),
        (True, True, None, STOPPED),
    ],
    ids=["nothing went out", "news goes", "only longer", "stopped since", "stopped, cancelled"],
)
def test_it_says_why_no_message_tells_the_change(
    house: House, heard: bool, stop: bool, form: dict[str, str] | None, says: str
) -> None:
    held = follow(house)
    for step in () if heard else held.ids:
        held.set_message(step, status="cancelled" if step.startswith("visit.") else "scheduled", sent_at=None)
    if stop:
        with house.out.sessions.begin() as session:
            withdraw.stop(session, held.addresses[Channel.SMS], method="sms", evidence="1", now=NOW)
    desk, own = house.desk(), f"/visits/{held.visit_id}"
    page = desk.get(own).text
    typed = (form or {}) | {"csrf": field(page, "csrf"), "revision": field(page, "revision")}
    html = desk.post(f"{own}/{'move' if form else 'cancel'}", data=typed | {"step": "preview"}).text
    assert "Not saved yet" in html or "Not cancelled yet" in html, re.findall("<p>[^<]*", html)
    assert [one for one in (UNHEARD, SAME, STOPPED, TOLD) if one in html] == [says]


def test_back_at_the_time_the_patient_knows_nothing_needs_to_be_told(house: House) -> None:
    held = follow(house)
    desk, own = house.desk(), f"/visits/{held.visit_id}"
    page = desk.get(own).text
    typed = {"csrf": field(page, "csrf"), "revision": field(page, "revision")}
    assert desk.post(f"{own}/move", data=MOVED | typed | {"step": "save"}).status_code == 303
    typed["revision"] = field(desk.get(own).text, "revision")
    html = desk.post(f"{own}/move", data=MOVED | typed | {"date": "2026-11-24"}).text
    assert SAME in html
    assert not re.search(f"{UNHEARD}|{TOLD}", html)
