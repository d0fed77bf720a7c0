"""The proof of consent, requests to stop made to staff, one patient of a shared number, the day of the law's switch."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from outreach.actions import agree, withdraw
from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentKind, State, may_contact
from outreach.store import consents, patients
from outreach.store.office import Audit, Task
from tests.web.house import NOW, House, TestClient, add_clinic, field
from tests.web.links import Held, hold


def standing(house: House, patient_id: UUID, now: datetime = NOW) -> dict[Channel, State]:
    with house.out.sessions() as session:
        reach = patients.addresses(session, house.clinic_id, patient_id)
        return {channel: may_contact(consents.ledger(session, one.id), now + timedelta(minutes=1)).state
                for channel, one in reach.items()}  # fmt: skip


def token(desk: TestClient, path: str) -> str:
    return field(desk.get(path).text, "csrf")


def test_the_document_shows_every_column_of_every_event_and_its_reading_is_noted(house: House) -> None:
    held = hold(house)
    with house.out.sessions.begin() as session:
        agree.agree(session, held.addresses[Channel.SMS], method="sms", evidence="inbound-7", locale="ar",
                    wording="هل يمكننا المراسلة؟", wording_version="v3", now=NOW)  # fmt: skip
        patients.set_address(session, house.clinic_id, held.patient_id, Channel.SMS, "+12025550155", NOW)
    shown = house.desk().get(f"/patients/{held.patient_id}/consent.html")
    assert shown.status_code == 200
    for said in (
        "هل يمكننا المراسلة؟", "v3", "inbound-7", "by text", "messages about visits and care",
        "this number or mailbox", "own yes to the words shown", "signed on paper", "the patient</dd>",
        "was told that it is not encrypted", "(used before)", "555-0143",
    ):  # fmt: skip
        assert said in shown.text, said
    assert held.audited()[-1] == "consent.exported"


def test_another_clinics_patient_has_no_document_and_is_not_given_back(house: House) -> None:
    theirs = house.patient(clinic_id=add_clinic(house.out, "south", "+12025550111"))
    desk = house.desk()
    assert desk.get(f"/patients/{theirs}/consent.html").status_code == 404
    csrf = token(desk, "/settings")
    assert desk.post(f"/patients/{theirs}/restore", data={"csrf": csrf, "said_by": "x", "said_on": "2026-11-20"}
                     ).status_code == 404  # fmt: skip


def test_another_number_begins_with_nothing_and_the_old_one_keeps_its_stop(house: House) -> None:
    held = hold(house)
    assert standing(house, held.patient_id)[Channel.SMS] is State.AGREED
    with house.out.sessions.begin() as session:
        withdraw.stop(session, held.addresses[Channel.SMS], method="page", evidence="x", now=NOW)
        patients.set_address(session, house.clinic_id, held.patient_id, Channel.SMS, "+12025550155", NOW)
    assert standing(house, held.patient_id)[Channel.SMS] is State.NONE
    with house.out.sessions.begin() as session:
        patients.set_address(session, house.clinic_id, held.patient_id, Channel.SMS, "+12025550143", NOW)
    assert standing(house, held.patient_id)[Channel.SMS] is State.OPTED_OUT


def test_a_request_that_must_wait_is_a_task_with_the_laws_deadline_until_it_is_done(house: House) -> None:
    held, desk = hold(house), house.desk()
    path = f"/patients/{held.patient_id}"
    csrf = token(desk, path)
    asked = {"csrf": csrf, "asked_on": "2026-11-16", "when": "later"}
    for _ in range(2):
        assert desk.post(f"{path}/stop", data=asked).headers["location"].endswith("saved=stop_later")
    with house.out.sessions() as session:
        [task] = session.scalars(select(Task)).all()
    assert (task.kind, task.due_at) == ("stop", datetime(2026, 12, 1, 5, tzinfo=UTC)), "Nov 30 ends in New York"
    assert "May want to stop" in desk.get("/today").text
    assert standing(house, held.patient_id)[Channel.SMS] is State.AGREED
    assert desk.post(f"{path}/stop", data={"csrf": csrf, "asked": "1", "asked_on": "2026-11-16"}).status_code == 303
    with house.out.sessions() as session:
        [task] = session.scalars(select(Task)).all()
    assert (task.outcome, task.closed_at) == ("done", NOW)
    assert [proof.evidence for proof in held.ledger()][-1].endswith(":asked:2026-11-16")
    assert held.audited()[-2:] == ["consent.stop_asked", "consent.revoked"]


@pytest.mark.parametrize("day", ["2026-11-22", "soon", "1926-11-16"])
def test_nobody_can_have_asked_tomorrow(house: House, day: str) -> None:
    held, desk = hold(house), house.desk()
    path = f"/patients/{held.patient_id}"
    answer = desk.post(f"{path}/stop", data={"csrf": token(desk, path), "asked": "1", "asked_on": day})
    assert answer.status_code == 422
    assert "cannot be in the future" in answer.text
    assert standing(house, held.patient_id)[Channel.SMS] is State.AGREED


def family(house: House) -> tuple[Held, Held]:
    """Two patients with one phone, both stopped by one STOP."""
    one, two = hold(house), hold(house)
    with house.out.sessions.begin() as session:
        withdraw.stop(session, one.addresses[Channel.SMS], method="sms", evidence="inbound", now=NOW)
    return one, two


def test_one_of_a_family_is_given_back_by_name_and_the_other_stays_stopped(house: House) -> None:
    one, two = family(house)
    desk = house.desk()
    path = f"/patients/{two.patient_id}"
    assert "Write to this patient again" in desk.get(path).text
    said = {
        "csrf": token(desk, path),
        "channel": "sms",
        "said_by": "the patient, by telephone",
        "said_on": "2026-11-21",
    }
    later = house.later(timedelta(hours=1)).desk()
    said["csrf"] = token(later, path)
    assert later.post(f"{path}/restore", data=said).headers["location"].startswith(f"{path}?saved=given_back")
    assert standing(house, two.patient_id, NOW + timedelta(hours=2))[Channel.SMS] is State.AGREED
    assert set(standing(house, one.patient_id).values()) == {State.OPTED_OUT}
    proof = two.ledger()[-1]
    assert (proof.kind, proof.wording, proof.method) == (ConsentKind.RESTORED, "the patient, by telephone", "staff")
    assert ":said:2026-11-21" in proof.evidence
    assert two.audited()[-1] == "consent.given_back"
    assert later.post(f"{path}/restore", data=said).status_code == 422, "there is nothing left to give back"


def test_without_who_said_it_or_for_a_number_of_ones_own_nothing_is_given_back(house: House) -> None:
    _, two = family(house)
    alone = hold(house, phone="+12025550166")
    with house.out.sessions.begin() as session:
        withdraw.stop(session, alone.addresses[Channel.SMS], method="sms", evidence="own", now=NOW)
    desk = house.later(timedelta(hours=1)).desk()
    csrf = token(desk, "/settings")
    for patient, said_by, on in ((two, "", "2026-11-21"), (two, "her", "2026-12-24"), (alone, "her", "2026-11-21")):
        answer = desk.post(f"/patients/{patient.patient_id}/restore",
                           data={"csrf": csrf, "channel": "sms", "said_by": said_by, "said_on": on})  # fmt: skip
        assert answer.status_code == 422
        assert set(standing(house, patient.patient_id).values()) == {State.OPTED_OUT}
    assert "Write to this patient again" not in desk.get(f"/patients/{alone.patient_id}").text
    with house.out.sessions() as session:
        assert "consent.given_back" not in session.scalars(select(Audit.action)).all()


SIDES = [(date(2027, 1, 30), State.AGREED), (date(2027, 1, 31), State.OPTED_OUT)]


@pytest.mark.parametrize(("day", "other"), SIDES)
def test_the_button_of_one_channel_ends_the_other_from_the_laws_day_on(house: House, day: date, other: State) -> None:
    held = hold(house)
    held.set_message("pre.the_day", channel="email", address_id=held.addresses[Channel.EMAIL])
    at = datetime(day.year, day.month, day.day, 18, tzinfo=UTC)
    house.later(at - NOW).browser().post(f"/u/{held.tokens['pre.the_day']}", data={"List-Unsubscribe": "One-Click"})
    found = standing(house, held.patient_id, at)
    assert (found[Channel.EMAIL], found[Channel.SMS]) == (State.OPTED_OUT, other)
    assert held.ledger()[-1].scope == ("all" if other is State.OPTED_OUT else "address")


@pytest.mark.parametrize(("day", "other"), SIDES)
def test_what_staff_take_back_for_one_channel_ends_the_other_from_then_on(
    house: House, day: date, other: State
) -> None:
    held = hold(house)
    at = datetime(day.year, day.month, day.day, 18, tzinfo=UTC)
    desk = house.later(at - NOW).desk()
    path = f"/patients/{held.patient_id}"
    asked = {"csrf": token(desk, path), "asked": "1", "channel": "email"}
    assert desk.post(f"{path}/stop", data=asked).status_code == 303
    found = standing(house, held.patient_id, at)
    assert found[Channel.EMAIL] is State.REVOKED_BY_STAFF
    assert found[Channel.SMS] is (State.REVOKED_BY_STAFF if other is State.OPTED_OUT else State.AGREED)
