"""Warning staff of files of words that are wrong, while the earlier words are still sent; taken back when mended."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.errors import BadFile
from outreach.store import alerts, clinics

KIND = "words"
_LONGEST = 500


def warn(session: Session, trouble: BadFile | None, now: datetime) -> None:
    """`trouble` is the lexicon's. Each clinic is told once of each fault (key: the file): all send the same words.

    `about` is the file, the line, what is wrong and the remedy; files of words hold no person.
    """
    wanted: set[tuple[UUID | None, str, str]] = set()
    if trouble is not None:
        wanted = {(clinic.id, KIND, str(trouble.path)) for clinic in clinics.every(session)}
        about = str(trouble)[:_LONGEST]
        told = {(one.clinic_id, one.kind, one.key) for one in alerts.every_open(session) if one.about == about}
        for clinic_id, kind, key in sorted(wanted - told, key=str):
            alerts.raise_alert(session, clinic_id, kind, key, about, now)
    alerts.clear_others(session, [KIND], wanted, now)
