"""Arranging who is on call, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.escalate import NOBODY
from outreach.store import alerts, audit, clinics, on_call


def arrange(session: Session, clinic_id: UUID, ids: Sequence[UUID], now: datetime, *, by: UUID) -> bool:
    """Make this the order, first to last. False: it was so already. An empty list is allowed, and warned of later."""
    clinics.locked(session, clinic_id)  # two who arrange at once take turns: the later order is whole, not a mixture
    able = {one.id for one in on_call.listing(session, clinic_id)}
    wanted = [one for one in dict.fromkeys(ids) if one in able]
    before = on_call.order(session, clinic_id)
    if wanted == before:
        return False
    on_call.arrange(session, clinic_id, wanted)
    if wanted:
        alerts.clear(session, clinic_id, NOBODY, "", now)
    audit.note(
        session, clinic_id=clinic_id, at=now, actor_kind="staff", actor_id=by, action="staff.on_call_arranged",
        subject="clinic", subject_id=clinic_id, detail={"order": [str(one) for one in wanted]},
    )  # fmt: skip
    return True
