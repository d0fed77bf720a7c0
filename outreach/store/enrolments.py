"""Courses and enrolments: which series of infusions follows which sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from outreach.errors import NotFound
from outreach.store.rows import Ask, fetch
from outreach.store.tables import Course, Enrolment
from outreach.store.vault import vault_of


@dataclass(frozen=True)
class Series:
    """A course of one patient."""

    id: UUID
    clinic_id: UUID
    patient_id: UUID
    status: str


def take_turn(session: Session, clinic_id: UUID, who: str) -> None:
    """Until this transaction ends nobody else enrols `who` (identifier, address or name, in normal form) here."""
    index = vault_of(session).index("enrolling", who, clinic_id)
    fetch(session, "select pg_advisory_xact_lock(%(who)b::int8)", who=int.from_bytes(index[:8], "big", signed=True))


def course_for(session: Session, clinic_id: UUID, patient_id: UUID, now: datetime) -> UUID:
    """The patient's active course, made when there is none."""
    found = active_course(session, clinic_id, patient_id)
    return found if found is not None else add_course(session, clinic_id, patient_id, now)


def add_course(session: Session, clinic_id: UUID, patient_id: UUID, now: datetime) -> UUID:
    """A course of a patient who has none."""
    course_id = uuid4()
    fetch(session, _ADD, id=course_id, clinic=clinic_id, patient=patient_id, now=now)
    return course_id


_ADD = """
insert into course (id, clinic_id, patient_id, label, status, created_at)
values (%(id)b, %(clinic)b, %(patient)b, '', 'active', %(now)b) returning id"""


def active_course(session: Session, clinic_id: UUID, patient_id: UUID) -> UUID | None:
    rows = fetch(session, _ACTIVE, clinic=clinic_id, patient=patient_id)
    return rows[0][0] if rows else None


_ACTIVE = """
select id from course where clinic_id = %(clinic)b and patient_id = %(patient)b and status = 'active'
order by created_at, id limit 1"""


def course(session: Session, course_id: UUID) -> Series:
    """The course, or NotFound."""
    return _series(fetch(session, _COURSE, course=course_id))


def lock_course(session: Session, course_id: UUID) -> Series:
    """The course, locked: two re-plans of one course take turns, so that neither adds what the other cancels."""
    session.flush()
    return _series(fetch(session, _LOCK, course=course_id))


def _series(rows: Sequence[Any]) -> Series:
    if not rows:
        raise NotFound("no such course")
    return Series(*rows[0])


_COURSE = "select id, clinic_id, patient_id, status from course where id = %(course)b"
_LOCK = f"{_COURSE} for update"


def asking(course_id: UUID, sequence: str) -> Ask:
    """The enrolment of this course in this sequence: its id, and the digest of the rules it was last planned by."""
    return Ask(_ENROLLED, {"course": course_id, "sequence": sequence})


def enrolling(enrolment_id: UUID, course: Series, sequence: str, digest: str, now: datetime) -> Ask:
    """To enrol this locked course in this sequence; it remembers the rules it was last planned by."""
    return Ask(_ENROL, {"id": enrolment_id, "clinic": course.clinic_id, "patient": course.patient_id, "now": now,
                        "course": course.id, "sequence": sequence, "digest": digest})  # fmt: skip


_ENROLLED = "select id, sequence_digest from enrolment where course_id = %(course)b and sequence = %(sequence)b"
_ENROL = """
insert into enrolment (id, clinic_id, patient_id, course_id, sequence, sequence_digest, status, created_at)
values (%(id)b, %(clinic)b, %(patient)b, %(course)b, %(sequence)b, %(digest)b, 'active', %(now)b)
on conflict on constraint enrolment_once do update set sequence_digest = excluded.sequence_digest returning id
"""


def active(session: Session, clinic_id: UUID | None = None) -> Sequence[tuple[UUID, str]]:
    """(course, sequence) of every active enrolment: what a change of rules or zone data plans anew."""
    of_clinic = [Enrolment.clinic_id == clinic_id] if clinic_id else []
    rows = session.execute(
        select(Enrolment.course_id, Enrolment.sequence)
        .where(Enrolment.status == "active", *of_clinic)
        .order_by(Enrolment.created_at, Enrolment.id)
    )
    return [(course_id, sequence) for course_id, sequence in rows]


def courses(session: Session, clinic_id: UUID, patient_id: UUID) -> list[UUID]:
    """All courses of a patient, the first one first."""
    own = Course.clinic_id == clinic_id, Course.patient_id == patient_id
    return list(session.scalars(select(Course.id).where(*own).order_by(Course.created_at, Course.id)))


def of_patient(session: Session, clinic_id: UUID, patient_id: UUID) -> Sequence[tuple[UUID, str]]:
    """(course, sequence) of the patient's active enrolments."""
    return [(course_id, sequence) for course_id, sequence in
            fetch(session, _OF_PATIENT, clinic=clinic_id, patient=patient_id)]  # fmt: skip


# By way of the courses: an index of its own would cost each enrolment a little, and only this needs it.
_OF_PATIENT = """
select e.course_id, e.sequence from course c join enrolment e on e.course_id = c.id
where c.clinic_id = %(clinic)b and c.patient_id = %(patient)b and e.status = 'active' order by e.created_at, e.id"""


def of_course(session: Session, course_id: UUID) -> str | None:
    """The sequence that a course follows; None: none any more."""
    return session.scalar(
        select(Enrolment.sequence)
        .where(Enrolment.course_id == course_id, Enrolment.status == "active")
        .order_by(Enrolment.created_at, Enrolment.id)
        .limit(1)
    )


def end(session: Session, course_id: UUID) -> None:
    """Nothing more is planned for this course."""
    session.execute(update(Enrolment).where(Enrolment.course_id == course_id).values(status="ended"))
    session.execute(update(Course).where(Course.id == course_id).values(status="ended"))
