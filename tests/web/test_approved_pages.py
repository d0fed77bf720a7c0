"""The patient's pages under a clinic's approvals: no silent other language, nothing unread shown, stopping always."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from outreach.actions import approve
from outreach.actions.approve import Reviewer
from outreach.store.ids import fresh_id
from outreach.store.tables import Clinic, Consent, Patient
from outreach.store.traffic import Attempt, InboundMessage, Message
from tests.web.house import NOW, House, field
from tests.web.links import hold, set_clinic
from tests.web.test_join import AT, FORM

SPANISH, ENGLISH = 'lang="es"', 'lang="en"'


@pytest.fixture
def locales() -> tuple[str, ...]:
    return ()  # all of them


def withdraw(house: House, locale: str, *keys: str) -> None:
    with house.out.sessions.begin() as session:
        for key in keys:
            assert approve.withdraw(session, house.clinic_id, locale, key, Reviewer("Ana", "reviewer"), NOW)


def asked(house: House) -> str:
    """A Spanish patient's request, sent in Spanish; the path of its page."""
    message_id, token = house.message(house.patient("es"), "consent.request")
    with house.out.sessions.begin() as session:
        session.execute(update(Message).where(Message.id == message_id).values(locale="es"))
    return f"/p/{token}"


def head(answer: Any) -> str:
    return str(answer.text.partition("<head>")[0])


def agreements(house: House) -> list[tuple[str, str]]:
    with house.out.sessions() as session:
        return [(row.kind, row.locale) for row in session.scalars(select(Consent).order_by(Consent.seq))]


def test_an_unrelated_text_taken_back_leaves_the_request_in_the_patients_language(house: House) -> None:
    path, browser = asked(house), house.browser()
    withdraw(house, "es", "post.two_weeks", "canned")
    page = browser.get(path)
    assert SPANISH in head(page)
    assert browser.post(f"{path}/agree", data={"shown": field(page.text, "shown")}).status_code == 303
    assert agreements(house) == [("agreed", "es")]


def test_a_request_that_is_not_approved_in_the_readers_language_is_agreed_to_by_nobody(house: House) -> None:
    path, browser = asked(house), house.browser()
    mark = field(browser.get(path).text, "shown")
    withdraw(house, "es", "consent.request")
    words = house.out.words
    for query in ("", "?in=es", "?in=xx"):
        page = browser.get(path + query)
        assert (page.status_code, "/agree" in page.text) == (200, False)
        assert words.ui("consent.request.body.open", "en") not in page.text
        refused = browser.post(f"{path}/agree{query}", data={"shown": mark})
        assert (refused.status_code, words.ui("choices.not_here", "es") in refused.text) == (409, True)
    assert agreements(house) == []
    chosen = browser.get(path + "?in=en")  # asked for by the reader: this is no fallback
    assert ENGLISH in head(chosen)
    assert f'action="{path}/agree?in=en"' in chosen.text
    browser.post(f"{path}/agree?in=en", data={"shown": field(chosen.text, "shown")})
    assert agreements(house) == [("agreed", "en")]


def test_another_message_is_shown_in_the_clinics_language_with_an_interpreter_offered(house: House) -> None:
    path, browser = f"/p/{hold(house, 'es').tokens['pre.the_day']}", house.browser()
    assert SPANISH in head(browser.get(path))
    withdraw(house, "es", "pre.the_day")
    page = browser.get(path)
    assert ENGLISH in head(page)
    line = house.out.words.voices["es"].say("hint.interpreter", phone="#").partition("#")[0].strip()
    assert line in page.text.partition("<article>")[2].partition("</article>")[0]
    assert "?in=es" not in page.text, "the language is not offered for this page"
    assert ENGLISH in head(browser.get(path + "?in=es")), "nor to whoever asks for it by hand"
    assert 'lang="vi"' in head(browser.get(path + "?in=vi"))
    withdraw(house, "vi", "pre.the_day")
    assert ENGLISH in head(browser.get(path + "?in=vi"))


def test_without_approved_pages_only_the_numbers_are_shown_and_stopping_still_works(house: House) -> None:
    path, browser = asked(house), house.browser()
    withdraw(house, "es", "page")
    assert SPANISH not in head(browser.get(path))
    for locale in set(house.out.words.voices) - {"es"}:
        withdraw(house, locale, "page")
    page = browser.get(path)
    for part in ("North Clinic", "tel:+12025550100", "tel:911"):
        assert part in page.text
    for key in ("page.title", "page.stop", "page.privacy", "page.agree"):
        assert house.out.words.ui(key, "en") not in page.text
    assert browser.post(f"{path}/agree", data={"shown": ""}).status_code == 409
    question = f"/p/{hold(house, 'es', phone='+12025550144').tokens['pre.the_day']}"
    assert browser.post(f"{question}/answer", data={"answer": "2"}).status_code == 409
    assert browser.get(f"{question}/visit.ics").status_code == 404
    for do in ("full", "resume", "language"):
        form = {"do": do, "read": "yes", "language": "vi", "channel": "sms"}
        assert browser.post(f"{question}/preferences", data=form).status_code == 422
    with house.out.sessions() as session:
        assert session.scalars(select(InboundMessage)).all() == []
    stop = path.replace("/p/", "/u/")
    assert f'action="{stop}"' in page.text
    assert browser.post(stop).status_code == 200
    assert [kind for kind, _ in agreements(house)] == ["agreed", "agreed", "opted_out"]


