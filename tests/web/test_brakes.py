"""Held back: the page shows what is paused, why and how much waits; pausing and resuming need no script."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from sqlalchemy import select, update

from outreach.actions.fallback import UNUSABLE
from outreach.domain.access import Role
from outreach.domain.brakes import Scope
from outreach.domain.channel import Channel
from outreach.store import alerts, patients, pauses, staff, unusable
from outreach.store.brakes import Alert, Pause
from outreach.store.traffic import Message
from tests.web.house import NOW, PASSWORD, House, add_clinic, field


def held(house: House) -> list[pauses.Held]:
    with house.out.sessions() as session:
        return pauses.listing(session, house.clinic_id, NOW)


def post(house: House, path: str, **fields: str) -> str:
    """As somebody at the desk; where it leads, or the page itself."""
    browser = house.desk()
    csrf = field(browser.get("/held").text, "csrf")
    answer = browser.post(path, data={"csrf": csrf} | fields)
    return str(answer.headers.get("location", "")) or answer.text


def read(house: House) -> str:
    return re.sub(r"\s+", " ", house.desk().get("/held").text)


def test_an_empty_page_says_that_all_goes_out(house: House) -> None:
    html = read(house)
    assert "Nothing is paused" in html
    assert "No alerts" in html


def test_a_clinic_is_paused_with_a_reason_and_resumed(house: House) -> None:
    message_id, _ = house.message(house.patient(), "pre.tomorrow")
    assert post(house, "/held", what="clinic:", reason="fire drill") == "/held?done=paused"
    html = read(house)
    assert "All messages of this clinic" in html
    assert "Why: fire drill." in html
    assert "by you" in html
    assert "1 waiting" in html
    (one,) = held(house)
    assert (one.scope, one.key) == (Scope.CLINIC, "")
    assert post(house, f"/held/{one.id}/resume") == "/held?done=resumed"
    assert held(house) == []
    with house.out.sessions() as session:
        row = session.execute(select(Pause.lifted_at, Pause.lifted_by)).one()
        assert session.scalar(select(Message.status).where(Message.id == message_id)) == "scheduled"
    assert row[0] == NOW
    assert row[1].startswith("staff:")


@pytest.mark.parametrize(
    ("what", "shown"),
    [
        ("step:pre.tomorrow", "Reminder: tomorrow"),
        ("locale:es", "Spanish"),
        ("sequence:ketamine-infusion", "Before and after infusions"),
    ],
    ids=["step", "locale", "sequence"],
)
def test_a_part_is_paused_and_shown_in_words(house: House, what: str, shown: str) -> None:
    assert post(house, "/held", what=what, reason="wrong words") == "/held?done=paused"
    assert shown in read(house).split("Pause something")[0]


def test_a_sender_is_chosen_by_its_address(house: House) -> None:
    chosen = re.search(r'value="(sender:[^"]+)"[^>]*>texts from \+12025550110<', read(house))
    assert chosen
    assert post(house, "/held", what=chosen[1], reason="number moved") == "/held?done=paused"
    assert "texts from +12025550110" in read(house).split("Pause something")[0]


@pytest.mark.parametrize(
    ("what", "reason", "says"),
    [
        ("clinic:", " ", "Say why"),
        ("", "why", "Choose from the list"),
        ("service:", "why", "Choose from the list"),
        ("step:pre.nothing", "why", "There is no step"),
        ("clinic:", "x" * 201, "longer than"),
    ],
    ids=["no reason", "nothing chosen", "the whole service", "no such step", "long reason"],
)
def test_what_cannot_be_paused_is_said_and_what_was_typed_is_kept(
    house: House, what: str, reason: str, says: str
) -> None:
    html = post(house, "/held", what=what, reason=reason)
    assert says in html
    assert f'value="{reason}"' in html
    assert held(house) == []


def test_without_the_sessions_secret_nothing_changes(house: House) -> None:
    browser = house.desk()
    assert browser.post("/held", data={"what": "clinic:", "reason": "why"}).status_code == 403
    assert house.browser().get("/held").headers["location"] == "/sign-in"
    assert held(house) == []


def test_another_clinics_pause_is_neither_seen_nor_lifted(house: House) -> None:
    other = add_clinic(house.out, "south", "+12025550111")
    with house.out.sessions.begin() as session:
        staff.add(
            session, clinic_id=other, email="desk@south.example", name="Sam", password=PASSWORD, role=Role.ADMINISTRATOR
        )
        theirs = pauses.switch_on(session, other, Scope.CLINIC, "", "their secret reason", "staff:x", NOW)
        alerts.raise_alert(session, other, "stuck", "scheduled", "their ids", NOW)
        alert_id = session.scalar(select(Alert.id))
    html = read(house)
    assert "their secret reason" not in html
    assert "their ids" not in html
    assert post(house, f"/held/{theirs}/resume") == "/held?done=gone"
    assert post(house, f"/held/alerts/{alert_id}") == "/held?done=gone"
    with house.out.sessions() as session:
        assert pauses.active(session, [other], NOW).clinic_held(other)
        assert len(alerts.open_alerts(session, other)) == 1


def test_a_pause_of_the_whole_service_is_shown_and_is_the_operators_to_lift(house: House) -> None:
    with house.out.sessions.begin() as session:
        everywhere = pauses.switch_on(session, None, Scope.SERVICE, "", "moving house", "operator:ann", NOW)
    html = read(house)
    assert "The whole service" in html
    assert "the operator of the service" in html
    assert f"/held/{everywhere}/resume" not in html
    assert post(house, f"/held/{everywhere}/resume") == "/held?done=gone"
    assert len(held(house)) == 1


def test_an_alert_says_what_to_do_and_goes_when_seen_to(house: House) -> None:
    with house.out.sessions.begin() as session:
        alerts.raise_alert(session, house.clinic_id, "configuration", str(UUID(int=5)), "5 in a row", NOW)
    html = read(house)
    assert "The carrier refuses this sender" in html
    assert "Ask whoever runs your carrier account" in html
    with house.out.sessions() as session:
        alert_id = session.scalar(select(Alert.id))
    assert post(house, f"/held/alerts/{alert_id}") == "/held?done=cleared"
    assert "No alerts" in read(house)


def test_the_days_page_tells_of_both(house: House) -> None:
    assert '/held">' in house.desk().get("/today").text  # the navigation
    with house.out.sessions.begin() as session:
        alerts.raise_alert(session, house.clinic_id, "stuck", "scheduled", "ids", NOW)
        pauses.switch_on(session, house.clinic_id, Scope.CLINIC, "", "drill", "staff:x", NOW)
    html = house.desk().get("/today").text
    assert "<b>1</b> pause: some messages are held back" in html
    assert "<b>1</b> alert needs a look" in html


def test_a_reason_is_shown_and_never_run(house: House) -> None:
    post(house, "/held", what="clinic:", reason="<script>alert(1)</script>")
    html = house.desk().get("/held").text
    assert "<script" not in html


def test_every_kind_of_alert_has_words(house: House) -> None:
    with house.out.sessions.begin() as session:
        for kind in ("configuration", "quota", "security", "content_refused", "transient", "balance", "stuck",
                     "doubled", "doubt"):  # fmt: skip
            alerts.raise_alert(session, house.clinic_id, kind, "", "ids", NOW)
        session.execute(update(Alert).values(count=3))
    html = read(house)
    assert "Ask whoever runs the service to look.<" not in html
    assert html.count("3 times since") == 9


def test_a_number_that_does_not_work_is_told_with_whose_it_is_and_what_to_do(house: House) -> None:
    patient_id = house.patient()
    with house.out.sessions.begin() as session:
        reach = patients.addresses(session, house.clinic_id, patient_id)[Channel.SMS]
        unusable.mark(session, [reach.id], NOW)
        alerts.raise_alert(session, house.clinic_id, UNUSABLE, str(reach.id), "address x", NOW)
    html = read(house)
    assert "A number or mailbox does not work" in html
    assert f'href="/patients/{patient_id}"' in html
    assert "under Change on the patient" in html
    assert "Nothing arrives there" in house.desk().get(f"/patients/{patient_id}").text


def test_another_clinics_patient_is_not_named(house: House) -> None:
    other = add_clinic(house.out, "pine", "+12025550177")
    patient_id = house.patient(clinic_id=other)
    with house.out.sessions.begin() as session:
        reach = patients.addresses(session, other, patient_id)[Channel.SMS]
        alerts.raise_alert(session, house.clinic_id, UNUSABLE, str(reach.id), "address x", NOW)
    assert f"/patients/{patient_id}" not in read(house)
