"""What Twilio's error codes and status words mean to us: two tables, no logic."""

from __future__ import annotations

from collections.abc import Iterable

from outreach.domain.status import Status
from outreach.errors import Reason
from outreach.providers.base import Treatment

# A word that is not here is unknown: reported with status None, never guessed.
STATUSES: dict[str, Status] = {
    "scheduled": Status.ACCEPTED,
    "accepted": Status.ACCEPTED,
    "queued": Status.ACCEPTED,
    "sending": Status.ACCEPTED,
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "partially_delivered": Status.DELIVERED,
    "read": Status.DELIVERED,
    "undelivered": Status.UNDELIVERED,
    "failed": Status.FAILED,
    "canceled": Status.CANCELLED,
}


def _table(*rows: tuple[Treatment, Iterable[int]]) -> dict[int, Treatment]:
    return {code: treatment for treatment, codes in rows for code in codes}


# `retry` is about a *new* attempt after a sure refusal; an unknown outcome never comes here.
CODES: dict[int, Treatment] = _table(
    # the person said no: a revocation, whatever our own ledger says
    (Treatment(Reason.UNSUBSCRIBED_AT_CARRIER), (21610, 30640, 63014, 63033)),
    # the number can never get it
    (Treatment(Reason.BAD_NUMBER), (21211, 21217, 21421, 21614, 21635, 30006, 30011, 63003, 63024)),
    # nobody has it today; on another day as well, nobody has it at all (domain.fallback)
    (Treatment(Reason.UNKNOWN_HANDSET), (30005,)),
    # the number, or the way to it, today
    (Treatment(Reason.UNREACHABLE, retry=True), (30003, 30008)),
    (Treatment(Reason.UNREACHABLE), (21612,)),  # this sender never reaches this number: trying again asks the same
    (Treatment(Reason.BLOCKED), (30004,)),
    (
        Treatment(Reason.TRANSIENT, retry=True),
        (429, 20429, 20500, 20503, 21611, 30001, 30017, 30022, 63009, 63010, 63012, 63017, 63018),
    ),
    # "failed and not retried to avoid duplicates": the carrier itself does not know
    (Treatment(Reason.TRANSIENT), (30410,)),
    # until tomorrow
    (Treatment(Reason.QUOTA, retry=True), (30023, 30027, 63038)),
    (
        Treatment(Reason.CONTENT_REFUSED),
        (21602, 21617, 21655, 21656, 30007, 30019, 63016, 63027, 63028, 63040, 63041, 63042),
    ),
    # ours to repair; the messages wait for it as long as they are useful
    (
        Treatment(Reason.CONFIGURATION, retry=True),
        (
            *(20003, 20005, 20404, 21212, 21408, 21603, 21606, 21608, 21609, 21659),
            *range(21700, 21800),  # all about the Messaging Service
            *(30002, 30018, 30024, 30032, 30033, 30034, 30035, 572005),
        ),
    ),
    (Treatment(Reason.VALIDITY_OVER), (30036,)),
    (Treatment(Reason.QUIET_HOURS, retry=True), (30610,)),
    (Treatment(Reason.SECURITY), (14107, 30450)),
)

UNKNOWN = Treatment(Reason.UNKNOWN_CODE)


def treatment(code: str | int | None) -> Treatment:
    """The row of the table; an unknown code is UNKNOWN_CODE and not retried."""
    try:
        return CODES.get(int(code), UNKNOWN) if code is not None else UNKNOWN
    except ValueError:
        return UNKNOWN
