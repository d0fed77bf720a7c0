"""Enrolments: which sequence a course follows, chosen when it begins; and its end."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from outreach.actions.conclude import conclude
from outreach.actions.load import SEQUENCE
from outreach.domain.sequence import Sequence
from outreach.store import bookings, enrolments
from outreach.store.kept import Answer
from outreach.web.api.courses import EnrolmentOut
from outreach.web.api.door import AtDoor, Caller, IdempotencyKey, said
from outreach.web.api.problems import Trouble

router = APIRouter(prefix="/v1", tags=["courses and infusions"])
SequenceName = Annotated[
    str, Field(max_length=60, pattern=r"^[a-z0-9-]+$", description="One of `GET /v1/sequences`.", examples=[SEQUENCE])
]


class Ended(BaseModel):
    """What ending did."""

    enrolment: EnrolmentOut
    cancelled: int = Field(description="Messages that step aside.")


@router.post("/enrolments/{enrolment_id}/end", response_model=Ended)
def end(caller: AtDoor, enrolment_id: UUID, repeat: IdempotencyKey = None) -> Response:
    """End it for good: nothing more is sent of its course. Visits stay booked; cancel them first to tell the patient.

    A next visit begins a course of its own. One that has ended stays as it is.
    """

    def act(session: Session) -> Answer:
        before = bookings.enrolment(session, caller.clinic_id, enrolment_id)
        done = conclude(session, caller.clinic_id, enrolment_id, caller.out.sequences, caller.out.clock())
        found = bookings.enrolment(session, caller.clinic_id, enrolment_id)
        if before.status != found.status:
            caller.note(session, "enrolment.ended", "course", found.course_id, cancelled=done.cancelled)
        return said(Ended(enrolment=EnrolmentOut.model_validate(vars(found)), cancelled=done.cancelled))

    return caller.change(act)


def named(caller: Caller, name: str) -> Sequence:
    """The sequence that a request asks for. Trouble 422 where there is none."""
    found = caller.out.sequences.get(name)
    if found is None:
        raise Trouble(422, "There is no sequence of this name.", "body.sequence")
    return found


def of_course(caller: Caller, session: Session, course_id: UUID | None) -> Sequence:
    """The sequence that a course follows; the default one where there is none yet."""
    name = enrolments.of_course(session, course_id) if course_id else None
    return caller.out.sequences.get(name or SEQUENCE, caller.out.sequences[SEQUENCE])


def of_patient(caller: Caller, session: Session, patient_id: UUID) -> Sequence:
    """The same of the patient's active course."""
    return of_course(caller, session, enrolments.active_course(session, caller.clinic_id, patient_id))
