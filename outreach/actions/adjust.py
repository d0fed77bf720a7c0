"""Adjusting a clinic's settings: what two people change at once is not lost, and what was planned follows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.window import QuietHours
from outreach.errors import NotAllowed, Reason, say
from outreach.store import approvals, audit, clinics, pauses, zones
from outreach.store.tables import Clinic

TEXTS = ("name", "phone", "address", "directions")
"""Settings of which the audit says that they changed, not to what: people write into them whatever they like."""
SAID = ("emergency", "zone", "country", "locale", "wording", "quiet_from", "quiet_to", "most_a_day", "most_a_week",
        "law", "carrier_answers", "join_open", "unapproved")  # fmt: skip
"""Settings whose old and new values the audit keeps."""
_HOURS = frozenset({"quiet_from", "quiet_to"})


class Meanwhile(NotAllowed):
    """Somebody else changed these settings after the form was shown."""

    def __init__(self, changed: tuple[str, ...]) -> None:
        super().__init__(say("Somebody else changed these settings while you wrote. Look at what stands there now."))
        self.changed = changed


@dataclass(frozen=True)
class Adjusted:
    """What changed, and how many planned messages are dated anew because of it."""

    changed: tuple[str, ...] = ()
    dated_anew: int = 0


def as_stored(clinic: Clinic) -> dict[str, Any]:
    """The settings of a clinic as they stand."""
    return {name: getattr(clinic, name) for name in TEXTS + SAID}


def marks(values: Mapping[str, Any]) -> dict[str, str]:
    """A short mark of each value: the form carries them, so that it is known what whoever sends it had seen."""
    return {name: hashlib.sha256(_spoken(value).encode()).hexdigest()[:12] for name, value in values.items()}


def adjust(
    session: Session, clinic_id: UUID, wanted: Mapping[str, Any], seen: Mapping[str, str], now: datetime, *, by: UUID
) -> Adjusted:
    """Write the settings down. `seen`: the marks of the values that the form was filled with.

    Meanwhile: a setting that is wanted otherwise than it stands has changed since it was seen. What only the other
    person changed is left as they want it.
    """
    clinic = clinics.locked(session, clinic_id)
    stored = as_stored(clinic)
    here, typed = marks(stored), marks(wanted)
    differs = [name for name in TEXTS + SAID if name in wanted and wanted[name] != stored[name]]
    mine = [name for name in differs if typed[name] != seen.get(name)]  # otherwise than the form showed it
    crossed = tuple(name for name in mine if here[name] != seen.get(name))
    if crossed:
        raise Meanwhile(crossed)
    for name in mine:
        setattr(clinic, name, wanted[name])
    QuietHours.outside(clinic.quiet_from, clinic.quiet_to)  # BadInput where two people's changes do not go together
    session.flush()
    if not mine:
        return Adjusted()
    if {"unapproved", "locale"} & set(mine):  # what was claimed with the old view stays here
        approvals.changed(session, clinic_id)
        pauses.wake(session, clinic_id, now, Reason.UNAPPROVED)
    dated_anew = zones.put_in_doubt(session, clinic_id) if _HOURS & set(mine) else 0
    old_new = {name: [_spoken(stored[name]), _spoken(wanted[name])] for name in mine if name in SAID}
    audit.note(session, clinic_id=clinic_id, at=now, actor_kind="staff", actor_id=by, action="clinic.adjusted",
               subject="clinic", subject_id=clinic_id,
               detail={"changed": sorted(mine), "values": old_new, "dated_anew": dated_anew})  # fmt: skip
    return Adjusted(tuple(mine), dated_anew)


def _spoken(value: Any) -> str:
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return value if isinstance(value, str) else json.dumps(value)
