"""A person decides about a message in doubt: it arrived, it goes again, or it is left."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from outreach.domain.doubt import AGES
from outreach.domain.status import Status
from outreach.errors import NotAllowed, Reason, say
from outreach.store import doubts, undecided
from outreach.store.undecided import Undecided

log = structlog.get_logger()


class Decision(StrEnum):
    """Kept as the word of the event; never rename a value."""

    ARRIVED = "arrived"
    AGAIN = "send again"
    LEFT = "left"


ENDS = {
    Decision.ARRIVED: (Status.DELIVERED, Reason.PRESUMED),
    Decision.AGAIN: (Status.SCHEDULED, None),
    Decision.LEFT: (Status.UNDELIVERED, Reason.NO_NEWS),
}


def resolve(
    session: Session,
    clinic_id: UUID,
    message_id: UUID,
    attempt_id: UUID,
    decision: Decision,
    staff_id: UUID,
    now: datetime,
) -> Status | None:
    """Carry out what a person decided. None: done. A status: news came first, and the message has this one now.

    To send again is the one way in which a message that may have left leaves once more: only by a person, only after
    the last question, only while it is of use. NotAllowed says why not. NotFound: no such message in this clinic.
    """
    found = undecided.one(session, clinic_id, message_id)
    if isinstance(found, Status):
        return found
    if decision is Decision.AGAIN and (why := why_not_again(found, now)):
        raise NotAllowed(why)
    end, reason = ENDS[decision]
    arrived = found.started_at if decision is Decision.ARRIVED else None
    # `code` holds who decided: as much of the person's id as the column takes, and nobody else's begins so.
    done = doubts.turn(session, message_id, attempt_id, Status.UNKNOWN, end, now, source="staff", word=decision.value,
                       reason=reason, code=staff_id.hex[:20], sent_at=arrived)  # fmt: skip
    if done:
        log.info("doubt decided", message=str(message_id), attempt=str(attempt_id), user=str(staff_id), word=decision)
        return None
    found = undecided.one(session, clinic_id, message_id)
    return Status.UNKNOWN if isinstance(found, Undecided) else found


def why_not_again(found: Undecided, now: datetime) -> str:
    """Why this must not be sent again now; "" when it may be."""
    if found.asked < len(AGES[found.seen.channel]):
        return say("The carrier is still being asked; it may know this message.")
    if not found.current:
        return say("The visit was moved or cancelled since: these words are no longer true.")
    if now >= found.seen.useful_until:
        return say("It would come too late to be of use.")
    return ""
