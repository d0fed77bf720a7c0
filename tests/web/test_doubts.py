"""The page of messages in doubt: both possibilities, one decision, and news that comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from outreach.domain.access import Role
from outreach.domain.message import Receipt
from outreach.domain.status import Status
from outreach.store import doubts, patients, staff
from outreach.store.receipts import News, hear_all
from tests.model.stage import Stage
from tests.web.house import NOW, PASSWORD, House, add_clinic, field


@pytest.fixture
def stage(house: House) -> Stage:
    patient_id = house.patient()
    with house.out.sessions() as session:
        reaches = patients.addresses(session, house.clinic_id, patient_id)
    addresses = {channel: reach.id for channel, reach in reaches.items()}
    return Stage(house.out.sessions, house.clinic_id, patient_id, addresses, now=NOW)


def spent(stage: Stage) -> tuple[UUID, UUID]:
    """In doubt, and no question is left."""
    message_id, attempt_id = stage.doubt()
    with stage.sessions.begin() as session:
        for _ in range(4):
            found = doubts.doubtful(session, timedelta(0), 10)
            doubts.asked(session, [(one, "not listed") for one in found], stage.now)
    return message_id, attempt_id


def decide(house: House, message_id: object, decision: str, attempt_id: object, csrf: str | None = None):
    browser = house.desk()
    secret = field(browser.get("/doubts").text, "csrf") if csrf is None else csrf
    return browser.post(
        f"/doubts/{message_id}", data={"csrf": secret, "attempt": str(attempt_id), "decision": decision}
    )


def test_the_page_shows_words_news_and_both_possibilities(house: House, stage: Stage) -> None:
    message_id, attempt_id = spent(stage)
    html = house.desk().get("/doubts").text
    for shown in ("Ana Sample", "Your visit is tomorrow.", "Text (SMS)", "Reminder: tomorrow",
                  "answer did not reach us", "not in its list", "If it did arrive", "If it did not arrive",
                  "would tell them twice", "reads it twice", "Leave it", str(attempt_id),
                  f"/doubts/{message_id}"):  # fmt: skip
        assert shown in html.replace("&#39;", "'"), shown


def test_today_says_how_many_are_in_doubt(house: House, stage: Stage) -> None:
    assert "in doubt: nobody knows" not in house.desk().get("/today").text
    spent(stage)
    assert "<b>1</b> message in doubt: nobody knows" in house.desk().get("/today").text


def test_without_doubts_the_page_says_so(house: House) -> None:
    assert "No message is in doubt." in house.desk().get("/doubts").text


def test_it_did_arrive_counts_as_presumed_delivered_on_the_persons_word(house: House, stage: Stage) -> None:
    message_id, attempt_id = spent(stage)
    assert decide(house, message_id, "arrived", attempt_id).headers["location"] == "/doubts?saved=ARRIVED"
    row = stage.row(message_id)
    assert (row.status, row.reason, row.ended_at) == ("delivered", "presumed", NOW)
    assert row.sent_at is not None
    last = stage.news(message_id)[-1]
    assert (last.source, last.word, last.status, len(last.code or "")) == ("staff", "arrived", "delivered", 20)
    assert "Noted: it did arrive" in house.desk().get("/doubts?saved=ARRIVED").text


def test_sent_again_is_a_new_attempt_for_the_pump_to_make(house: House, stage: Stage) -> None:
    message_id, attempt_id = spent(stage)
    assert decide(house, message_id, "send again", attempt_id).status_code == 303
    row = stage.row(message_id)
    assert (row.status, row.attempt_id, row.lease_until, row.due_at, row.attempts) == ("scheduled", None, None, NOW, 1)
    assert stage.begin(message_id) != attempt_id


def test_left_alone_it_ends_without_news(house: House, stage: Stage) -> None:
    message_id, attempt_id = spent(stage)
    decide(house, message_id, "left", attempt_id)
    assert (stage.row(message_id).status, stage.row(message_id).reason) == ("undelivered", "no_news")


def test_nothing_is_sent_again_while_the_carrier_is_still_asked(house: House, stage: Stage) -> None:
    message_id, attempt_id = stage.doubt()
    html = house.desk().get("/doubts").text
    assert "did not arrive: send it again" not in html
    assert "asked again after" in html
    answer = decide(house, message_id, "send again", attempt_id)
    assert (answer.status_code, stage.status(message_id)) == (409, Status.UNKNOWN)
    assert "still being asked" in answer.text


def test_nothing_is_sent_again_that_comes_too_late(house: House, stage: Stage) -> None:
    message_id, attempt_id = spent(stage)
    late = house.later(timedelta(days=2))
    assert "too late to be of use" in late.desk().get("/doubts").text
    assert decide(late, message_id, "send again", attempt_id).status_code == 409
    assert stage.status(message_id) is Status.UNKNOWN


def test_news_that_came_meanwhile_wins_and_the_page_says_so(house: House, stage: Stage) -> None:
    message_id, attempt_id = spent(stage)
    browser = house.desk()
    csrf = field(browser.get("/doubts").text, "csrf")
    with stage.sessions.begin() as session:
        hear_all(session, [News(attempt_id, Receipt("SM1", "delivered", Status.DELIVERED))], NOW)
    answer = browser.post(
        f"/doubts/{message_id}", data={"csrf": csrf, "attempt": str(attempt_id), "decision": "send again"}
    )
    assert answer.status_code == 409
    assert "News came while you were deciding" in answer.text
    assert "Delivered" in answer.text
    assert stage.row(message_id).reason is None


def test_a_decision_about_an_older_attempt_changes_nothing(house: House, stage: Stage) -> None:
    message_id, older = spent(stage)
    decide(house, message_id, "send again", older)
    newer = stage.begin(message_id)
    stage.record(message_id, newer, Status.UNKNOWN, "no answer")
    answer = decide(house, message_id, "arrived", older)
    assert (answer.status_code, stage.status(message_id)) == (409, Status.UNKNOWN)


def test_another_clinics_message_is_not_found(house: House, stage: Stage) -> None:
    message_id, attempt_id = spent(stage)
    south = add_clinic(house.out, "south", "+12025550111")
    with house.out.sessions.begin() as session:
        staff.add(
            session, clinic_id=south, email="desk@south.example", name="Sol", password=PASSWORD, role=Role.ADMINISTRATOR
        )
    other = replace(house, email="desk@south.example")
    assert "Ana Sample" not in other.desk().get("/doubts").text
    assert decide(other, message_id, "arrived", attempt_id).status_code == 404
    assert stage.status(message_id) is Status.UNKNOWN


@pytest.mark.parametrize(
    ("path", "decision", "attempt", "expected"),
    [
        pytest.param(uuid4(), "left", uuid4(), 404, id="no such message"),
        pytest.param("nonsense", "left", uuid4(), 404, id="no id"),
        pytest.param(uuid4(), "left", "nonsense", 404, id="no attempt id"),
        pytest.param(uuid4(), "burn it", uuid4(), 400, id="no such button"),
    ],
)
def test_a_form_that_no_page_of_ours_has_is_refused(
    house: House, path: object, decision: str, attempt: object, expected: int
) -> None:
    assert decide(house, path, decision, attempt).status_code == expected


def test_a_form_of_another_session_is_refused(house: House, stage: Stage) -> None:
    message_id, attempt_id = spent(stage)
    assert decide(house, message_id, "arrived", attempt_id, csrf="wrong").status_code == 403
    assert stage.status(message_id) is Status.UNKNOWN


def test_whoever_is_not_signed_in_is_sent_to_sign_in(house: House) -> None:
    assert house.browser().get("/doubts").headers["location"] == "/sign-in"


def test_the_page_needs_no_script_and_no_width(house: House, stage: Stage) -> None:
    spent(stage)
    html = house.desk().get("/doubts").text
    assert "<script" not in html
    assert "<table" not in html
    assert 'name="viewport"' in html


def test_words_of_the_patients_language_keep_their_direction(house: House, stage: Stage) -> None:
    message_id = stage.plan()
    stage.record(message_id, stage.begin(message_id), Status.UNKNOWN, "no answer")
    html = house.desk().get("/doubts").text
    assert '<div class="said" dir="ltr" lang="en">' in html
