"""The patient's own choices: language, channels, wording; kept in the ledger, audited, of effect on what waits."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from outreach.actions import withdraw
from outreach.domain.channel import Channel
from outreach.domain.consent import may_contact
from outreach.store import consents, patients
from outreach.store.tables import Address
from outreach.store.traffic import Message
from tests.web.house import NOW, House
from tests.web.links import Held, everything, hold, set_clinic


@pytest.fixture
def locales() -> tuple[str, ...]:
    return ()  # all of them


def choose(held: Held, status: int = 303, minutes: int = 1, **data: str) -> str:
    """Press one button of the page, so many minutes from now; gives the page that follows."""
    browser = held.house.later(timedelta(minutes=minutes)).browser()
    answer = browser.post(f"/p/{held.tokens['pre.the_day']}/preferences", data=data)
    assert answer.status_code == status
    return answer.text if status != 303 else browser.get(answer.headers["location"]).text


def kinds(held: Held) -> list[tuple[str, str]]:
    return [(proof.channel.value, proof.kind.value) for proof in held.ledger()[2:]]


def test_a_language_is_chosen_recorded_and_spoken_at_once(house: House) -> None:
    held = hold(house)
    html = choose(held, do="language", language="es")
    assert '<html lang="es"' in html
    assert house.out.words.ui("choices.saved", "es") in html
    assert held.person().locale == "es"
    [proof] = held.ledger()[2:]
    assert (proof.kind, proof.method, proof.actor, proof.wording) == ("chosen", "page", "patient", "language: es")
    assert held.audited()[-1] == "patient.language_chosen"
    assert '<html lang="es"' in house.browser().get(f"/p/{held.tokens['post.check_in']}").text


@pytest.mark.parametrize("locale", ["tlh", "", "en_US", "<b>"])
def test_a_language_that_is_not_offered_is_refused_at_its_field(house: House, locale: str) -> None:
    held = hold(house)
    html = choose(held, 422, do="language", language=locale)
    assert 'id="language-wrong"' in html
    assert 'aria-describedby="language-wrong"' in html
    assert held.person().locale == "en"
    assert kinds(held) == []


def test_one_channel_stops_and_goes_on_and_the_other_is_left_alone(house: House) -> None:
    held = hold(house)
    html = choose(held, do="stop", channel="email")
    assert kinds(held) == [("email", "opted_out")]
    assert "Get e-mails again" in html
    assert "Stop texts" in html
    html = choose(held, minutes=2, do="resume", channel="email")
    assert kinds(held) == [("email", "opted_out"), ("email", "restored")]
    assert "Stop e-mails" in html
    assert held.audited()[-2:] == ["consent.stopped", "consent.restored"]


def test_what_waits_on_a_stopped_channel_ends_and_comes_back(house: House) -> None:
    held = hold(house)
    held.set_message("pre.tomorrow", status="scheduled", sent_at=None, attempts=0, due_at=NOW + timedelta(days=1))

    def waiting() -> tuple[str, str | None]:
        with house.out.sessions() as session:
            query = select(Message.status, Message.reason).where(Message.id == held.ids["pre.tomorrow"])
            return tuple(session.execute(query).one())  # type: ignore[return-value]

    choose(held, do="stop", channel="sms")
    assert waiting() == ("suppressed", "opted_out")
    choose(held, minutes=2, do="resume", channel="sms")
    assert waiting()[0] == "scheduled"


def test_stopping_everything_stops_both_once(house: House) -> None:
    held = hold(house)
    for _ in range(2):
        html = choose(held, do="stop_all")
    assert sorted(kinds(held)) == [("email", "opted_out"), ("sms", "opted_out")]
    assert held.audited().count("consent.stopped") == 1
    assert "Get texts again" in html


@pytest.mark.parametrize("how", ["never", "stopped before agreeing", "by staff", "by the carrier"])
def test_going_on_never_makes_a_first_agreement_nor_undoes_what_others_took(house: House, how: str) -> None:
    patient_id = house.patient()
    with house.out.sessions.begin() as session:
        sms = patients.addresses(session, house.clinic_id, patient_id)[Channel.SMS].id
        if how == "stopped before agreeing":
            withdraw.stop(session, sms, method="page", evidence="x", now=NOW)
        elif how == "by staff":
            withdraw.revoke(session, sms, actor="staff", evidence="x", now=NOW)
    _, token = house.message(patient_id, "reply.help")
    answer = house.browser().post(f"/p/{token}/preferences", data={"do": "resume", "channel": "sms"})
    assert answer.status_code == (410 if how == "by staff" else 422)
    with house.out.sessions() as session:
        ledger = consents.ledger(session, sms)
    assert not may_contact(ledger, NOW).allowed
    assert "restored" not in [event.kind for event in ledger]


def test_a_sister_with_the_same_phone_stays_stopped(house: House) -> None:
    held, sister = hold(house), hold(house, phone="+12025550143")
    choose(held, do="stop", channel="sms")
    choose(held, minutes=2, do="resume", channel="sms")
    with house.out.sessions() as session:
        allowed = [
            may_contact(consents.ledger(session, one.addresses[Channel.SMS]), NOW + timedelta(hours=1)).allowed
            for one in (held, sister)
        ]
    assert allowed == [True, False]


def test_who_stopped_by_text_is_told_that_the_phone_company_must_hear_it_too(house: House) -> None:
    held = hold(house)
    with house.out.sessions.begin() as session:
        withdraw.stop(session, held.addresses[Channel.SMS], method="sms", evidence="x", now=NOW)
    html = house.browser().get(f"/p/{held.tokens['pre.the_day']}/preferences").text
    assert "also reply START" in html


def test_full_words_need_the_warning_read(house: House) -> None:
    held = hold(house, warned=False)
    html = house.browser().get(f"/p/{held.tokens['pre.the_day']}/preferences").text
    assert "not encrypted" in html
    html = choose(held, 422, do="full")
    assert 'aria-describedby="warning read-wrong"' in html
    assert 'aria-invalid="true"' in html
    assert kinds(held) == []
    html = choose(held, do="full", read="yes")
    assert "Now our messages say what they are about." in html
    proofs = [proof for proof in held.ledger() if proof.kind == "agreed" and proof.warned]
    assert len(proofs) == 2
    assert all("not encrypted" in proof.wording for proof in proofs)
    assert {proof.method for proof in proofs} == {"page"}
    with house.out.sessions() as session:
        assert may_contact(consents.ledger(session, held.addresses[Channel.SMS]), NOW + timedelta(hours=1)).warned


def test_asking_for_full_words_is_no_agreement_to_a_stopped_channel(house: House) -> None:
    held = hold(house, warned=False)
    choose(held, do="stop", channel="sms")
    choose(held, do="full", read="yes")
    with house.out.sessions() as session:
        assert not may_contact(consents.ledger(session, held.addresses[Channel.SMS]), NOW).allowed


def test_fewer_words_are_one_press_and_a_second_changes_nothing(house: House) -> None:
    held = hold(house)
    html = choose(held, do="short")
    assert "only say that there is something to read" in html
    assert held.person().wording == "neutral"
    assert kinds(held) == [("sms", "chosen")]
    before = everything(house)
    choose(held, do="short")
    assert everything(house) == before


def test_where_the_clinic_keeps_all_short_there_is_nothing_to_choose(house: House) -> None:
    held = hold(house)
    set_clinic(house, wording="neutral")
    html = house.browser().get(f"/p/{held.tokens['pre.the_day']}/preferences").text
    assert "The clinic keeps all its messages short." in html
    choose(held, 422, do="full", read="yes")


@pytest.mark.parametrize("data", [{}, {"do": "everything"}, {"do": "stop", "channel": "pigeon"}])
def test_nonsense_changes_nothing(house: House, data: dict[str, str]) -> None:
    held = hold(house)
    before = everything(house)
    answer = house.browser().post(f"/p/{held.tokens['pre.the_day']}/preferences", data=data)
    assert answer.status_code in (303, 422)
    assert everything(house) == before


def test_a_broken_address_says_whom_to_tell(house: House) -> None:
    held = hold(house)
    with house.out.sessions.begin() as session:
        session.execute(update(Address).where(Address.channel == "email").values(unusable_at=NOW))
    html = house.browser().get(f"/p/{held.tokens['pre.the_day']}/preferences").text
    assert "Nothing arrives there." in html
    assert "Stop e-mails" not in html


@pytest.mark.parametrize("locale", ["en", "es", "ar"])
def test_the_page_is_sound_for_who_hears_it(house: House, locale: str) -> None:
    held = hold(house, locale, warned=False)
    browser = house.browser()
    for step, place in [("pre.the_day", ""), ("pre.the_day", "/preferences"), ("pre.the_day", "/privacy")]:
        html = browser.get(f"/p/{held.tokens[step]}{place}").text
        assert len(re.findall("<h1", html)) == 1
        ids = re.findall(r' id="([^"]+)"', html)
        assert len(ids) == len(set(ids))
        for name in re.findall(r'aria-(?:labelledby|describedby)="([^"]+)"', html):
            assert set(name.split()) <= set(ids)
        for field in re.findall(r'<input (?!type="hidden")[^>]*>', html):
            assert f'<label class="choice">{field}' in html
        buttons = re.findall(r"<button[^>]*>([^<]+)</button>", html)
        assert len(buttons) == len(set(buttons)), "two buttons of the same name"
