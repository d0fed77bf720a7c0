"""Sequences at the desk: read, chosen, tried out; and languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from outreach.content.coverage import coverage
from outreach.domain.access import Role
from outreach.domain.channel import Channel
from outreach.settings import ROOT
from outreach.store import choices, patients, staff
from outreach.store.tables import Clinic, Consent, Patient
from outreach.store.tables import Staff as StaffRow
from outreach.store.traffic import Message
from outreach.web.access import who_may
from tests.web.house import PASSWORD, House, add_clinic, count_queries, field

BASE = "/sequences/ketamine-infusion"


def change(house: House, **typed: str) -> Any:
    desk = house.desk()
    page = desk.get(f"{BASE}/change").text
    fields = {"csrf": field(page, "csrf"), "revision": field(page, "revision"), "active": "on", "step": "save"}
    return desk.post(f"{BASE}/change", data=fields | typed)


def try_out(desk: Any, **typed: str) -> Any:
    fields = {"csrf": field(desk.get(f"{BASE}/test").text, "csrf"), "key": "pre.the_day", "channel": "email",
              "locale": "es", "wording": "full"}  # fmt: skip
    return desk.post(f"{BASE}/test", data=fields | typed)


def sign_in_as(house: House, role: Role) -> Any:
    with house.out.sessions.begin() as session:
        staff.add(session, clinic_id=house.clinic_id, email="other@north.example", name="O", password=PASSWORD,
                  role=role)  # fmt: skip
    browser = house.browser()
    form = field(browser.get("/sign-in").text, "form")
    browser.post("/sign-in", data={"form": form, "email": "other@north.example", "password": PASSWORD})
    return browser


def test_a_sequence_reads_as_a_time_line_in_any_language(house: House) -> None:
    desk = house.desk()
    assert BASE in desk.get("/sequences").text
    with count_queries(house.out.engine) as sent:
        page = desk.get(f"{BASE}?locale=ar")
    assert len(sent) <= 8
    assert 'dir="rtl" lang="ar"' in page.text
    assert "3 days before the visit, at 10:00" in page.text
    assert "words are missing" not in page.text
    assert len(page.content) < 150_000
    assert desk.get("/sequences/nothing").status_code == 404
    assert desk.get(f"{BASE}?locale=xx").status_code == 200


def test_choosing_shows_whom_it_concerns_before_it_is_saved(house: House) -> None:
    page = change(house, step="preview", active="off").text
    assert "switched off" in page
    with house.out.sessions() as session:
        assert choices.get(session, house.clinic_id, "ketamine-infusion").revision == 0


def test_a_choice_is_saved_and_shown_and_two_at_once_notice(house: House) -> None:
    assert change(house, **{"at.pre.tomorrow": "15:30", "off.post.two_weeks": "yes"}).status_code == 303
    page = house.desk().get(BASE).text
    assert "at 3:30" in page
    assert "Left out here" in page
    again = change(house, active="off", revision="0")
    assert again.status_code == 409
    assert "meanwhile" in again.text
    assert change(house, active="off").status_code == 303
    assert "This sequence is off" in house.desk().get(BASE).text


@pytest.mark.parametrize("revision", ["", "x", "-1", "9" * 40, "²"])
def test_a_revision_that_is_none_changes_nothing(house: House, revision: str) -> None:
    assert change(house, revision=revision, active="off").status_code == 409


def test_a_time_that_cannot_be_stands_at_its_field_with_what_was_typed(house: House) -> None:
    answer = change(house, **{"at.pre.tomorrow": "06:00"})
    assert answer.status_code == 422
    assert 'value="06:00" aria-invalid="true"' in answer.text
    assert "from 08:00 to 20:00" in answer.text


def test_a_choice_is_one_clinics(house: House) -> None:
    change(house, active="off")
    other = add_clinic(house.out, "south", "+12025550111")
    with house.out.sessions() as session:
        assert choices.get(session, other, "ketamine-infusion").active


def test_a_coordinator_reads_but_does_not_choose(house: House) -> None:
    desk = sign_in_as(house, Role.COORDINATOR)
    assert f"{BASE}/change" not in desk.get(BASE).text
    assert desk.get(f"{BASE}/change").status_code == 403
    assert who_may("POST", "/sequences/{name}/change") == who_may("GET", "/sequences/{name}/change")


def test_what_a_patient_would_get_is_shown_and_nothing_written(house: House) -> None:
    who = house.patient("es")
    with house.out.sessions() as session:
        before = session.scalar(select(func.count()).select_from(Message))
    page = house.desk().get(f"{BASE}/course?patient={who}&date=2026-12-10&time=09:30")
    assert page.status_code == 200
    assert 'lang="es"' in page.text
    assert "has not agreed" in page.text
    assert "Wed, Dec 9, 2026" in page.text
    with house.out.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == before


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("date=2026-12-10&time=", id="no time"),
        pytest.param("date=soon&time=10:00", id="a word"),
        pytest.param("date=2027-03-14&time=02:30", id="an hour that the clock skips"),
        pytest.param("date=9999-12-31&time=10:00", id="too far"),
        pytest.param("date=2026-12-10&time=10:00%2B01:00", id="an offset"),
    ],
)
def test_a_visit_that_cannot_be_is_said(house: House, typed: str) -> None:
    assert house.desk().get(f"{BASE}/course?{typed}").status_code == 422


def test_another_clinics_patient_is_nobody_here_and_a_translator_sees_samples_only(house: House) -> None:
    other = add_clinic(house.out, "south", "+12025550111")
    stranger = house.patient(clinic_id=other)
    desk = house.desk()
    for wanted in (stranger, uuid4(), "x"):
        assert desk.get(f"{BASE}/course?patient={wanted}").status_code == 404
    mine = house.patient(phone="+12025550144")
    translator = sign_in_as(house, Role.TRANSLATOR)
    assert "Ana Sample" not in translator.get(f"{BASE}/course").text
    assert translator.get(f"{BASE}/course?patient={mine}").status_code == 403


def test_a_test_goes_to_oneself_by_the_pump_and_into_no_list(house: House) -> None:
    desk = house.desk()
    assert try_out(desk).headers["location"] == f"{BASE}/test?sent=1"
    with house.out.sessions() as session:
        person = session.scalars(select(StaffRow)).one()
        stand_in = session.get_one(Patient, person.test_patient_id)
        assert stand_in.test
        assert [one.method for one in session.scalars(select(Consent))] == ["staff"]
        message = session.scalars(select(Message)).one()
        assert (message.status, message.locale, message.channel) == ("scheduled", "es", "email")
        reach = patients.addresses(session, house.clinic_id, stand_in.id)
        assert reach[Channel.EMAIL].value == house.email


def test_a_few_tests_an_hour_are_enough(house: House) -> None:
    desk = house.desk()
    assert [try_out(desk).status_code for _ in range(6)] == [303] * 5 + [422]
    later = house.later(timedelta(minutes=61))
    assert try_out(later.desk()).status_code == 303


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param({"channel": "sms"}, id="no phone of one's own"),
        pytest.param({"key": "nothing"}, id="no such message"),
        pytest.param({"key": "staff.message"}, id="a message that staff write"),
        pytest.param({"key": "reply.help"}, id="a message that goes by text only"),
    ],
)
def test_a_test_that_cannot_be_is_refused(house: House, typed: dict[str, str]) -> None:
    answer = try_out(house.desk(), **typed)
    assert answer.status_code == 422
    with house.out.sessions() as session:
        assert session.scalars(select(Message)).all() == []


def test_languages_say_how_far_they_are(house: House) -> None:
    house.patient("es")
    page = house.desk().get("/languages").text
    assert "Offered at enrolment" in page
    words = house.out.words
    spanish = coverage(words, "es", ROOT)
    assert spanish.complete
    voice = words.voices["es"]
    lacking = {key: forms for key, forms in voice.catalog.forms.items() if not key.startswith("pre.tomorrow")}
    cut = replace(words, voices={**words.voices, "es": replace(voice, catalog=replace(voice.catalog, forms=lacking))})
    less = coverage(cut, "es", ROOT)
    assert less.translated < less.total
    assert set(less.short) == {"pre.tomorrow"}


def test_a_neutral_clinic_shows_neutral_words_only(house: House) -> None:
    with house.out.sessions.begin() as session:
        session.get_one(Clinic, house.clinic_id).wording = "neutral"
    assert "ketamine" not in house.desk().get(f"{BASE}/course?wording=full").text.replace("ketamine-infusion", "")
