"""News for other software: which kinds there are, how a call is signed, and how long one that fails is tried."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from datetime import timedelta
from enum import StrEnum


class Kind(StrEnum):
    """What a webhook may ask for. Stored; never rename a value."""

    DELIVERED = "message.delivered"
    FAILED = "message.failed"
    UNDELIVERED = "message.undelivered"
    SUPPRESSED = "message.suppressed"
    EXPIRED = "message.expired"
    CANCELLED = "message.cancelled"
    CONSENT = "consent.changed"
    INBOUND = "inbound.received"
    TASK = "task.opened"
    APPROVAL = "approval.changed"


OF_MESSAGES = tuple(kind for kind in Kind if kind.startswith("message."))
TRIED_FOR = timedelta(days=3)
"""After this a call is given up, and a listener that answered nothing for so long is switched off."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(hours=6)
SECRET = "whsec_"


def wait(attempts: int, chance: float | None = None) -> timedelta:
    """How long after failed attempt number `attempts` the next comes: doubling, and half of it left to chance.

    Without the chance, everything that failed in one minute would come back in one second.
    """
    whole: timedelta = min(LONGEST_WAIT, FIRST_WAIT * (1 << min(attempts - 1, 20)))
    return whole / 2 + whole / 2 * (random.random() if chance is None else chance)


def sign(secret: str, call_id: str, timestamp: int, body: bytes) -> str:
    """The webhook-signature of the Standard Webhooks specification: "v1," and HMAC-SHA256 over id.timestamp.body."""
    key = base64.b64decode(secret.removeprefix(SECRET))
    signed = f"{call_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
