"""The clinic's settings and the audit: faults at their fields, two people at once, who did what."""

from __future__ import annotations

import re
from datetime import time, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from outreach.domain.access import Role
from outreach.settings import ROOT
from outreach.store import audit, clinics, staff
from outreach.store.office import Audit
from tests.web.house import NOW, PASSWORD, House, TestClient, add_clinic

WAITS = re.compile(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"')


CHOSEN = ("wording", "unapproved")


def form_of(browser: TestClient) -> dict[str, str]:
    """The form of the settings as a browser would send it."""
    text = browser.get("/settings").text
    found = {name: value for name, value in WAITS.findall(text) if name not in (*CHOSEN, "join_open")}
    for name, value in re.findall(r'<textarea id="(\w+)"[^>]*>\n(.*?)</textarea>', text, re.DOTALL):
        found[name] = value
    for name, block in re.findall(r'<select id="(\w+)".*?>(.*?)</select>', text, re.DOTALL):
        found[name] = re.search(r'value="([^"]*)" selected', block)[1]  # type: ignore[index]
    chosen = {name: re.search(rf'name="{name}" value="(\w+)" checked', text)[1] for name in CHOSEN}  # type: ignore[index]
    return found | chosen


def test_saving_what_stands_there_changes_nothing(house: House) -> None:
    desk = house.desk()
    assert desk.post("/settings", data=form_of(desk)).headers["location"] == "/settings?done=kept"
    with house.out.sessions() as session:
        assert set(session.scalars(select(Audit.action))) == {"staff.signed_in"}


def test_what_is_changed_is_written_down_without_what_people_wrote(house: House) -> None:
    desk = house.desk()
    changes = {"address": "5 Quiet Lane", "quiet_to": "09:00", "most_a_day": "2", "phone": "(202) 555-0166"}
    assert desk.post("/settings", data=form_of(desk) | changes).headers["location"].startswith("/settings?done=")
    with house.out.sessions() as session:
        clinic = clinics.by_id(session, house.clinic_id)
        assert (clinic.address, clinic.quiet_to, clinic.phone) == ("5 Quiet Lane", time(9), "+12025550166")
        row = session.scalars(select(Audit).where(Audit.action == "clinic.adjusted")).one()
    assert row.detail["values"] == {"quiet_to": ["08:00", "09:00"], "most_a_day": ["4", "2"]}
    assert row.detail["changed"] == ["address", "most_a_day", "phone", "quiet_to"]
    assert "Quiet Lane" not in str(row.detail)
    assert "09:00" in desk.get("/audit").text


WRONG = [
    ("name", "", "must not be empty"),
    ("name", "x" * 61, "61 characters"),
    ("name", "North \u202e clinic", "invisible characters"),
    ("phone", "12", "Not a phone number"),
    ("emergency", "help", "Not a phone number"),
    ("zone", "Mars/Olympus", "Choose one from the list"),
    ("country", "XX", "Choose one from the list"),
    ("locale", "tlh", "Choose one from the list"),
    ("wording", "loud", "Choose one from the list"),
    ("quiet_to", "25:00", "Write hours and minutes"),
    ("quiet_from", "07:00", "later than the beginning"),
    ("most_a_day", "0", "whole number from 1"),
    ("most_a_day", "15", "A week cannot hold fewer"),
    ("most_a_week", "٣", "whole number from 1"),
    ("directions", "y" * 1001, "1001 characters"),
]


@pytest.fixture
def desk(house: House) -> TestClient:
    return house.desk()


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(house: House, desk: TestClient) -> None:
    as_it_is = form_of(desk)
    for name, value, says in WRONG:
        answer = desk.post("/settings", data=as_it_is | {"address": "Typed Street 7", name: value})
        assert answer.status_code == 422, (name, value)
        assert says in answer.text, (name, value)
        assert "Typed Street 7" in answer.text
    assert form_of(desk)["address"] == as_it_is["address"], "nothing was saved"


def test_two_who_change_the_same_are_told_and_neither_is_lost(house: House, desk: TestClient) -> None:
    other = house.desk()
    mine, theirs = form_of(desk), form_of(other)
    other.post("/settings", data=theirs | {"address": "Their Street", "most_a_day": "3"})
    answer = desk.post("/settings", data=mine | {"address": "My Street", "emergency": "112"})
    assert answer.status_code == 409
    assert "Somebody else wrote here: Their Street" in answer.text
    assert "My Street</textarea>" in answer.text
    assert 'name="most_a_day" type="number" value="3"' in answer.text, "what only they changed is theirs"
    with house.out.sessions() as session:
        clinic = clinics.by_id(session, house.clinic_id)
    assert (clinic.address, clinic.most_a_day, clinic.emergency) == ("Their Street", 3, "911")


def test_two_who_change_different_things_do_not_meet(house: House, desk: TestClient) -> None:
    mine, theirs = form_of(desk), form_of(house.desk())
    desk.post("/settings", data=theirs | {"csrf": mine["csrf"], "most_a_day": "3"})
    assert desk.post("/settings", data=mine | {"emergency": "112"}).status_code == 303
    with house.out.sessions() as session:
        clinic = clinics.by_id(session, house.clinic_id)
    assert (clinic.most_a_day, clinic.emergency) == (3, "112")


# The audit


def test_the_audit_is_filtered_by_day_person_and_subject_and_names_staff(house: House, desk: TestClient) -> None:
    with house.out.sessions.begin() as session:
        for days, action, subject in [(0, "patient.enrolled", "patient"), (-1, "visit.moved", "visit")]:
            audit.note(session, clinic_id=house.clinic_id, at=NOW + timedelta(days=days), actor_kind="staff",
                       actor_id=staff.id_of(session, house.email), action=action, subject=subject,
                       subject_id=uuid4())  # fmt: skip
    text = desk.get("/audit").text
    assert "Dana Desk" in text
    assert "enrolled a patient" in text
    assert "moved a visit" in text
    assert "moved a visit" not in desk.get("/audit?day=2026-11-21").text
    assert "moved a visit" in desk.get("/audit?day=2026-11-20").text
    assert "enrolled a patient" not in desk.get("/audit?subject=visit").text
    assert "There is no such entry" in desk.get("/audit?actor=key").text
    assert "This is not a day" in desk.get("/audit?day=yesterday&below=x&actor=nobody").text


def test_the_audit_has_pages_and_shows_no_other_clinic(house: House, desk: TestClient) -> None:
    other = add_clinic(house.out, "south", "+12025550120")
    with house.out.sessions.begin() as session:
        for n in range(120):
            audit.note(session, clinic_id=house.clinic_id, at=NOW, actor_kind="system", actor_id=None,
                       action="note.added", subject="note", subject_id=f"mark-{n}-")  # fmt: skip
        audit.note(session, clinic_id=other, at=NOW, actor_kind="system", actor_id=None, action="secret.theirs")
    seen, path = [], "/audit"
    while path:
        text = desk.get(path).text
        assert "secret.theirs" not in text
        seen += re.findall(r"<code>mark-(\d+)-</code>", text)
        older = re.search(r'rel="next" href="([^"]+)"', text)
        path = older[1].replace("&amp;", "&") if older else ""
    assert seen == [str(n) for n in reversed(range(120))]


def test_every_deed_that_is_written_down_has_plain_words() -> None:
    words = (ROOT / "templates" / "console" / "audit_words.html").read_text("utf-8")
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "outreach").rglob("*.py"))
    deeds = set(re.findall(r'action="([a-z]+\.[a-z_]+)"', sources))
    assert sorted(deed for deed in deeds if f'"{deed}":' not in words) == []


def test_an_administrator_of_one_clinic_reads_names_of_that_clinic_only(house: House, desk: TestClient) -> None:
    other = add_clinic(house.out, "south", "+12025550120")
    with house.out.sessions.begin() as session:
        staff.add(session, clinic_id=other, email="z@south.example", name="Zoe South", password=PASSWORD,
                  role=Role.ADMINISTRATOR)  # fmt: skip
    assert "Zoe South" not in desk.get("/audit").text
