"""What to do after a carrier said no: try again at a time, or give up with a reason. Pure: no clock, no dice."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from outreach.domain.status import Status
from outreach.errors import Reason, Refused

MOST_ATTEMPTS = 6
FIRST_WAIT = timedelta(seconds=20)
LONGEST_WAIT = timedelta(hours=1)
AT_ONCE = 3
LONGEST_NOT_BEGUN = timedelta(minutes=5)
"""How long what was never begun waits at most; the watch counts on it (store.stuck)."""


@dataclass(frozen=True)
class Retry:
    """Send again at this instant."""

    at: datetime


@dataclass(frozen=True)
class GiveUp:
    """Send no more; the end it comes to, and why."""

    reason: Reason
    status: Status = Status.FAILED


def after_refusal(
    refused: Refused, attempts: int, now: datetime, useful_until: datetime, seed: str = ""
) -> Retry | GiveUp:
    """The decision after the `attempts`-th attempt was surely refused.

    Waits 20 s, 80 s, 320 s ... up to an hour, shortened by as much as half, so that messages refused together do not
    come back together; `seed` (the attempt's id) decides by how much. Never sooner than the carrier asked for, never
    at or after `useful_until`, never more than six attempts.
    """
    if not refused.retry:
        return GiveUp(refused.reason)
    if attempts >= MOST_ATTEMPTS:
        return GiveUp(Reason.RETRIES_SPENT)
    asked = refused.after if refused.after is not None and math.isfinite(refused.after) else 0.0
    wait = max(_wait(attempts, seed), timedelta(seconds=min(max(asked, 0.0), 86_400.0 * 30)))
    if now + wait >= useful_until:
        return GiveUp(Reason.TOO_LATE, Status.EXPIRED)
    return Retry(now + wait)


def after_not_begun(attempts: int, now: datetime, seed: str = "") -> datetime:
    """When to try again after the `attempts`-th attempt was not begun at all: at once, a few times.

    Then like a refusal, up to five minutes: what comes too late each time would be claimed again as fast as the
    database allows, and each round keeps the words anew. It is never given up for that.
    """
    if attempts <= AT_ONCE:
        return now
    return now + min(_wait(attempts - AT_ONCE, seed), LONGEST_NOT_BEGUN)


def _wait(attempts: int, seed: str) -> timedelta:
    longest = min(FIRST_WAIT * (1 << 2 * max(attempts - 1, 0)), LONGEST_WAIT)
    share = int.from_bytes(hashlib.blake2b(f"{seed}/{attempts}".encode(), digest_size=4).digest()) / 2**32
    return longest * (1 - share / 2)
