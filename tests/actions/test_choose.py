"""A clinic's choice of a sequence: every plan follows, at once or soon, and nothing that went out is touched."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from outreach.actions import choose as choosing
from outreach.actions.enrol import Enrol, NewVisit, enrol
from outreach.actions.move import cancel, move
from outreach.domain.sequence import Sequence
from outreach.domain.status import Status
from outreach.errors import BadInput
from outreach.store import audit, choices, clinics
from outreach.store.choices import Choice
from outreach.store.office import Audit
from outreach.store.tables import Clinic, Infusion
from outreach.store.traffic import Message
from tests.actions.conftest import NOW

STAFF = uuid4()


def book(session: Session, clinic: Clinic, sequence: Sequence, number: int = 43, zone: str | None = None) -> UUID:
    visit = NewVisit(datetime(2026, 12, 10, 9, 30), 60)
    form = Enrol(clinic.id, f"Ana {number}", "en", (visit,), zone=zone, phone=f"+131255501{number}")
    return enrol(session, form, sequence, NOW).patient_id


def coming(session: Session, **where: Any) -> dict[str, datetime]:
    rows = session.scalars(select(Message).filter_by(status=Status.SCHEDULED.value, **where))
    return {row.step: row.wall for row in rows if row.occasion is None}


def choose(session: Session, clinic: Clinic, sequence: Sequence, choice: Choice) -> choosing.Chosen:
    return choosing.choose(session, clinic.id, sequence, choice, NOW, staff_id=STAFF)


def test_switched_off_nothing_more_goes_and_switched_on_all_is_planned_anew(
    session: Session, clinic: Clinic, sequence: Sequence
) -> None:
    book(session, clinic, sequence)
    before = coming(session)
    assert before
    assert choose(session, clinic, sequence, Choice(active=False)).replanned == 1
    assert coming(session) == {}
    choose(session, clinic, sequence, Choice(active=True, revision=1))
    assert coming(session) == before


def test_whoever_is_enrolled_while_it_is_off_gets_no_plan_and_no_question(
    session: Session, clinic: Clinic, sequence: Sequence
) -> None:
    choose(session, clinic, sequence, Choice(active=False))
    book(session, clinic, sequence)
    assert session.scalars(select(Message)).all() == []


def test_another_time_of_day_moves_what_is_still_to_come(session: Session, clinic: Clinic, sequence: Sequence) -> None:
    book(session, clinic, sequence)
    before = coming(session)
    choose(session, clinic, sequence, Choice(changes={"pre.tomorrow": {"at": "15:45"}}))
    after = coming(session)
    assert after["pre.tomorrow"] == datetime(2026, 12, 9, 15, 45)
    assert {step: wall for step, wall in after.items() if step != "pre.tomorrow"} == {
        step: wall for step, wall in before.items() if step != "pre.tomorrow"
    }


def test_a_moved_visit_keeps_to_the_clinics_times(session: Session, clinic: Clinic, sequence: Sequence) -> None:
    choose(session, clinic, sequence, Choice(changes={"pre.tomorrow": {"at": "15:45"}}))
    book(session, clinic, sequence)
    visit = session.scalars(select(Infusion)).one()
    move(session, visit.id, datetime(2026, 12, 14, 9, 30), visit.zone, sequence, NOW)
    assert coming(session)["pre.tomorrow"] == datetime(2026, 12, 13, 15, 45)


def test_what_went_out_stays(session: Session, clinic: Clinic, sequence: Sequence) -> None:
    book(session, clinic, sequence)
    gone = session.scalars(select(Message).where(Message.step == "pre.the_day")).one()
    gone.status = Status.DELIVERED.value
    session.flush()
    choose(session, clinic, sequence, Choice(active=False))
    session.refresh(gone)
    assert gone.status == Status.DELIVERED


def test_news_of_a_visit_is_owed_also_when_it_is_off(session: Session, clinic: Clinic, sequence: Sequence) -> None:
    book(session, clinic, sequence)
    told = session.scalars(select(Message).where(Message.step == "pre.the_day")).one()
    told.status = Status.DELIVERED.value
    session.flush()
    choose(session, clinic, sequence, Choice(active=False))
    assert cancel(session, session.scalars(select(Infusion)).one().id, sequence, NOW).noticed == 1


def test_two_who_change_it_at_once_notice(session: Session, clinic: Clinic, sequence: Sequence) -> None:
    choose(session, clinic, sequence, Choice(active=False))
    for seen in (0, 2, -1):
        with pytest.raises(BadInput, match="meanwhile"):
            choose(session, clinic, sequence, Choice(active=True, revision=seen))
    choose(session, clinic, sequence, Choice(active=True, revision=1))


def test_it_is_written_down_who_changed_what(session: Session, clinic: Clinic, sequence: Sequence) -> None:
    choose(session, clinic, sequence, Choice(active=False, changes={"pre.tomorrow": {"at": "15:45"}}))
    row = session.scalars(select(Audit)).one()
    assert (row.action, row.actor_id, row.subject_id) == ("sequence.changed", STAFF, sequence.name)
    assert row.detail["active"] is False
    assert audit.FIRST


def test_another_clinics_patients_are_not_concerned(session: Session, clinic: Clinic, sequence: Sequence) -> None:
    other = clinics.add(
        session, slug="other", name="Other", zone="America/Chicago", country="US", locale="en",
        phone="+12025550188", address="2 Fern Street", emergency="911", sms_sender="+12025550177",
    )  # fmt: skip
    book(session, other, sequence, 44)
    choose(session, clinic, sequence, Choice(active=False))
    assert coming(session, clinic_id=other.id)


def test_many_patients_are_planned_anew_in_turns_and_what_goes_next_is_stopped_at_once(
    engine: Any, vault: Any, sequence: Sequence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "AT_ONCE", 1)
    sessions = sessionmaker(engine, info={"vault": vault}, expire_on_commit=False)
    with sessions.begin() as session:
        clinic = clinics.add(
            session, slug="one", name="One", zone="America/Chicago", country="US", locale="en",
            phone="+12025550188", address="2 Fern Street", emergency="911", sms_sender="+12025550177",
        )  # fmt: skip
        for number in (41, 42, 43):
            book(session, clinic, sequence, number)
        soon = session.scalars(select(Message).where(Message.occasion.is_(None))).all()
        for row in soon:
            row.due_at = NOW + timedelta(minutes=5)
    with sessions.begin() as session:
        done = choose(session, clinic, sequence, Choice(active=False))
        assert (done.replanned, done.more) == (1, True)
        assert coming(session) == {}
    known = {sequence.name: sequence}
    assert choosing.follow(sessions, known, lambda: NOW) == 2
    assert choosing.follow(sessions, known, lambda: NOW) == 0


def test_counts_for_a_page_are_those_of_the_clinic(session: Session, clinic: Clinic, sequence: Sequence) -> None:
    book(session, clinic, sequence)
    steps = [step.key for step in sequence.timed]
    assert choices.enrolled(session, clinic.id) == {sequence.name: 1}
    assert choices.waiting(session, clinic.id, sequence.name, steps) == len(coming(session))
    assert choices.waiting(session, uuid4(), sequence.name, steps) == 0
    assert time(10) in {wall.time() for wall in coming(session).values()}
