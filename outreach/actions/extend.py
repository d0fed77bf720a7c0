"""Extending a course: more visits for a patient who is enrolled."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.book import NewVisit, book
from outreach.actions.enrol import ask
from outreach.actions.replan import replan
from outreach.domain.sequence import Sequence
from outreach.errors import BadInput, say
from outreach.store import clinics, enrolments, patients


def extend(
    session: Session,
    clinic_id: UUID,
    patient_id: UUID,
    visits: tuple[NewVisit, ...],
    sequence: Sequence,
    now: datetime,
) -> int:
    """Book what is not booked yet and plan it; returns how many visits that is. The same form twice adds nothing.

    Whoever saves it writes the audit.
    """
    clinic = clinics.by_id(session, clinic_id)
    person, reach = patients.lock_reached(session, clinic_id, patient_id)
    if not person.active:
        raise BadInput(say("This patient is marked as inactive. Make them active first, under Change."))
    course_id = enrolments.course_for(session, clinic_id, patient_id, now)
    added, _ = book(session, clinic, course_id, visits, now)
    replan(session, course_id, sequence, now)
    ask(session, clinic, person, reach, sequence, now)
    return len(added)
