"""Carriers' news of attempts: kept as events, applied forward-only, any order, any number of times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from outreach.actions import withdraw
from outreach.domain.message import Receipt
from outreach.domain.status import ENDS
from outreach.errors import Reason
from outreach.store.receipts import Heard, News, hear_all, known

log = structlog.get_logger()


def apply_all(session: Session, news: Sequence[News], now: datetime) -> list[bool]:
    """Apply receipts in the order they came. One answer each: False when no attempt of ours has its id.

    Many at once or one by one end the same. What a carrier's own list of opt-outs says is written to our ledger.
    """
    opted_out = [one for one in news if one.receipt.reason is Reason.UNSUBSCRIBED_AT_CARRIER]
    before = known(session, opted_out) if opted_out else set()
    answers = hear_all(session, news, now)
    for one, heard in zip(news, answers, strict=True):
        _note(one, heard)
    for one in dict.fromkeys(opted_out):  # a replay must not undo the START that came after it
        heard = answers[news.index(one)]
        if heard is not None and heard.address_id and one not in before:
            withdraw.stop(session, heard.address_id, method="carrier", evidence=str(one.attempt_id), now=now)
    return [heard is not None for heard in answers]


def apply(session: Session, attempt_id: UUID, receipt: Receipt, now: datetime) -> bool:
    """Apply one receipt: see `apply_all`."""
    return apply_all(session, [News(attempt_id, receipt)], now)[0]


def _note(one: News, heard: Heard | None) -> None:
    """Log what a person may have to look into."""
    receipt = one.receipt
    if heard is None:
        log.warning("news of an attempt we never made", attempt=str(one.attempt_id))
    elif receipt.status is None:
        log.warning("unknown status word", attempt=str(one.attempt_id), code=receipt.code)
    elif receipt.status in ENDS and receipt.status is not heard.status:
        log.warning("two ends of one message: the first stays", message=str(heard.message_id), status=receipt.status)
