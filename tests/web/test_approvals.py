"""Approving at the desk: who may, which exact words, what stands in the way, and what another clinic sees of it."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest
from sqlalchemy import select, update

from outreach.actions.approve import Reviewer, withdraw
from outreach.actions.speak import UNAPPROVED
from outreach.content import approvals as content
from outreach.content.catalogs import Catalog
from outreach.content.compose import Words
from outreach.content.lexicon import Lexicon
from outreach.domain.access import Role
from outreach.domain.approval import Text
from outreach.errors import Reason
from outreach.store import alerts, approvals, clinics, staff
from outreach.store.office import Audit
from outreach.store.tables import Clinic
from outreach.store.traffic import Message
from tests import shipped
from tests.web.house import NOW, PASSWORD, House, TestClient, add_clinic, count_queries, field

KEY = "pre.tomorrow"
PLACE = f"/languages/es/{KEY}"
SIGNED = {"reviewer": "Ana Ruiz", "role": "medical translator", "read": "1"}


@pytest.fixture
def locales() -> tuple[str, ...]:
    return ()  # all of them


def reworded(words: Words, locale: str, **forms: str) -> Words:
    """The same words, but for some units (dots of a key as two underscores)."""
    voice = words.voices[locale]
    said = {key.replace("__", "."): (form,) for key, form in forms.items()}
    catalog = replace(voice.catalog, forms={**voice.catalog.forms, **said})
    assert isinstance(catalog, Catalog)
    return words.renewed({locale: type(voice)(voice.language, catalog, words.parts, words.units)})


@pytest.fixture
def changed(house: House) -> House:
    """The clinic has approved everything; since then one Spanish text has changed."""
    text = shipped.words().voices["es"].catalog.forms["pre.tomorrow.sms"][0]
    words = reworded(shipped.words(), "es", pre__tomorrow__sms=text.replace("Dudas o retraso", "Preguntas"))
    return replace(house, out=replace(house.out, lexicon=Lexicon.of(words)))


def sit(house: House, role: Role = Role.APPROVER) -> tuple[TestClient, str]:
    email = f"{role.value}@north.example"
    with house.out.sessions.begin() as session:
        staff.add(session, clinic_id=house.clinic_id, email=email, name="R", password=PASSWORD, role=role)
    browser = house.desk(email) if role is not Role.TRANSLATOR else _in(house, email)
    return browser, field(browser.get("/account").text, "csrf")


def _in(house: House, email: str) -> TestClient:
    browser = house.browser()
    form = field(browser.get("/sign-in").text, "form")
    browser.post("/sign-in", data={"form": form, "email": email, "password": PASSWORD})
    return browser


def state(house: House, key: str = KEY, locale: str = "es") -> str:
    with house.out.sessions() as session:
        clinic = clinics.by_id(session, house.clinic_id)
    return house.out.spoken(clinic).state(locale, key)


def test_changed_words_are_shown_with_what_went_and_came_and_are_sent_once_approved(changed: House) -> None:
    desk, csrf = sit(changed)
    page = desk.get(PLACE).text
    assert "the words approved before are sent" in page
    assert re.search(r"<ins>.*Preguntas.*</ins>", page)
    assert state(changed) == "previous"
    form = SIGNED | {"csrf": csrf, "digest": field(page, "digest")}
    for _ in range(2):  # a double submit is harmless
        answer = desk.post(PLACE, data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PLACE}?done=approved")
    assert state(changed) == "current"
    with changed.out.sessions() as session:
        [newest, first] = approvals.ledger(session, changed.clinic_id, "es", KEY)
        [note] = session.scalars(select(Audit).where(Audit.action == "words.approved"))
    assert (newest.reviewer, newest.reviewer_role, newest.basis) == ("Ana Ruiz", "medical translator", "named")
    assert first.basis == "demo"
    assert note.detail == {"texts": [KEY], "basis": "named"}
    assert "Ana Ruiz" in desk.get(PLACE).text


def test_a_placeholder_is_one_piece_wherever_words_from_right_to_left_are_shown(house: House) -> None:
    text = shipped.words().voices["ar"].catalog.forms["pre.tomorrow.sms"][0]
    words = reworded(shipped.words(), "ar", pre__tomorrow__sms=text.replace("%(phone)s", "100%% %(address)s"))
    house = replace(house, out=replace(house.out, lexicon=Lexicon.of(words)))
    desk, _ = sit(house)
    html = desk.get("/languages/ar/pre.tomorrow").text
    shown = re.findall(r'<p class="said" [^>]*dir="rtl">(.*?)</p>', html, re.DOTALL)
    assert re.search(r"<del>.*?dir=\"ltr\">%\(phone\)s</bdi>.*?</del>", shown[0], re.DOTALL)
    assert re.search(r"<ins>.*?dir=\"ltr\">%%</bdi>.*?dir=\"ltr\">%\(address\)s</bdi>", shown[0], re.DOTALL)
    bare = [re.sub(r'<bdi class="slot" dir="ltr">.*?</bdi>', "", one) for one in shown]
    assert len(bare) > 3
    assert not [one for one in bare if "%" in one]


WRONG = [
    ({"reviewer": ""}, 422, "Say who has read them."),
    ({"role": " "}, 422, "Say what they are"),
    ({"read": ""}, 422, "Tick that you have read the words."),
    ({"reviewer": "x" * 201}, 422, "At most 200 characters"),
    ({"digest": "00" * 32}, 409, "have changed since you read them"),
    ({"digest": ""}, 409, "have changed since you read them"),
]


def test_a_form_that_lacks_something_approves_nothing_and_keeps_what_was_typed(changed: House) -> None:
    desk, csrf = sit(changed)
    digest = field(desk.get(PLACE).text, "digest")
    for wrong, status, said in WRONG:
        answer = desk.post(PLACE, data=SIGNED | {"csrf": csrf, "digest": digest} | wrong)
        assert (answer.status_code, said in answer.text) == (status, True), wrong
        assert f'name="digest" value="{digest}"' in answer.text, "the words as they are now"
        if "reviewer" not in wrong:
            assert 'value="Ana Ruiz"' in answer.text
    assert desk.post(PLACE, data=SIGNED | {"digest": digest}).status_code == 403
    assert state(changed) == "previous"


def test_words_with_errors_cannot_be_approved_not_even_by_a_form_of_ones_own(house: House) -> None:
    words = reworded(shipped.words(), "es", pre__tomorrow__sms="Mañana a las 10:00 en <b>la clínica</b>.")
    house = replace(house, out=replace(house.out, lexicon=Lexicon.of(words)))
    desk, csrf = sit(house)
    page = desk.get(PLACE).text
    assert "It cannot be approved: the checker finds" in page
    assert 'name="digest"' not in page
    digest = content.texts(words, "es")[KEY].digest.hex()
    answer = desk.post(PLACE, data=SIGNED | {"csrf": csrf, "digest": digest})
    assert (answer.status_code, "The checker finds errors" in answer.text) == (422, True)
    assert 'value="pre.tomorrow:' not in desk.get("/languages/es").text
    assert state(house) == "previous"


def test_several_texts_are_approved_at_once_each_as_it_was_shown(house: House) -> None:
    with house.out.sessions.begin() as session:
        for key in ("pre.tomorrow", "neutral", "canned"):
            withdraw(session, house.clinic_id, "es", key, Reviewer("A", "b"), NOW)
    desk, csrf = sit(house)
    page = desk.get("/languages/es").text
    marks = re.findall(r'name="text" value="([^"]+)"', page)
    assert {mark.partition(":")[0] for mark in marks} == {"pre.tomorrow", "neutral", "canned"}
    units = [unit for key in ("pre.tomorrow", "neutral", "canned") for unit in texts(house, key).units]
    read = re.findall(r'<dl class="read">(.*?)</dl>', page, re.DOTALL)
    assert [one.count("<dd") for one in read] == [len(texts(house, mark.partition(":")[0]).units) for mark in marks]
    bare = unescape(re.sub(r"<[^>]+>", "", " ".join(read)))
    assert not [unit.key for unit in units if unit.source not in bare or unit.forms[0] not in bare], "nothing is unseen"
    assert "Not offered at enrolment" in page
    assert "2 texts that a patient could come to read are not approved" in page
    form = SIGNED | {"csrf": csrf, "text": marks[:2]}
    stale = [marks[0], marks[1][:-4] + "0000"]
    assert desk.post("/languages/es", data=SIGNED | {"csrf": csrf, "text": stale}).status_code == 409
    assert desk.post("/languages/es", data=SIGNED | {"csrf": csrf}).status_code == 422
    assert desk.post("/languages/es", data=form).headers["location"] == "/languages/es?done=approved"
    still = {key for key in ("pre.tomorrow", "neutral", "canned") if not state(house, key)}
    assert still == {marks[2].partition(":")[0]}


def texts(house: House, key: str, locale: str = "es") -> Text:
    return content.texts(house.out.words, locale)[key]


def test_the_page_with_every_word_of_a_language_is_not_too_large_for_a_slow_line(house: House) -> None:
    with house.out.sessions.begin() as session:
        for key in content.grouped(house.out.words):
            withdraw(session, house.clinic_id, "ru", key, Reviewer("A", "b"), NOW)
    desk, _ = sit(house)
    page = desk.get("/languages/ru")
    assert page.text.count("<dt") == len(house.out.words.units)
    assert len(page.content) < 150_000


def test_who_translated_the_words_may_not_be_who_approves_them(changed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outreach.actions.review.translators", lambda *_: {"Ana Ruiz <a@b.c>"})
    desk, csrf = sit(changed)
    digest = field(desk.get(PLACE).text, "digest")
    answer = desk.post(PLACE, data=SIGNED | {"csrf": csrf, "digest": digest, "reviewer": "Dr. ana RUIZ"})
    assert (answer.status_code, "named as the translator" in answer.text) == (422, True)
    assert desk.post(PLACE, data=SIGNED | {"csrf": csrf, "digest": digest, "reviewer": "Ana Roca"}).status_code == 303


def test_withdrawing_ends_every_approval_of_a_text_and_says_what_follows(changed: House) -> None:
    desk, csrf = sit(changed)
    assert "Withdraw the approval" in desk.get(PLACE).text
    assert desk.get(PLACE + "/withdraw").status_code == 405
    assert desk.post(PLACE + "/withdraw", data={"csrf": csrf}).headers["location"].endswith("done=withdrawn")
    assert desk.post(PLACE + "/withdraw", data={"csrf": csrf}).headers["location"].endswith("done=nothing")
    assert state(changed) == ""
    page = desk.get(PLACE).text
    assert "Approval withdrawn" in page
    assert "Withdraw the approval" not in page


def test_everybody_sees_only_approvers_decide(changed: House) -> None:
    for role in Role:
        desk, csrf = sit(changed, role)
        for path in ("/languages", "/languages/es", PLACE):
            assert desk.get(path).status_code == 200, (role, path)
        decides = "<button>Approve" in desk.get(PLACE).text
        assert decides is (role is Role.APPROVER)
        if not decides:
            for path in ("/languages/es", PLACE, PLACE + "/withdraw"):
                assert desk.post(path, data=SIGNED | {"csrf": csrf}).status_code == 403


def test_pages_of_no_text_are_not_found(house: House) -> None:
    desk, csrf = sit(house)
    for path in ("/languages/xx", "/languages/xx/neutral", "/languages/es/nothing", "/languages/es/own.food"):
        assert desk.get(path).status_code == 404
        assert desk.post(path, data=SIGNED | {"csrf": csrf}).status_code == 404
    assert desk.get("/said/nothing").status_code == 404


def test_another_clinics_approval_is_neither_shown_nor_counted(house: House) -> None:
    south = add_clinic(house.out, "south", "+12025550120")
    with house.out.sessions.begin() as session:
        withdraw(session, house.clinic_id, "es", KEY, Reviewer("Nora North", "nurse"), NOW)
    desk, _ = sit(house)
    assert "Approval withdrawn" in desk.get(PLACE).text
    with house.out.sessions() as session:
        theirs = clinics.by_id(session, south)
    assert house.out.spoken(theirs).state("es", KEY) == "current"


def test_each_page_asks_the_database_a_bounded_number_of_questions(changed: House) -> None:
    desk, _ = sit(changed)
    for path in ("/languages", "/languages/es", PLACE):
        desk.get(path)
        with count_queries(changed.out.engine) as sent:
            desk.get(path)
        assert len(sent) <= 9, (path, sent)


def test_what_waits_for_words_says_so_where_people_look_and_leads_to_them(house: House) -> None:
    patient_id = house.patient("es")
    message_id, _ = house.message(patient_id, KEY)
    with house.out.sessions.begin() as session:
        session.get_one(Clinic, house.clinic_id).unapproved = "hold"
        withdraw(session, house.clinic_id, "es", "hint", Reviewer("Nora North", "nurse"), NOW)
        alerts.raise_alert(session, house.clinic_id, UNAPPROVED, f"es/{KEY}", f"es/{KEY}", NOW)
        session.execute(update(Message).where(Message.id == message_id).values(reason=Reason.UNAPPROVED.value))
    desk, csrf = sit(house)
    for path in (f"/patients/{patient_id}", "/today"):
        assert f'href="{PLACE}"' in desk.get(path).text, path
    assert "your clinic has not approved its words yet" in desk.get(f"/patients/{patient_id}").text
    assert f'href="{PLACE}"' in sit(house, Role.COORDINATOR)[0].get("/held").text
    page = desk.get(PLACE).text
    assert 'href="/languages/es/hint"' in page, "the message itself is approved; what it goes out with is not"
    hint = field(desk.get("/languages/es/hint").text, "digest")
    assert desk.post("/languages/es/hint", data=SIGNED | {"csrf": csrf, "digest": hint}).status_code == 303
    assert f'href="{PLACE}"' not in desk.get("/today").text
    assert "waits for them" not in desk.get(f"/patients/{patient_id}").text


def test_the_words_of_a_message_stay_as_they_were_said(changed: House) -> None:
    message_id, _ = changed.message(changed.patient("es"), KEY)
    with changed.out.sessions.begin() as session:
        [said_id] = [one.said_id for one in approvals.ledger(session, changed.clinic_id, "es", KEY)]
        session.execute(update(Message).where(Message.id == message_id).values(said_id=said_id))
    south = add_clinic(changed.out, "south", "+12025550120")
    theirs, _ = changed.message(changed.patient("es", south, "+12025550166"), KEY, south)
    desk, _ = sit(changed)
    page = desk.get(f"/said/{message_id}").text
    assert "Dudas o retraso" in page
    assert "Preguntas" not in page
    assert "demo data" in page
    assert desk.get(f"/said/{theirs}").status_code == 404


def test_a_preview_says_what_is_sent_instead_of_words_that_are_not_approved(house: House) -> None:
    with house.out.sessions.begin() as session:
        withdraw(session, house.clinic_id, "es", KEY, Reviewer("Nora North", "nurse"), NOW)
    desk, _ = sit(house)
    asked = "/sequences/ketamine-infusion/course?locale=es&date=2026-12-10&time=10:00"
    assert "Not approved in Español: this is sent instead." in desk.get(asked).text
    with house.out.sessions.begin() as session:
        session.get_one(Clinic, house.clinic_id).unapproved = "hold"
    assert "Not approved in Español: the message would wait for its words." in desk.get(asked).text
