"""The life of a message: statuses, their rank, and the one function that moves them forward."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Stored; never rename a value.

    scheduled → sending → accepted → sent → delivered
    ends: delivered, undelivered, failed, suppressed, cancelled, expired; aside: unknown (may be on its way).
    """

    SCHEDULED = "scheduled"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


RANK: dict[Status, int] = {
    Status.SCHEDULED: 0,
    Status.SENDING: 1,
    Status.UNKNOWN: 2,
    Status.ACCEPTED: 3,
    Status.SENT: 4,
    Status.DELIVERED: 5,
    Status.UNDELIVERED: 5,
    Status.FAILED: 5,
    Status.SUPPRESSED: 5,
    Status.CANCELLED: 5,
    Status.EXPIRED: 5,
}
ENDS = frozenset(status for status, rank in RANK.items() if rank == 5)


def advance(current: Status, news: Status) -> Status:
    """The status after hearing `news`: forward only; the first end stays, whatever comes later.

    The one way back, sending → scheduled after a sure refusal, is a decision of ours, not news (domain.retry).
    """
    return news if RANK[news] > RANK[current] else current