def test_a_calendar_file_and_more_words_need_their_own_approvals(house: House) -> None:
    held, browser = hold(house, "es", warned=False), house.browser()
    path = f"/p/{held.tokens['pre.the_day']}"
    ui, more = house.out.words.ui, {"do": "full", "read": "yes"}
    assert f"SUMMARY:{ui('calendar.summary', 'es')}" in browser.get(f"{path}/visit.ics").text
    withdraw(house, "es", "hint", "consent.request")
    assert f"SUMMARY:{ui('calendar.summary', 'en')}" in browser.get(f"{path}/visit.ics").text
    assert 'value="full"' not in browser.get(f"{path}/preferences").text
    assert browser.post(f"{path}/preferences", data=more).status_code == 422
    assert not any(one.warned for one in held.ledger())
    withdraw(house, "en", "hint")
    assert "visit.ics" not in browser.get(path).text
    assert browser.get(f"{path}/visit.ics").status_code == 404
    assert browser.post(f"{path}/preferences?in=vi", data=more).status_code == 303
    assert sum(one.warned for one in held.ledger()) == 2


def test_no_thank_you_is_a_stop_like_any_other_and_nothing_before_the_button_is_pressed(house: House) -> None:
    path, browser = asked(house), house.browser()
    page = browser.get(path).text
    assert house.out.words.ui("page.decline", "es") in page
    assert page.count(f'action="{path}/stop"') == 1, "one way to say no, beside the yes"
    assert agreements(house) == []
    for _ in range(2):
        assert browser.post(f"{path}/stop").status_code == 303
    assert agreements(house) == [("opted_out", "es")]
    after = browser.get(path).text
    assert "/agree" not in after
    assert house.out.words.ui("page.stopped", "es", clinic="North Clinic") in after


def test_joining_is_refused_in_a_language_that_is_not_approved_and_closed_without_any(house: House) -> None:
    set_clinic(house, join_open=True)
    browser = house.browser()
    mark = field(browser.get(AT).text, "shown")
    withdraw(house, "es", "consent.request")
    assert AT not in browser.get("/join/north").text
    assert "<form" not in browser.get(AT).text
    assert "sent=1" not in browser.post(AT, data=FORM | {"shown": mark}).headers.get("location", "")
    for locale in set(house.out.words.voices) - {"es"}:
        withdraw(house, locale, "consent.request")
    assert browser.get("/join/north").status_code == browser.post(AT, data=FORM).status_code == 404
    with house.out.sessions() as session:
        assert session.scalars(select(Patient)).all() == []


def test_words_that_changed_since_they_were_shown_are_shown_again_and_not_recorded(house: House) -> None:
    set_clinic(house, join_open=True)
    path, browser = asked(house), house.browser()
    before, joining = (field(browser.get(one).text, "shown") for one in (path, AT))
    with house.out.sessions.begin() as session:
        session.execute(update(Clinic).values(name="Renamed Clinic"))
    for given in ({"shown": before}, {}):
        again = browser.post(f"{path}/agree", data=given)
        assert (again.status_code, field(again.text, "shown") != before) == (409, True)
    anew = browser.post(AT, data=FORM | {"shown": joining})
    assert (anew.status_code, "Noor Sample" in anew.text, " checked" in anew.text) == (409, True, False)
    assert agreements(house) == []
    assert browser.post(f"{path}/agree", data={"shown": field(again.text, "shown")}).status_code == 303
    assert agreements(house) == [("agreed", "es")]


def test_ready_answers_stand_only_in_words_that_the_clinic_has_approved(house: House) -> None:
    desk, path = house.desk(), f"/inbox/patients/{hold(house, 'es').patient_id}"
    assert "canned.call_soon" in desk.get(path).text
    withdraw(house, "en", "canned")
    assert "canned.call_soon" in desk.get(path).text, "the patient's language counts"
    withdraw(house, "es", "canned")
    assert "canned.call_soon" not in desk.get(path).text


def test_where_nothing_may_be_composed_the_page_shows_what_was_sent(house: House) -> None:
    message_id, token = house.message(house.patient("es"), "pre.the_day")
    tried, words = fresh_id(), "Hoy es su visita.\nLlame al +1 202-555-0100."
    with house.out.sessions.begin() as session:
        session.add(
            Attempt(
                id=tried, clinic_id=house.clinic_id, message_id=message_id, number=1, carrier="twilio", started_at=NOW,
                body_sealed=house.out.vault.seal(words, "message.body", house.clinic_id, message_id),
            )
        )  # fmt: skip
        session.execute(
            update(Message).where(Message.id == message_id).values(
                status="delivered", attempt_id=tried, attempts=1, locale="es", sent_at=NOW, ended_at=NOW)
        )  # fmt: skip
    for locale in house.out.words.voices:
        withdraw(house, locale, "pre.the_day")
    page = house.browser().get(f"/p/{token}").text
    assert "<p>Hoy es su visita.</p>" in page.partition("<article")[2]
