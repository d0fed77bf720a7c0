"""After a restore: the database has forgotten what was sent since its backup, and must not send it again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from outreach.domain.brakes import Scope
from outreach.domain.status import Status
from outreach.errors import BadInput, Reason
from outreach.store import pauses
from outreach.store.doubts import turn_all
from outreach.store.traffic import Message

WHY = "restored from a backup"
WORD = "restored"


def end_what_may_have_gone(session: Session, stopped: datetime, now: datetime) -> int:
    """End what is scheduled and was due by `stopped`, when the last worker before the restore ended. Returns how many.

    Most of it went out, and nobody can be asked: the attempts went with the database. What was in a worker's hands at
    the backup has its attempt, and is in doubt like after any crash. BadInput: `stopped` is still to come.
    """
    if stopped > now:
        raise BadInput(f"{stopped:%Y-%m-%d %H:%MZ} is still to come. Say when the last worker stopped.")
    due = select(Message.id).where(
        Message.open == true(), Message.due_at <= stopped, Message.status == Status.SCHEDULED.value
    )
    return turn_all(session, due.with_for_update(), Status.SCHEDULED, Status.EXPIRED, WORD, Reason.TOO_LATE, now)


def hold_everything(session: Session, actor: str, now: datetime) -> str:
    """Pause the service until somebody lifts it; the pause's id."""
    return str(pauses.switch_on(session, None, Scope.SERVICE, "", WHY, actor, now))
