"""Ending an enrolment: what is planned of its course steps aside, and nothing more is planned for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.replan import Planning, replan
from outreach.domain.sequence import Sequence
from outreach.store import bookings, enrolments, patients


def conclude(
    session: Session, clinic_id: UUID, enrolment_id: UUID, sequences: Mapping[str, Sequence], now: datetime
) -> Planning:
    """End it and its course, for good; a next visit begins a course of its own. Ended already: nothing changes.

    Visits stay as they are: whoever wants them cancelled, and the patient told, cancels them first.
    """
    found = bookings.enrolment(session, clinic_id, enrolment_id)
    patients.lock(session, clinic_id, bookings.course(session, clinic_id, found.course_id))
    found = bookings.enrolment(session, clinic_id, enrolment_id)  # as it is, now that nobody else ends it
    if found.status != "active":
        return Planning()
    enrolments.end(session, found.course_id)
    return replan(session, found.course_id, sequences[found.sequence], now)
