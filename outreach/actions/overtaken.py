"""Overtaken: a message was refused after its visit was moved or cancelled while it was in the air."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from outreach.actions.replan import replan
from outreach.domain.sequence import Sequence
from outreach.domain.status import Status
from outreach.errors import Reason
from outreach.store import enrolments
from outreach.store.due import Due
from outreach.store.messages import finish


def supersede(session: Session, due: Due, sequences: Mapping[str, Sequence], now: datetime) -> None:
    """End it, and plan its course anew: while it was in the air the plan took it for said.

    Sent again as it is, a reminder would come twice, or come for a visit that is not.
    """
    message = due.message
    if message.course_id is not None:
        enrolments.lock_course(session, message.course_id)
    finish(session, [message.id], Status.CANCELLED, Reason.SUPERSEDED, now)
    sequence = sequences.get(due.sequence or "")
    if message.course_id is not None and sequence is not None:
        replan(session, message.course_id, sequence, now)
