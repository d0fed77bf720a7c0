"""Telling people that the answer to something urgent did not go: whoever is in need still waits for one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.response import URGENT as URGENT
from outreach.errors import Reason
from outreach.store import alerts

KIND = "urgent answer did not go"
"""An alert of the clinic; its key is the message's id."""


def did_not_go(session: Session, clinic_id: UUID, message_id: UUID, reason: Reason | None, now: datetime) -> None:
    """Raise the alert. `reason`: why that message ended; None where nobody said."""
    why = reason.value if reason else "no reason given"
    alerts.raise_alert(session, clinic_id, KIND, str(message_id), f"answer {message_id}: {why}", now)
