"""Whether a patient hears of a change of a visit, and if not, why: said so that it is true of this patient."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from outreach.domain.consent import may_contact
from outreach.domain.plan import Visit
from outreach.store import consents, infusions, patients
from outreach.store.people import Person
from outreach.web.console.trial import Difference


def explained(
    session: Session, found: Difference, person: Person, visit: Visit, after: Visit | None, now: datetime
) -> Difference:
    """The difference with its `silent`; `session` sees the time before the change. `after` None: it is cancelled.

    unheard  no message about this visit has gone out
    same     the patient knows this very time: only the length changes, or it goes back to what was said before
    stopped  the patient heard of it, and may not be written to now: what would be queued will not go
    nothing  the patient heard of it, and no message tells this change
    """
    heard = infusions.told(session, visit.id)
    if not found.told:
        if not heard:
            return replace(found, silent="unheard")
        return replace(found, silent="same" if after and after.start == _known(session, visit) else "nothing")
    reach = patients.addresses(session, person.clinic_id, person.id).values()
    ledgers = consents.ledgers(session, [one.id for one in reach])
    if any(one.usable and may_contact(ledgers.get(one.id, ()), now).allowed for one in reach):
        return found
    return replace(found, told=[], silent="stopped")


def _known(session: Session, visit: Visit) -> datetime:
    """The start that the patient was told last: before news of a change that still waits, the one it tells as old."""
    waiting = infusions.waiting_notices(session, visit.id)
    if waiting and not infusions.heard_any(session, [one.occasion for one in waiting]):
        return datetime.fromisoformat(waiting[0].facts["old_start"])
    return visit.start
