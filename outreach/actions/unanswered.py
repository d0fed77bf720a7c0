"""Telling people that the answer to something urgent, or the call to whoever is on call, did not go."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.response import URGENT
from outreach.errors import Reason
from outreach.store import alerts

CALL = "staff.escalation"
MUST_GO = frozenset({URGENT, CALL})
"""Steps of which it is told when one does not go."""
KIND, CALL_KIND = "urgent answer did not go", "call to staff did not go"
"""Alerts of the clinic; the key is the message's id."""


def did_not_go(
    session: Session, clinic_id: UUID, message_id: UUID, step: str, reason: Reason | None, now: datetime
) -> None:
    """Raise the alert, if the step is one that must go. `reason`: why it ended; None where nobody said."""
    if step not in MUST_GO:
        return
    why = reason.value if reason else "no reason given"
    kind, what = (CALL_KIND, "call") if step == CALL else (KIND, "answer")
    alerts.raise_alert(session, clinic_id, kind, str(message_id), f"{what} {message_id}: {why}", now)
