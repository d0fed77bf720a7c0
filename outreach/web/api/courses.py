"""Courses, their infusions, and the sequences they follow: read."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from outreach.store import bookings, patients
from outreach.store.bookings import Booked
from outreach.web.api.door import AtDoor, etag
from outreach.web.api.fields import At, WallOut

router = APIRouter(prefix="/v1", tags=["courses and infusions"])


class CourseOut(BaseModel):
    """A series of infusions."""

    id: UUID
    patient_id: UUID
    label: str
    status: str = Field(examples=["active"])
    created_at: At


class Courses(BaseModel):
    """Oldest first."""

    items: list[CourseOut]


class InfusionOut(BaseModel):
    """One visit."""

    id: UUID
    course_id: UUID
    patient_id: UUID
    external_id: str | None
    starts: WallOut
    zone: str = Field(examples=["America/Chicago"])
    minutes: int
    status: Literal["booked", "cancelled"]
    version: int = Field(description="How often it was moved; the ETag holds it too.")


class Infusions(BaseModel):
    """Earliest first, cancelled ones too."""

    items: list[InfusionOut]


class EnrolmentOut(BaseModel):
    """Which sequence a course follows."""

    id: UUID
    course_id: UUID
    sequence: str
    status: str
    created_at: At


class Enrolments(BaseModel):
    """Oldest first."""

    items: list[EnrolmentOut]


@router.get("/patients/{patient_id}/courses")
def courses(caller: AtDoor, patient_id: UUID) -> Courses:
    """The patient's courses."""
    with caller.out.sessions() as session:
        patients.get(session, caller.clinic_id, patient_id)
        found = bookings.courses(session, caller.clinic_id, patient_id)
    return Courses(items=[CourseOut.model_validate(vars(one)) for one in found])


@router.get("/patients/{patient_id}/enrolments")
def followed(caller: AtDoor, patient_id: UUID) -> Enrolments:
    """Which sequences the patient's courses follow."""
    with caller.out.sessions() as session:
        patients.get(session, caller.clinic_id, patient_id)
        found = bookings.enrolments(session, caller.clinic_id, patient_id)
    return Enrolments(items=[EnrolmentOut.model_validate(vars(one)) for one in found])


@router.get("/courses/{course_id}/infusions")
def infusions(caller: AtDoor, course_id: UUID) -> Infusions:
    """A course's visits."""
    with caller.out.sessions() as session:
        found = bookings.visits(session, caller.clinic_id, course_id)
    return Infusions(items=[shown(one) for one in found])


@router.get("/infusions/{infusion_id}")
def read(caller: AtDoor, infusion_id: UUID, response: Response) -> InfusionOut:
    """One visit. The ETag is what a move needs."""
    with caller.out.sessions() as session:
        found = bookings.visit(session, caller.clinic_id, infusion_id)
    response.headers["ETag"] = etag(found.revision)
    return shown(found)


def shown(one: Booked) -> InfusionOut:
    return InfusionOut.model_validate(
        {"id": one.id, "course_id": one.course_id, "patient_id": one.patient_id, "external_id": one.external,
         "starts": one.starts, "zone": one.zone, "minutes": one.minutes, "status": one.status,
         "version": one.revision}
    )  # fmt: skip
