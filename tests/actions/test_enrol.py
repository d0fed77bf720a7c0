"""Enrolling and re-planning: everything once, consent asked where none is recorded, plans that follow the visits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.actions import withdraw
from outreach.actions.enrol import Enrol, Enrolled, NewVisit, Paper, enrol, replan
from outreach.domain.channel import Channel
from outreach.domain.consent import State, may_contact
from outreach.domain.sequence import Sequence
from outreach.domain.status import Status
from outreach.errors import BadInput, Reason
from outreach.store import consents, patients
from outreach.store.tables import Clinic, Patient
from outreach.store.traffic import Event, Message
from tests.actions.conftest import NOW

Rows = Callable[..., list[Message]]
BOTH = frozenset({Channel.SMS, Channel.EMAIL})
SIGNED = Paper(channels=BOTH, on=date(2026, 11, 20), form="F1", warned=True)
VISIT = NewVisit(datetime(2026, 12, 15, 10), 40, "V1")


@pytest.fixture
def form(clinic: Clinic) -> Enrol:
    return Enrol(clinic.id, "Ana Sample", "es", (VISIT,), phone="(312) 555-0143", email="ana@example.org",
                 external="A1")  # fmt: skip


def again(session: Session, form: Enrol, sequence: Sequence) -> Enrolled:
    return enrol(session, form, sequence, NOW)


def test_everything_of_a_course_is_planned_and_the_request_goes_to_each_address(
    session: Session, form: Enrol, sequence: Sequence, rows: Rows
) -> None:
    done = again(session, form, sequence)
    assert (done.new, done.added, done.moved, done.asked) == (True, (0,), (), 2)
    steps = Counter(row.step for row in rows())
    assert steps == {step.key: 2 for step in sequence.timed} | {"consent.request": 2}
    assert {row.occasion for row in rows(step="consent.request")} == {
        f"ask:{one.id}" for one in patients.addresses(session, form.clinic_id, done.patient_id).values()
    }
    assert all(row.due_at == NOW for row in rows(step="consent.request"))


def test_the_same_form_twice_changes_nothing(session: Session, form: Enrol, sequence: Sequence, rows: Rows) -> None:
    first = again(session, form, sequence)
    before = [(row.id, row.status, row.due_at) for row in rows()]
    second = again(session, form, sequence)
    assert (second.new, second.changed, second.added, second.moved, second.asked) == (False, False, (), (), 0)
    assert (second.planning.added, second.planning.cancelled) == (0, 0)
    assert second.patient_id == first.patient_id
    assert [(row.id, row.status, row.due_at) for row in rows()] == before


def test_a_request_in_the_night_waits_for_the_morning_where_the_patient_lives(
    session: Session, form: Enrol, sequence: Sequence, rows: Rows
) -> None:
    night = NOW + timedelta(hours=12)  # 00:00 in Chicago, 07:00 in Berlin
    enrol(session, replace(form, zone="Europe/Berlin"), sequence, night)
    assert {row.wall.hour for row in rows(step="consent.request")} == {8}


def test_paper_is_evidence_and_is_confirmed_once(session: Session, form: Enrol, sequence: Sequence, rows: Rows) -> None:
    signed = replace(form, paper=SIGNED)
    done = again(session, signed, sequence)
    again(session, signed, sequence)
    assert done.asked == 0
    assert len(rows(step="consent.confirmed")) == 2
    for reach in patients.addresses(session, form.clinic_id, done.patient_id).values():
        permission = may_contact(consents.ledger(session, reach.id), NOW)
        assert (permission.allowed, permission.warned) == (True, True)


def test_paper_without_the_warning_gives_consent_without_clinical_words(
    session: Session, form: Enrol, sequence: Sequence
) -> None:
    done = again(session, replace(form, paper=replace(SIGNED, warned=False)), sequence)
    for reach in patients.addresses(session, form.clinic_id, done.patient_id).values():
        permission = may_contact(consents.ledger(session, reach.id), NOW)
        assert (permission.allowed, permission.warned) == (True, False)


def test_a_refusal_on_paper_is_not_asked_again(session: Session, form: Enrol, sequence: Sequence, rows: Rows) -> None:
    refused = Paper(refused=frozenset({Channel.EMAIL}), on=date(2026, 11, 20), form="F1")
    assert again(session, replace(form, paper=refused), sequence).asked == 1
    assert [row.channel for row in rows(step="consent.request")] == ["sms"]
    assert {row.reason for row in rows(channel="email", status="suppressed")} >= {Reason.WITHDRAWN.value}


def test_a_later_agreement_brings_back_what_a_refusal_took(
    session: Session, form: Enrol, sequence: Sequence, rows: Rows
) -> None:
    refused = Paper(refused=BOTH, on=date(2026, 11, 20), form="F1")
    again(session, replace(form, paper=refused), sequence)
    assert rows(status="scheduled") == []
    again(session, replace(form, paper=replace(SIGNED, on=date(2026, 11, 30), form="F2")), sequence)
    assert len(rows(step="pre.the_day", status="scheduled")) == 2


def test_paper_signed_before_a_stop_does_not_undo_it(session: Session, form: Enrol, sequence: Sequence) -> None:
    done = again(session, form, sequence)
    reach = patients.addresses(session, form.clinic_id, done.patient_id)[Channel.SMS]
    withdraw.stop(session, reach.id, method="sms", evidence="SM1", now=NOW)
    again(session, replace(form, paper=SIGNED), sequence)
    assert may_contact(consents.ledger(session, reach.id), NOW).state is State.OPTED_OUT


def test_whoever_shares_a_stopped_phone_is_not_asked(session: Session, form: Enrol, sequence: Sequence) -> None:
    done = again(session, form, sequence)
    reach = patients.addresses(session, form.clinic_id, done.patient_id)[Channel.SMS]
    withdraw.stop(session, reach.id, method="sms", evidence="SM1", now=NOW)
    child = replace(form, name="Child", external="A2", email="")
    assert again(session, child, sequence).asked == 0


def test_a_new_number_is_asked_and_the_plan_follows_it(
    session: Session, form: Enrol, sequence: Sequence, rows: Rows
) -> None:
    done = again(session, replace(form, paper=SIGNED), sequence)
    changed = again(session, replace(form, phone="+1 312-555-0199"), sequence)
    new = patients.addresses(session, form.clinic_id, done.patient_id)[Channel.SMS]
    assert (changed.changed, changed.asked) == (True, 1)
    assert {row.address_id for row in rows(channel="sms", status="scheduled") if row.infusion_id} == {new.id}


def test_another_zone_plans_on_another_clock(session: Session, form: Enrol, sequence: Sequence, rows: Rows) -> None:
    again(session, form, sequence)
    again(session, replace(form, zone="America/Los_Angeles"), sequence)
    live = rows(step="pre.tomorrow", status="scheduled")
    assert {(row.zone, row.wall.hour, row.due_at.hour) for row in live} == {("America/Los_Angeles", 10, 18)}


def test_what_is_over_is_planned_as_expired_with_its_reason(
    session: Session, form: Enrol, sequence: Sequence, rows: Rows
) -> None:
    soon = replace(form, visits=(NewVisit(datetime(2026, 12, 1, 7), 40, "V1"),))
    again(session, soon, sequence)
    [text, mail] = rows(step="pre.what_to_expect")
    assert {text.status, mail.status} == {"expired"}
    assert text.reason == Reason.PAST_AT_PLANNING.value
    assert text.ended_at is not None


def test_a_visit_at_short_notice_is_told_of_once_at_once_however_often_it_is_planned(
    session: Session, form: Enrol, sequence: Sequence, rows: Rows
) -> None:
    soon = replace(form, visits=(NewVisit(datetime(2026, 12, 3, 10), 40, "V1"),))
    course = again(session, soon, sequence).course_id
    before = [(row.id, row.status, row.due_at) for row in rows()]
    assert {(row.status, row.due_at) for row in rows(step="pre.the_day")} == {("scheduled", NOW)}
    assert {row.reason for row in rows(step="pre.what_to_expect")} == {"told_same_day"}
    assert {row.status for row in rows(step="pre.tomorrow")} == {"scheduled"}
    for later in (timedelta(minutes=20), timedelta(hours=7), timedelta(hours=30)):
        replan(session, course, sequence, NOW + later)
        assert [(row.id, row.status, row.due_at) for row in rows()] == before


def test_an_explanation_that_was_too_late_is_planned_again_when_the_first_visit_comes_later(
    session: Session, form: Enrol, sequence: Sequence, rows: Rows
) -> None:
    again(session, replace(form, visits=(NewVisit(datetime(2026, 12, 3, 10), 40, "V1"),)), sequence)
    again(session, form, sequence)
    assert {row.status for row in rows(step="pre.what_to_expect")} == {"cancelled", "scheduled"}


def test_a_later_last_visit_takes_the_messages_of_the_course_along(
    session: Session, form: Enrol, sequence: Sequence, rows: Rows
) -> None:
    again(session, form, sequence)
    longer = replace(form, visits=(VISIT, NewVisit(datetime(2026, 12, 22, 10), 40, "V2")))
    again(session, longer, sequence)
    assert [row.wall.day for row in rows(step="post.two_weeks", status="scheduled", channel="sms")] == [5]
    assert {row.reason for row in rows(step="post.two_weeks", status="cancelled")} == {Reason.SUPERSEDED.value}
    assert again(session, longer, sequence).planning.added == 0


def test_a_message_of_the_course_that_was_said_is_not_said_again(
    session: Session, form: Enrol, sequence: Sequence, rows: Rows, send: Callable[..., None]
) -> None:
    again(session, form, sequence)
    send("pre.what_to_expect")
    longer = replace(form, visits=(NewVisit(datetime(2026, 12, 12, 10), 40, "V0"), VISIT))
    again(session, longer, sequence)
    assert {row.status for row in rows(step="pre.what_to_expect")} == {"delivered"}


def test_neighbouring_infusions_leave_out_what_the_next_one_makes_pointless_and_take_it_back(
    session: Session, form: Enrol, sequence: Sequence, rows: Rows
) -> None:
    near = replace(form, visits=(VISIT, NewVisit(datetime(2026, 12, 16, 10), 40, "V2")))
    again(session, near, sequence)
    left_out = rows(step="post.first_days", status="suppressed")
    assert {row.reason for row in left_out} == {Reason.NEXT_INFUSION_NEAR.value}
    far = replace(form, visits=(VISIT, NewVisit(datetime(2026, 12, 26, 10), 40, "V2")))
    again(session, far, sequence)
    assert len(rows(step="post.first_days", status="scheduled")) == 4
    assert rows(step="post.first_days", status="suppressed") == []


def test_a_retry_that_waits_is_left_alone(session: Session, form: Enrol, sequence: Sequence, rows: Rows) -> None:
    done = again(session, form, sequence)
    waiting = rows(step="pre.the_day")[0]
    waiting.due_at += timedelta(minutes=7)
    session.flush()
    assert replan(session, done.course_id, sequence, NOW).cancelled == 0
    assert replan(session, done.course_id, sequence, NOW + timedelta(days=60)).cancelled == 0


def test_what_stop_suppressed_does_not_come_back_by_planning_again(
    session: Session, form: Enrol, sequence: Sequence, rows: Rows
) -> None:
    done = again(session, replace(form, paper=SIGNED), sequence)
    for reach in patients.addresses(session, form.clinic_id, done.patient_id).values():
        withdraw.stop(session, reach.id, method="sms", evidence="SM1", now=NOW)
    assert replan(session, done.course_id, sequence, NOW).added == 0
    assert rows(status="scheduled") == []


def test_an_inactive_patient_has_nothing_to_come(session: Session, form: Enrol, sequence: Sequence, rows: Rows) -> None:
    done = again(session, form, sequence)
    patients.change(session, patients.get(session, form.clinic_id, done.patient_id), {"active": False})
    replan(session, done.course_id, sequence, NOW)
    assert [row for row in rows(status="scheduled") if row.occasion is None] == []


def test_every_row_has_the_event_of_its_planning(session: Session, form: Enrol, sequence: Sequence) -> None:
    again(session, form, sequence)
    planned = session.scalar(select(func.count()).select_from(Event).where(Event.word == "planned"))
    assert planned == session.scalar(select(func.count()).select_from(Message))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "  "}, "name is empty"),
        ({"phone": "", "email": ""}, "neither a phone"),
        ({"zone": "America/Chicgo"}, "America/Chicago"),
        ({"phone": "12"}, "Not a phone number"),
        ({"wording": "loud"}, "full or neutral"),
        ({"paper": Paper(channels=BOTH)}, "needs the date"),
        ({"visits": (NewVisit(datetime(2027, 3, 14, 2, 30), 40),)}, "does not exist"),
        ({"visits": (NewVisit(VISIT.starts, 40), NewVisit(VISIT.starts, 50))}, "has this time already"),
    ],
    ids=["name", "no address", "zone", "phone", "wording", "paper", "skipped hour", "two at once"],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    session: Session, form: Enrol, sequence: Sequence, change: dict[str, object], says: str
) -> None:
    with pytest.raises(BadInput, match=says), session.begin_nested():
        enrol(session, replace(form, **change), sequence, NOW)  # type: ignore[arg-type]
    assert session.scalar(select(func.count()).select_from(Patient)) == 0
    assert session.scalar(select(func.count()).select_from(Message)) == 0


def test_statuses_of_the_plan_are_ends_or_still_to_come(
    session: Session, form: Enrol, sequence: Sequence, rows: Rows
) -> None:
    again(session, form, sequence)
    assert {row.status for row in rows()} <= {status.value for status in Status}
    assert all((row.ended_at is None) == (row.status == "scheduled") for row in rows())
