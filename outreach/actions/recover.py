"""What became of messages in doubt, and of those no news will come for any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session, sessionmaker

from outreach.actions.dispatch import text_hash
from outreach.domain.channel import Channel
from outreach.domain.message import Found
from outreach.domain.status import Status
from outreach.errors import OutreachError, Reason
from outreach.providers.base import Provider
from outreach.store.queue import Doubt, Outcome, doubtful, expire_leases, known_carrier_ids, record, settle

log = structlog.get_logger()

HOLD = timedelta(minutes=3)
"""How long a message in doubt rests before we ask: the carrier's list lags by minutes."""

SETTLE_AFTER = timedelta(hours=72)
"""After this a message with no further news ends: sent is presumed delivered, accepted is undelivered (no_news)."""


def recover(
    sessions: sessionmaker[Session],
    providers: Mapping[Channel, Provider],
    clock: Callable[[], datetime],
    hold: timedelta = HOLD,
    limit: int = 50,
) -> int:
    """Leases over → unknown; unknown → asked of the carrier; old news → settled. Returns rows that moved.

    Found at the carrier: adopted. Not found: it stays unknown for a person; it is never resent from here.
    """
    with sessions.begin() as session:
        moved = expire_leases(session, clock())
        now = clock()
        moved += settle(session, Status.SENT, Status.DELIVERED, Reason.PRESUMED, now - SETTLE_AFTER, now)
        moved += settle(session, Status.ACCEPTED, Status.UNDELIVERED, Reason.NO_NEWS, now - SETTLE_AFTER, now)
    with sessions() as session:
        doubts = doubtful(session, hold, limit)
    # No transaction is open while the carrier is asked; compare-and-set makes a second asker harmless.
    outcomes = [found for doubt in doubts if (found := _ask(doubt, providers, clock()))]
    with sessions.begin() as session:
        taken = known_carrier_ids(session, [one.carrier_id for one in outcomes if one.carrier_id])
        return moved + record(session, [one for one in outcomes if one.carrier_id not in taken])


def _ask(doubt: Doubt, providers: Mapping[Channel, Provider], now: datetime) -> Outcome | None:
    message = doubt.due.message
    provider = providers.get(message.channel)
    if provider is None or doubt.due.to is None:
        return None
    days = {doubt.started_at.date(), (doubt.started_at + timedelta(minutes=10)).date()}
    try:
        listed = [one for day in sorted(days) for one in provider.find(doubt.due.to, day)]
    except OutreachError as error:
        log.warning("carrier could not be asked", message=str(message.id), error=type(error).__name__)
        return None
    found = next((one for one in listed if _same(one, doubt)), None)
    if found is None:
        log.warning("in doubt, not found at the carrier", message=str(message.id), attempt=str(doubt.attempt_id))
        return None
    return Outcome(message.id, message.clinic_id, doubt.attempt_id, found.status or Status.ACCEPTED, "found", now,
                   carrier_id=found.carrier_id, from_status=(Status.UNKNOWN,))  # fmt: skip


def _same(found: Found, doubt: Doubt) -> bool:
    sender = doubt.due.clinic.sms_sender
    if found.created_at is not None and found.created_at < doubt.started_at - timedelta(minutes=2):
        return False  # the same words of an earlier day, or to the other patient on a shared phone
    return text_hash(found.body) == doubt.text_hash and (sender.startswith("MG") or found.sender == sender)
