"""The last decision before a message leaves: go, wait until, or end. Pure; asked again for every attempt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from outreach.domain.status import Status
from outreach.errors import Reason

REQUEST = "consent.request"
ANSWERS = frozenset(
    {
        "consent.confirmed",
        "reply.stopped", "reply.stopped_all", "reply.stopped_visit", "reply.restarted", "reply.help", "reply.urgent",
        "reply.coming", "reply.change", "reply.call", "reply.gone", "reply.still", "reply.received",
        "staff.escalation",
    }
)  # fmt: skip
"""Steps that answer the patient's own message: quiet hours and caps do not hold them, and they rest on that message."""

REPLIES = frozenset(step for step in ANSWERS if step.startswith("reply."))
"""Answers to what somebody just wrote: they go back to the number it came from, whoever has it by now, whether or not
it is still the patient's, and whether or not the patient still comes to the clinic."""

UNCAPPED = ANSWERS | {REQUEST, "visit.moved", "visit.cancelled", "staff.message"}
"""Steps that no frequency cap holds back: answers, the question itself, and news whose silence would cost a visit."""

AT_ONCE = "at_once"
"""A fact of a message that answers somebody who is awake, or in need: its quiet hours are over."""

LOOK_AGAIN = timedelta(minutes=15)
"""How long a message rests under a kill switch before it is looked at again; lifting the switch wakes it at once."""


class Standing(NamedTuple):
    """What is known of a message's address at this moment.

    `reachable`: it is the patient's address now, and works. `active`: the patient is. `usable`: there is a value, and
    it works, though it may be one from before.
    """

    reachable: bool
    active: bool
    allowed: bool
    stopped: bool
    why_not: Reason | None = None
    usable: bool = False


class Traffic(NamedTuple):
    """What else goes to this patient on this channel: when one more is within the caps, and whether one goes first.

    `room_at`   the instant from which the rolling day and week have room (None: now)
    `behind`    just after an earlier message that was put off to the same instant or later (None: there is none)
    """

    room_at: datetime | None = None
    behind: datetime | None = None


FREE = Traffic()


@dataclass(frozen=True)
class Go:
    """Hand it over now."""


class Wait(NamedTuple):
    """Not now: due again at `until` (UTC). `reason` is kept on the row while it is held by a switch."""

    until: datetime
    reason: Reason | None = None


class End(NamedTuple):
    """Never: ends as `status` for `reason`."""

    status: Status
    reason: Reason


GO = Go()


def decide(
    step: str,
    useful_until: datetime,
    standing: Standing,
    opening: datetime,
    now: datetime,
    traffic: Traffic = FREE,
    held: bool = False,
) -> Go | Wait | End:
    """What happens to a due message. Fails closed: without a recorded agreement only the request itself goes.

    `opening`: when the patient may next be written to (QuietHours.next_open; `now` when it is now).
    `held`: a kill switch covers this message. What is held, quiet or capped waits as long as it is useful, and then
    ends with the reason that held it.
    """
    back = step in REPLIES
    if not standing.active and not back:
        return End(Status.SUPPRESSED, Reason.PATIENT_INACTIVE)
    if not (standing.reachable or (back and standing.usable)):
        return End(Status.SUPPRESSED, Reason.NO_ADDRESS)
    if refusal := refused(step, standing):
        return End(Status.SUPPRESSED, refusal)
    if now >= useful_until:
        return End(Status.EXPIRED, Reason.TOO_LATE)
    if held:
        return Wait(min(now + LOOK_AGAIN, useful_until), Reason.PAUSED)
    if traffic.behind is not None and traffic.behind < useful_until:
        return Wait(traffic.behind)
    if step in ANSWERS:
        return GO
    if opening > now:
        return Wait(opening) if opening < useful_until else End(Status.EXPIRED, Reason.QUIET_HOURS)
    if traffic.room_at is not None and traffic.room_at > now and step not in UNCAPPED:
        fits = traffic.room_at < useful_until
        return Wait(traffic.room_at) if fits else End(Status.SUPPRESSED, Reason.FREQUENCY)
    return GO


def needs_agreement(step: str) -> bool:
    """Whether this message goes only to who has agreed: all but the question itself, and answers."""
    return step != REQUEST and step not in ANSWERS


def refused(step: str, standing: Standing) -> Reason | None:
    """Why the ledger forbids this message; None where it does not. Answers rest on the message they answer."""
    if step in ANSWERS:
        return None
    if standing.stopped:
        return Reason.OPTED_OUT
    if not needs_agreement(step) or standing.allowed:
        return None
    return standing.why_not or Reason.NO_CONSENT
