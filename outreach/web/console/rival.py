"""Who changed something while somebody else was at it: the audit knows, and two desks can talk."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.store import audit, colleagues
from outreach.store.audit import Wanted
from outreach.web.console.desk import Desk

LOOKED_AT = 10


class Rival(NamedTuple):
    """Who brought it to where it is. `kind`: as in the audit; `name`: of staff, "" for others; `own`: who looks."""

    kind: str
    name: str
    own: bool
    at: datetime


def rival(session: Session, desk: Desk, subjects: Collection[str], subject_id: UUID, version: int) -> Rival | None:
    """By the entry of that very version: a list's changes have none of their own, and nobody is named for them."""
    wanted = Wanted(subjects=tuple(subjects), subject_id=str(subject_id))
    rows = audit.entries(session, desk.clinic.id, wanted, LOOKED_AT)
    row = next((one for one in rows if one.detail.get("version") == version), None)
    if row is None:
        return None
    names = colleagues.names(session, desk.clinic.id, [row.actor_id]) if row.actor_id else {}
    name = names.get(row.actor_id, "") if row.actor_id else ""
    return Rival(row.actor_kind, name, row.actor_id == desk.signed.staff_id, row.at)
