"""The last decision before a message leaves: go, wait until, or end. Pure; asked again for every attempt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from outreach.domain.status import Status
from outreach.domain.window import QuietHours
from outreach.errors import Reason

REQUEST = "consent.request"
ANSWERS = frozenset({"consent.confirmed", "reply.stopped", "reply.restarted", "reply.help"})
"""Steps that answer the patient's own message: quiet hours do not hold them, and they rest on that message."""


@dataclass(frozen=True)
class Standing:
    """What is known of a message's address at this moment."""

    reachable: bool
    active: bool
    allowed: bool
    stopped: bool
    why_not: Reason | None = None


@dataclass(frozen=True)
class Go:
    """Hand it over now."""


@dataclass(frozen=True)
class Wait:
    """Not now: due again at `until` (UTC)."""

    until: datetime


@dataclass(frozen=True)
class End:
    """Never: ends as `status` for `reason`."""

    status: Status
    reason: Reason


def decide(
    step: str, zone: str, useful_until: datetime, standing: Standing, quiet: QuietHours, now: datetime
) -> Go | Wait | End:
    """What happens to a due message. Fails closed: without a recorded agreement only the request itself goes."""
    if not standing.active:
        return End(Status.SUPPRESSED, Reason.PATIENT_INACTIVE)
    if not standing.reachable:
        return End(Status.SUPPRESSED, Reason.NO_ADDRESS)
    if step not in ANSWERS and (refusal := _refusal(step, standing)):
        return End(Status.SUPPRESSED, refusal)
    if now >= useful_until:
        return End(Status.EXPIRED, Reason.TOO_LATE)
    if step in ANSWERS:
        return Go()
    opening = quiet.next_open(now, zone)
    if opening > now:
        return Wait(opening) if opening < useful_until else End(Status.EXPIRED, Reason.QUIET_HOURS)
    return Go()


def _refusal(step: str, standing: Standing) -> Reason | None:
    if standing.stopped:
        return Reason.OPTED_OUT
    if step == REQUEST or standing.allowed:
        return None
    return standing.why_not or Reason.NO_CONSENT
