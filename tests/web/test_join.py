"""The public page for joining: the same answer whoever's number it is, one question at most, nothing for machines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from outreach.actions import join as joining
from outreach.actions import withdraw
from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentKind
from outreach.store import alerts, consents, patients
from outreach.store.office import Audit, JoinTry, Task
from outreach.store.tables import Patient
from outreach.store.traffic import Message
from outreach.web.patient import join as page
from tests.web.house import NOW, House, field
from tests.web.links import hold, set_clinic

FORM = {"name": "Noor Sample", "phone": "(202) 555-0177", "email": "", "read": "yes", "website": ""}
AT = "/join/north?in=es"


@pytest.fixture
def locales() -> tuple[str, ...]:
    return ()  # all of them


@pytest.fixture
def open_house(house: House) -> House:
    set_clinic(house, join_open=True)
    return house


def state(house: House) -> tuple[int, list[tuple[str, str]], list[str]]:
    """(patients, messages by step and channel, kinds of tasks)."""
    with house.out.sessions() as session:
        messages = sorted((row.step, row.channel) for row in session.scalars(select(Message)))
        return len(session.scalars(select(Patient)).all()), messages, sorted(session.scalars(select(Task.kind)))


def send(browser: Any, form: dict[str, str], at: str = AT) -> Any:
    """Send the form as the page gave it: with the mark of the words that it showed."""
    return browser.post(at, data=form | {"shown": field(browser.get(at).text, "shown")})


def test_closed_or_unknown_there_is_no_page(house: House) -> None:
    browser = house.browser()
    for path in ("/join/north", "/join/nowhere", "/join/north?in=es"):
        assert browser.get(path).status_code == 404
        assert browser.post(path, data=FORM).status_code == 404
    assert state(house) == (0, [], [])


def test_every_language_is_offered_first_and_each_shows_the_request_with_its_warning(open_house: House) -> None:
    browser, words = open_house.browser(), open_house.out.words
    first = browser.get("/join/north").text
    for locale in words.locales:
        language = words.language(locale)
        assert f'href="/join/north?in={locale}"' in first
        shown = browser.get(f"/join/north?in={locale}").text
        assert f'lang="{language.tag}" dir="{language.direction}"' in shown
        assert words.ui("consent.request.body.open", locale) in shown.replace("&#39;", "'")
        assert "{" not in shown.partition("<main>")[2].partition("</main>")[0]


def test_a_new_number_is_asked_once_and_waits_for_its_visit(open_house: House) -> None:
    browser = open_house.browser()
    name = "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"  # Persian names are written with what nobody sees
    answer = send(browser, FORM | {"name": name})
    assert (answer.status_code, answer.headers["location"]) == (303, "/join/north?in=es&sent=1")
    assert state(open_house) == (1, [("consent.request", "sms")], ["join"])
    with open_house.out.sessions() as session:
        patient = session.scalars(select(Patient)).one()
        assert patient.locale == "es"
        assert patients.get(session, open_house.clinic_id, patient.id).name == name
        [proof] = consents.history(session, open_house.clinic_id, patient.id)
        assert session.scalars(select(Audit.action)).all() == ["patient.joined"]
    assert (proof.kind, proof.method, proof.basis, proof.locale) == (ConsentKind.ASKED, "join", "request", "es")
    assert "no están cifrados" in proof.wording or "cifrad" in proof.wording
    assert len(proof.wording_version) == 12
    send(browser, FORM)
    assert state(open_house)[1] == [("consent.request", "sms")] * 2, "asked again, since nobody answered"
    send(browser, FORM)
    assert state(open_house)[:2] == (1, [("consent.request", "sms")] * 2), "twice a day is enough"


def test_a_known_number_gets_the_same_answer_and_no_second_patient(open_house: House) -> None:
    held = hold(open_house, phone="+12025550177")
    before = state(open_house)
    browser = open_house.browser()
    known, fresh = send(browser, FORM), send(browser, FORM | {"phone": "2025550188"})
    assert (known.status_code, known.headers["location"]) == (fresh.status_code, fresh.headers["location"])
    assert (known.content, fresh.content) == (b"", b"")
    after = state(open_house)
    assert (after[0], len(after[1])) == (before[0] + 1, len(before[1]) + 1), "only the fresh number was asked"
    assert held.person().name == "Ana Sample"


def test_who_had_stopped_is_left_in_peace_and_staff_are_told(open_house: House) -> None:
    held = hold(open_house, phone="+12025550177")
    open_house.browser().post(f"/p/{held.tokens['pre.the_day']}/preferences", data={"do": "stop_all"})
    before = state(open_house)
    assert send(open_house.browser(), FORM).status_code == 303
    after = state(open_house)
    assert after[:2] == before[:2]
    assert after[2] == ["join"]


def test_a_number_stopped_under_another_name_is_not_asked(open_house: House) -> None:
    held = hold(open_house, phone="+12025550177")
    with open_house.out.sessions.begin() as session:
        reach = patients.addresses(session, open_house.clinic_id, held.patient_id)[Channel.SMS]
        withdraw.stop(session, reach.id, method="sms", evidence="test", now=NOW, wording="STOP", locale="en")
    open_house.patient(phone="+12025550177")  # of the same family, enrolled since: nobody has asked it anything
    before = state(open_house)
    assert send(open_house.browser(), FORM | {"email": "new@example.org"}).status_code == 303
    after = state(open_house)
    assert after[:2] == before[:2]


def test_a_number_that_a_stranger_stopped_is_not_asked_and_makes_no_patient(open_house: House) -> None:
    form = {"MessageSid": "SMstop", "From": "+12025550177", "To": "+12025550110", "Body": "STOP"}
    assert open_house.hook("/hooks/twilio/inbound", form).status_code in (200, 204)
    later = open_house.later(timedelta(days=40)).browser()
    assert send(later, FORM | {"email": "new@example.org"}).status_code == 303
    assert state(open_house) == (0, [], [])


def test_a_number_that_never_answers_is_asked_three_times_ever(open_house: House) -> None:
    for day in range(6):
        send(open_house.later(timedelta(days=3 * day)).browser(), FORM)
    assert state(open_house)[:2] == (1, [("consent.request", "sms")] * 3)


def test_a_mail_of_a_strangers_is_not_bound_to_a_known_patient(open_house: House) -> None:
    held = hold(open_house, phone="+12025550177")
    send(open_house.browser(), FORM | {"email": "thief@example.org"})
    with open_house.out.sessions() as session:
        owners = session.scalars(select(Patient.id)).all()
    assert owners == [held.patient_id]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"name": " "}, "join.wrong.name"),
        ({"name": "x" * 81}, "join.wrong.name"),
        ({"name": "Buy.example"}, "join.wrong.name"),
        ({"phone": ""}, "join.wrong.one"),
        ({"phone": "12"}, "join.wrong.phone"),
        ({"phone": "+1 876 555 0123"}, "join.wrong.phone"),
        ({"phone": "+44 7400 123456"}, "join.wrong.phone"),
        ({"phone": "+1 900 555 0123"}, "join.wrong.phone"),
        ({"email": "nobody"}, "join.wrong.email"),
        ({"read": ""}, "choices.read.first"),
    ],
)
def test_what_is_wrong_is_said_beside_it_and_nothing_typed_is_lost(
    open_house: House, change: dict[str, str], key: str
) -> None:
    answer = send(open_house.browser(), FORM | {"name": "Typed Name"} | change, "/join/north?in=en")
    assert answer.status_code == 422
    assert open_house.out.words.ui(key, "en") in answer.text
    assert ("Typed Name" in answer.text) is ("name" not in change)
    assert state(open_house) == (0, [], [])


def test_the_profile_of_the_law_says_whose_numbers_may_join(open_house: House) -> None:
    set_clinic(open_house, law="eu")
    browser = open_house.browser()
    assert send(browser, FORM | {"phone": "+33 6 12 34 56 78"}).status_code == 303
    assert send(browser, FORM).status_code == 303, "the clinic's own country always may"
    assert send(browser, FORM | {"phone": "+44 7400 123456"}).status_code == 422


def test_a_machine_that_fills_everything_in_is_thanked_and_ignored(open_house: House) -> None:
    assert send(open_house.browser(), FORM | {"website": "x"}).headers["location"].endswith("sent=1")
    assert state(open_house) == (0, [], [])


def test_a_place_that_tries_too_often_waits_an_hour(open_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "PER_PLACE", 2)
    browser = open_house.browser()
    for status in (422, 422, 429, 429):
        assert send(browser, FORM | {"read": ""}).status_code == status
    assert send(open_house.later(timedelta(hours=1)).browser(), FORM).status_code == 303


def test_more_questions_than_a_clinic_needs_are_not_sent_and_raise_an_alert(
    open_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "PER_CLINIC", 2)
    browser = open_house.browser()
    for number in range(4):
        assert send(browser, FORM | {"phone": f"202555017{number}"}).status_code == 303
    people, messages, _ = state(open_house)
    assert (people, len(messages)) == (2, 2)
    with open_house.out.sessions() as session:
        [alert] = alerts.open_alerts(session, open_house.clinic_id)
    assert (alert.kind, alert.count) == (joining.FLOOD, 2)
    assert "Too many people join" in open_house.desk().get("/held").text


def test_nothing_that_counts_tries_holds_a_number(open_house: House) -> None:
    send(open_house.browser(), FORM)
    with open_house.out.sessions() as session:
        keys = session.scalars(select(JoinTry.key)).all()
    assert len(keys) == 3
    assert all(b"555" not in key and len(key) >= 16 for key in keys)


def test_the_answer_one_by_text_is_consent_and_nothing_before(open_house: House) -> None:
    send(open_house.browser(), FORM)
    with open_house.out.sessions.begin() as session:
        patient_id: UUID = session.scalars(select(Patient.id)).one()
        message = session.scalars(select(Message)).one()
        message.status, message.sent_at = "sent", NOW
    desk = open_house.desk()
    assert "Asked, no answer yet" in desk.get(f"/patients/{patient_id}").text
    assert "Joined by themselves" in desk.get("/today").text


def test_the_poster_carries_the_code_and_says_when_the_page_is_closed(house: House) -> None:
    desk = house.desk()
    shown = desk.get("/join-poster").text
    assert "<svg" in shown
    assert "http://testserver/join/north" in shown
    assert "is closed" in shown
    set_clinic(house, join_open=True)
    assert "is closed" not in desk.get("/join-poster").text
