"""What enrolling, signing and ending a course keep true: who is found, who is asked, when, and what the news says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from outreach.actions import correct, move, sign
from outreach.actions.conclude import conclude
from outreach.actions.enrol import Enrol, NewVisit, Paper, enrol
from outreach.domain.channel import Channel
from outreach.domain.finding import wanted
from outreach.domain.sequence import Sequence
from outreach.store import infusions, patients, roll, unusable
from outreach.store.tables import Clinic, Enrolment
from outreach.store.traffic import Event, Message
from tests.actions.conftest import NOW

Rows = Callable[..., list[Message]]
SMS = frozenset({Channel.SMS})
STAFF = UUID(int=5)


def form(clinic: Clinic, *visits: NewVisit, email: str = "ana@example.org", paper: Paper | None = None) -> Enrol:
    return Enrol(clinic.id, "Ana Sample", "es", visits, phone="(312) 555-0143", email=email, external="K-77",
                 paper=paper or Paper())  # fmt: skip


def test_who_is_enrolled_with_a_number_and_a_mailbox_is_found_by_either(
    session: Session, clinic: Clinic, sequence: Sequence
) -> None:
    enrol(session, form(clinic), sequence, NOW)
    for said in ("0143", "3125550143", "ana@example.org", "sample", "K-77"):
        found = roll.page(session, clinic.id, 9, meanings=wanted(said, "US")).people
        assert [one.name for one in found] == ["Ana Sample"], said


def test_a_dead_number_is_not_asked_when_its_patient_is_enrolled_again(
    session: Session, clinic: Clinic, sequence: Sequence
) -> None:
    one = form(clinic, email="")
    phone = patients.addresses(session, clinic.id, enrol(session, one, sequence, NOW).patient_id)[Channel.SMS]
    session.execute(update(Message).values(occasion="gone"))  # else its place is taken, and nothing is proved
    unusable.mark(session, [phone.id], NOW)
    assert enrol(session, one, sequence, NOW).asked == 0


def test_an_ended_course_says_so_and_a_new_number_of_its_patient_is_told_nothing_of_it(
    session: Session, clinic: Clinic, sequence: Sequence
) -> None:
    done = enrol(session, form(clinic, NewVisit(datetime(2026, 12, 15, 10), 40)), sequence, NOW)
    sequences = {sequence.name: sequence}
    conclude(session, clinic.id, session.scalars(select(Enrolment.id)).one(), sequences, NOW)
    left = session.execute(select(Message.status, Message.reason).where(Message.occasion.is_(None)))
    assert {row.reason for row in left if row.status == "cancelled"} == {"course_ended"}
    person = patients.get(session, clinic.id, done.patient_id)
    before = session.scalars(select(Message.id)).all()
    wish = replace(correct.now_is(session, person), phone="+13125550166")
    correct.correct(session, clinic.id, person.id, wish, person.version, sequences, staff_id=STAFF, now=NOW)
    assert session.scalars(select(Message.id)).all() == before


def test_a_signature_entered_at_night_is_confirmed_in_the_morning(
    session: Session, clinic: Clinic, sequence: Sequence, rows: Rows
) -> None:
    paper = Paper(channels=SMS, on=date(2026, 11, 20), form="F1", warned=True)
    enrol(session, form(clinic, email="", paper=paper), sequence, NOW + timedelta(hours=12))
    assert [row.wall.hour for row in rows(step="consent.confirmed")] == [8]


def test_of_two_messages_that_tell_the_same_exactly_one_goes_after_a_signature(
    session: Session, clinic: Clinic, sequence: Sequence, rows: Rows
) -> None:
    """The same is held for a yes by text in test_agree.py."""
    done = enrol(session, form(clinic, NewVisit(datetime(2026, 12, 7, 10), 40), email=""), sequence, NOW)
    paper = Paper(channels=SMS, on=date(2026, 12, 1), form="F1")
    for hours in range(1, 140, 9):
        with session.begin_nested() as attempt:
            at = NOW + timedelta(hours=hours)
            waiting = Message.status == "scheduled", Message.due_at <= at, Message.course_id.is_not(None)
            session.execute(update(Message).where(*waiting).values(status="suppressed", reason="no_consent"))
            sign.record(session, clinic.id, done.patient_id, paper, staff_id=STAFF, now=at)
            going = {row.step: max(row.due_at, at) for row in rows(status="scheduled") if row.course_id}
            for pair in (("pre.the_day", "pre.what_to_expect"), ("pre.the_day", "pre.tomorrow")):
                days = [going[one].astimezone(ZoneInfo(clinic.zone)).date() for one in pair if one in going]
                assert len(days) == len(set(days)), (at, going)
            attempt.rollback()
            session.expire_all()


def test_what_is_put_aside_says_why_in_its_news(session: Session, clinic: Clinic, sequence: Sequence) -> None:
    done = enrol(session, form(clinic, NewVisit(datetime(2026, 12, 15, 10), 40)), sequence, NOW)
    [visit] = infusions.of_course(session, done.course_id)
    later = NOW + timedelta(hours=1)
    move.move(session, visit.id, visit.starts + timedelta(days=1), visit.zone, sequence, later)
    told = select(Event.reason, Event.at, Event.clinic_id, Message.reason, Message.ended_at).join(
        Message, Message.id == Event.message_id
    )
    news = [tuple(row) for row in session.execute(told.where(Event.word == "put aside"))]
    assert {row[0] for row in news} == {"visit_moved", "superseded"}
    assert all(row == (row[3], later, clinic.id, row[3], later) for row in news)
