"""A carrier's news of an attempt: kept as an event, applied forward-only, any order, any number of times."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from outreach.actions import withdraw
from outreach.domain.message import Receipt
from outreach.errors import Reason
from outreach.store.queue import hear

log = structlog.get_logger()


def apply(session: Session, attempt_id: UUID, receipt: Receipt, now: datetime) -> bool:
    """Apply one receipt. False when no attempt of ours has this id (nothing is written)."""
    if receipt.status is None:
        log.warning("unknown status word", attempt=str(attempt_id), code=receipt.code)
    heard = hear(session, attempt_id, word=receipt.word[:40], status=receipt.status, carrier_id=receipt.carrier_id,
                 reason=receipt.reason, code=receipt.code[:20], at=now)  # fmt: skip
    if heard is None:
        log.warning("news of an attempt we never made", attempt=str(attempt_id))
        return False
    if receipt.reason is Reason.UNSUBSCRIBED_AT_CARRIER and heard.address_id:
        withdraw.stop(session, heard.address_id, method="carrier", evidence=str(attempt_id), now=now)
    return True
