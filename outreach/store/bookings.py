"""Courses, visits and enrolments as other software reads them: each found within its clinic only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from outreach.errors import NotFound
from outreach.store.tables import Course, Enrolment, Infusion

_BOOKED = (Infusion.id, Infusion.course_id, Course.patient_id, Infusion.external, Infusion.starts, Infusion.zone,
           Infusion.minutes, Infusion.status, Infusion.revision)  # fmt: skip


@dataclass(frozen=True)
class Booked:
    """A visit; `starts` is the wall time of `zone`, `revision` counts how often it was moved."""

    id: UUID
    course_id: UUID
    patient_id: UUID
    external: str | None
    starts: datetime
    zone: str
    minutes: int
    status: str
    revision: int


def visit(session: Session, clinic_id: UUID, infusion_id: UUID) -> Booked:
    """One, or NotFound."""
    found = _visits(session, Infusion.clinic_id == clinic_id, Infusion.id == infusion_id)
    if not found:
        raise NotFound("no such infusion in this clinic")
    return found[0]


def visits(session: Session, clinic_id: UUID, course_id: UUID) -> list[Booked]:
    """A course's visits, earliest first; NotFound where the clinic has no such course."""
    known = session.scalar(select(Course.id).where(Course.clinic_id == clinic_id, Course.id == course_id))
    if known is None:
        raise NotFound("no such course in this clinic")
    return _visits(session, Infusion.clinic_id == clinic_id, Infusion.course_id == course_id)


def course(session: Session, clinic_id: UUID, course_id: UUID) -> UUID:
    """The patient of a course, or NotFound."""
    found = session.scalar(select(Course.patient_id).where(Course.clinic_id == clinic_id, Course.id == course_id))
    if found is None:
        raise NotFound("no such course in this clinic")
    return found


@dataclass(frozen=True)
class Series:
    """A course of a patient."""

    id: UUID
    patient_id: UUID
    label: str
    status: str
    created_at: datetime


def courses(session: Session, clinic_id: UUID, patient_id: UUID) -> list[Series]:
    """A patient's courses, oldest first."""
    rows = session.execute(
        select(Course.id, Course.patient_id, Course.label, Course.status, Course.created_at)
        .where(Course.clinic_id == clinic_id, Course.patient_id == patient_id)
        .order_by(Course.created_at, Course.id)
    )
    return [Series(*row) for row in rows]


@dataclass(frozen=True)
class Followed:
    """Which sequence a course follows."""

    id: UUID
    course_id: UUID
    sequence: str
    status: str
    created_at: datetime


_FOLLOWED = (Enrolment.id, Enrolment.course_id, Enrolment.sequence, Enrolment.status, Enrolment.created_at)


def enrolment(session: Session, clinic_id: UUID, enrolment_id: UUID) -> Followed:
    """One, or NotFound."""
    row = session.execute(
        select(*_FOLLOWED).where(Enrolment.clinic_id == clinic_id, Enrolment.id == enrolment_id)
    ).one_or_none()
    if row is None:
        raise NotFound("no such enrolment in this clinic")
    return Followed(*row)


def enrolments(session: Session, clinic_id: UUID, patient_id: UUID) -> list[Followed]:
    """A patient's enrolments, oldest first."""
    rows = session.execute(
        select(*_FOLLOWED)
        .where(Enrolment.clinic_id == clinic_id, Enrolment.patient_id == patient_id)
        .order_by(Enrolment.created_at, Enrolment.id)
    )
    return [Followed(*row) for row in rows]


def _visits(session: Session, *where: ColumnElement[bool]) -> list[Booked]:
    rows = session.execute(
        select(*_BOOKED)
        .join(Course, Course.id == Infusion.course_id)
        .where(*where)
        .order_by(Infusion.starts, Infusion.id)
    )
    return [Booked(*row) for row in rows]
