"""Of two messages that tell the same on one day, one goes: looked at again when a patient may be written to anew."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.plan import LATE, LATE_USE, UNLESS
from outreach.domain.status import Status
from outreach.domain.window import QuietHours, wall_at
from outreach.errors import Reason
from outreach.store import clinics, messages
from outreach.store.messages import HANDED_OVER
from outreach.store.seen import Seen, of_addresses

_BY = re.compile(rf"{re.escape(UNLESS)}([a-z_.]+)")


def teller(rule: str) -> str:
    """The step that tells the same, as a message's rule names it; "" for none."""
    found = _BY.search(rule)
    return found[1] if found else ""


def tells_too(one: Seen, other: Seen) -> bool:
    """Whether `other` is of the step that tells what `one` does, about the same visit or course, the same way."""
    about = one.infusion_id or one.course_id
    return (
        other.step == teller(one.rule)
        and other.channel == one.channel
        and about is not None
        and about in (other.infusion_id, other.course_id)
    )


def truly(one: Seen, others: Iterable[Seen]) -> Reason | None:
    """Why `one` was not sent. Where the message that tells the same was itself held back, that one's reason."""
    if one.reason is not Reason.TOLD_SAME_DAY:
        return one.reason
    held = [other for other in others if tells_too(one, other) and other.status is not Status.CANCELLED]
    if held and all(other.status is Status.SUPPRESSED for other in held):
        return held[0].reason
    return one.reason


def reconsider(session: Session, address_ids: Collection[UUID], now: datetime) -> None:
    """After what waited for an agreement was revived: of each pair, one goes on each day.

    What a yes brings back late may fall on the day of its other half; and what was left out for the sake of a message
    that never went, and does not go now, is due after all.
    """
    rows = of_addresses(session, address_ids)
    for one in rows:
        if not teller(one.rule):
            continue
        others = [other for other in rows if tells_too(one, other)]
        quiet = _quiet(session, one.clinic_id)
        told = any(_day(other, quiet, now) == _day(one, quiet, now) for other in others if _goes(other))
        if one.status is Status.SCHEDULED and told:
            messages.finish(session, [one.id], Status.SUPPRESSED, Reason.TOLD_SAME_DAY, now)
        elif one.reason is Reason.TOLD_SAME_DAY and one.status is Status.SUPPRESSED and not told:
            went = any(other.status in HANDED_OVER for other in others)
            in_time = one.due_at > now or (LATE in one.rule and one.useful_until >= now + LATE_USE)
            if in_time and not went:
                messages.bring_back(session, [one.id], now)


def _goes(one: Seen) -> bool:
    return one.status is Status.SCHEDULED or one.status in HANDED_OVER


def _day(one: Seen, quiet: QuietHours, now: datetime) -> date:
    """The day on the patient's calendar on which it went, or goes if nothing else holds it."""
    due = one.sent_at or (one.due_at if one.status in HANDED_OVER else quiet.next_open(max(one.due_at, now), one.zone))
    return wall_at(due, one.zone).date()


def _quiet(session: Session, clinic_id: UUID) -> QuietHours:
    clinic = clinics.by_id(session, clinic_id)
    return QuietHours.outside(clinic.quiet_from, clinic.quiet_to)
