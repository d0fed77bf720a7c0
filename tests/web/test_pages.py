"""Patients' pages: seeing changes nothing, acting does; each in the patient's own language and direction."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from sqlalchemy import func, select

from outreach.actions import agree, withdraw
from outreach.domain.channel import Channel
from outreach.domain.consent import may_contact
from outreach.store import consents, patients
from outreach.store.office import Task
from outreach.store.tables import Base, Consent
from outreach.store.traffic import Message
from tests.web.house import NOW, House, field
from tests.web.links import hold


@pytest.fixture
def locales() -> tuple[str, ...]:
    return ()  # all of them


def everything(house: House) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    with house.out.sessions() as session:
        return {
            name: sorted((tuple(row) for row in session.execute(select(table))), key=repr)
            for name, table in Base.metadata.tables.items()
        }


def kinds(house: House) -> list[str]:
    with house.out.sessions() as session:
        return list(session.scalars(select(Consent.kind).order_by(Consent.seq)))


def test_a_crawler_that_opens_every_link_changes_nothing(house: House) -> None:
    _, token = house.message(house.patient(), "consent.request")
    before, browser = everything(house), house.browser()
    seen, waiting = set[str](), [f"/p/{token}", f"/u/{token}"]
    while waiting:
        path = waiting.pop()
        seen.add(path)
        for method in (browser.get, browser.head, browser.options):
            html = method(path).text
            found = re.findall(r'(?:href|action|src)="(/[^"]*)"', html)
            waiting += [link for link in found if link not in seen and link not in waiting]
    assert f"/p/{token}/agree" in seen
    assert f"/p/{token}/stop" in seen
    assert everything(house) == before


def test_the_button_agrees_once(house: House) -> None:
    patient_id = house.patient()
    _, token = house.message(patient_id, "consent.request")
    browser = house.browser()
    assert "I agree to get these messages" in browser.get(f"/p/{token}").text
    shown = {"shown": field(browser.get(f"/p/{token}").text, "shown")}
    for _ in range(2):
        assert browser.post(f"/p/{token}/agree", data=shown).status_code == 303
    assert kinds(house) == ["agreed"]
    after = browser.get(f"/p/{token}").text
    assert "Thank you." in after
    assert "I agree to get these messages" not in after
    with house.out.sessions() as session:
        proof = consents.history(session, house.clinic_id, patient_id)[0]
        steps = session.scalars(select(Message.step).order_by(Message.step)).all()
    assert (proof.method, proof.locale, proof.warned) == ("page", "en", True)
    assert "not encrypted" in proof.wording
    assert steps == ["consent.confirmed", "consent.request"]


def test_only_the_request_can_be_agreed_to(house: House) -> None:
    _, token = house.message(house.patient(), "reply.help")
    assert house.browser().post(f"/p/{token}/agree").status_code == 303
    assert kinds(house) == []


def test_agreeing_after_a_stop_does_not_undo_it(house: House) -> None:
    _, token = house.message(house.patient(), "consent.request")
    browser = house.browser()
    shown = {"shown": field(browser.get(f"/p/{token}").text, "shown")}
    browser.post(f"/p/{token}/stop")
    browser.post(f"/p/{token}/agree", data=shown)
    assert kinds(house) == ["opted_out"]
    assert "You will get no more messages" in browser.get(f"/p/{token}").text


@pytest.mark.parametrize(
    "sent",
    [
        {"data": {"List-Unsubscribe": "One-Click"}},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {"content": b""},
    ],
    ids=["urlencoded", "multipart", "empty"],
)
def test_one_click_needs_nothing_and_may_come_twice(house: House, sent: dict[str, Any]) -> None:
    _, token = house.message(house.patient(), "consent.request")
    for _ in range(2):
        answer = house.browser().post(f"/u/{token}", **sent)
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    assert kinds(house) == ["opted_out"]


def test_a_second_stop_after_a_restart_counts_again(house: House) -> None:
    patient_id = house.patient()
    _, token = house.message(patient_id, "consent.request")
    house.browser().post(f"/u/{token}")
    later = house.later(timedelta(hours=1))
    with house.out.sessions.begin() as session:
        address_id = next(iter(patients.addresses(session, house.clinic_id, patient_id).values())).id
        now = later.out.clock()
        agree.agree(session, address_id, method="paper", evidence="anew", locale="en", wording="w", now=now)
    house.later(timedelta(hours=2)).browser().post(f"/u/{token}")
    assert kinds(house) == ["opted_out", "agreed", "opted_out"]


def test_a_stop_by_the_mail_programs_button_is_not_said_back_as_a_no(house: House) -> None:
    _, token = house.message(house.patient(), "consent.request")
    house.browser().post(f"/u/{token}")
    shown = house.browser().get(f"/p/{token}").text
    assert ("You answered" in shown, "If you want them, please call the clinic." in shown) == (False, True)


def test_a_no_to_the_question_is_said_back_and_is_this_patients_alone(house: House) -> None:
    """A sister on the same number who agreed stays agreed; a stop ends both, and a person asks who was meant."""
    sister, asked = hold(house), house.patient()
    _, token = house.message(asked, "consent.request")
    browser = house.browser()
    question = "I agree to get these messages"
    assert question in browser.get(f"/p/{token}").text
    browser.post(f"/p/{token}/stop")
    shown = unescape(browser.get(f"/p/{token}").text)
    for words in ("You answered: No, thank you.", "Texts", "If you want them, please call the clinic."):
        assert words in shown
    assert "<article>" not in shown

    def now_is() -> tuple[bool, int]:
        with house.out.sessions() as session:
            stands = may_contact(
                consents.ledger(session, sister.addresses[Channel.SMS]), house.out.clock() + timedelta(minutes=1)
            )
            return stands.allowed, len(session.scalars(select(Task.id).where(Task.kind == "shared")).all())

    assert now_is() == (True, 0)
    for _ in range(2):
        browser.post(f"/u/{sister.tokens['pre.tomorrow']}")
    assert now_is() == (False, 1)


def test_a_stop_ends_what_was_still_to_come(house: House) -> None:
    _, token = house.message(house.patient(), "consent.request")
    house.browser().post(f"/p/{token}/stop")
    with house.out.sessions() as session:
        assert session.execute(select(Message.status, Message.reason)).all() == [("suppressed", "opted_out")]


@pytest.mark.parametrize(("locale", "direction", "button"), [
    ("en", "ltr", "No, thank you"), ("es", "ltr", None), ("ar", "rtl", None),
])  # fmt: skip
def test_a_page_speaks_the_patients_language(house: House, locale: str, direction: str, button: str | None) -> None:
    if locale not in house.out.words.locales:
        pytest.skip(f"{locale} is not complete")
    _, token = house.message(house.patient(locale), "consent.request")
    html = house.browser().get(f"/p/{token}").text
    assert f'<html lang="{locale}" dir="{direction}">' in html
    assert (button or house.out.words.ui("page.decline", locale)) in html
    assert 'href="tel:+12025550100"' in html
    for path in (f"/u/{token}", f"/p/{token}"):
        title = re.search("<title>(.*)</title>", house.browser().get(path).text)
        assert title
        assert title[1] == house.out.words.ui("page.title", locale)


def test_an_unknown_link_is_a_friendly_404_in_every_language(house: House) -> None:
    browser = house.browser()
    for method, path in [("GET", "/p/nothing"), ("POST", "/p/nothing/agree"), ("POST", "/p/nothing/stop"),
                         ("GET", "/u/nothing"), ("POST", "/u/nothing"), ("GET", "/p/%00")]:  # fmt: skip
        answer = browser.request(method, path)
        assert answer.status_code == 404
        for locale in house.out.words.locales:
            assert house.out.words.ui("page.gone", locale) in unescape(answer.text)


def test_patients_pages_are_neither_kept_nor_found_nor_told_on(house: House) -> None:
    _, token = house.message(house.patient(), "consent.request")
    for path in (f"/p/{token}", f"/u/{token}", "/p/nothing"):
        answer = house.browser().get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "noindex" in answer.headers["x-robots-tag"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "<script" not in answer.text
        assert "style=" not in answer.text


def test_no_link_of_a_page_leads_elsewhere(house: House) -> None:
    _, token = house.message(house.patient(), "consent.request")
    html = house.browser().get(f"/p/{token}").text
    assert not re.findall(r'(?:href|src|action)="(?!/|tel:|#)', html)


def test_nothing_is_stored_of_a_visit_to_a_page(house: House) -> None:
    _, token = house.message(house.patient(), "consent.request")
    house.browser().get(f"/p/{token}")
    with house.out.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Consent)) == 0


def test_the_button_of_a_request_from_before_a_stop_agrees_to_nothing_after_a_start_either(house: House) -> None:
    _, token = house.message(house.patient(), "consent.request")
    shown = {"shown": field(house.browser().get(f"/p/{token}").text, "shown")}
    house.browser().post(f"/p/{token}/stop")
    with house.out.sessions.begin() as session:
        [address] = session.scalars(select(Consent.address_id))
        at = NOW + timedelta(minutes=1)
        withdraw.restore(session, address, method="page", evidence="later", now=at)
    later = house.later(timedelta(minutes=2)).browser()
    assert f"/p/{token}/agree" not in later.get(f"/p/{token}").text
    later.post(f"/p/{token}/agree", data=shown)
    assert kinds(house) == ["opted_out", "restored"]
