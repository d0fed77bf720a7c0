"""Carrying: one message to its carrier, and every ending of that as an Outcome."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from outreach.actions.prepare import Handed
from outreach.domain.retry import Retry, after_not_begun, after_refusal
from outreach.domain.status import Status
from outreach.errors import Reason, Refused, Uncertain
from outreach.providers.base import LATE, Provider, ticks
from outreach.store.queue import Outcome

log = structlog.get_logger()


async def carry(provider: Provider, handed: Handed, clock: Callable[[], datetime]) -> Outcome:
    """One call to the carrier. Never raises: what is not understood may have left, and is in doubt."""
    if ticks() > handed.begin_by:
        # Less than a time-out is left on the lease (the machine slept?): another worker may hold it soon. Not begun.
        return not_begun(handed, clock())
    try:
        accepted = await provider.send(handed.parcel)
    except Refused as refused:
        if refused.code == LATE:  # it stood in line for a connection: the carrier never heard of it
            return not_begun(handed, clock())
        return _refused(handed, refused, clock())
    except Uncertain:
        return _outcome(handed, Status.UNKNOWN, "no answer", clock())
    except Exception as error:  # a bug of ours in the middle of a send: it may have left, so it is in doubt, and loud
        log.exception("send failed", attempt=str(handed.parcel.attempt_id), error=type(error).__name__)
        return _outcome(handed, Status.UNKNOWN, "fault", clock())
    message = handed.due.message
    return Outcome(message.id, message.clinic_id, handed.parcel.attempt_id, accepted.status, "accepted", clock(),
                   accepted.carrier_id)  # fmt: skip


def not_begun(handed: Handed, now: datetime) -> Outcome:
    """It surely did not leave, and may be tried again: at once, unless that has been in vain a few times."""
    again = after_not_begun(handed.due.message.attempts + 1, now, str(handed.parcel.attempt_id))
    return _outcome(handed, Status.SCHEDULED, "not begun", now, due_at=again)


def withheld(handed: Handed, reason: Reason, now: datetime) -> Outcome:
    """It did not leave, and must not."""
    return _outcome(handed, Status.SUPPRESSED, "not begun", now, reason=reason)


def _refused(handed: Handed, refused: Refused, now: datetime) -> Outcome:
    message = handed.due.message
    if refused.reason is Reason.UNKNOWN_CODE:
        log.warning("unknown code, treated as final", carrier=handed.sender.carrier, code=refused.code)
    seed = str(handed.parcel.attempt_id)
    decision = after_refusal(refused, handed.due.refusals + 1, now, message.useful_until, seed)
    if isinstance(decision, Retry):
        return _outcome(handed, Status.SCHEDULED, "refused", now, reason=refused.reason, code=refused.code,
                        due_at=decision.at)  # fmt: skip
    return _outcome(handed, decision.status, "refused", now, reason=decision.reason, code=refused.code)


def _outcome(
    handed: Handed,
    status: Status,
    word: str,
    now: datetime,
    reason: Reason | None = None,
    code: str = "",
    due_at: datetime | None = None,
) -> Outcome:
    message = handed.due.message
    return Outcome(message.id, message.clinic_id, handed.parcel.attempt_id, status, word, now, reason=reason,
                   code=code, due_at=due_at)  # fmt: skip
