"""Carriers' news of attempts: kept as events, applied forward-only, any order, any number of times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.actions import brake, fallback, withdraw
from outreach.actions.unanswered import did_not_go
from outreach.domain.message import Receipt
from outreach.domain.status import ENDS, Status
from outreach.errors import Reason
from outreach.store.alerts import raise_alert
from outreach.store.receipts import Heard, News, hear_all, known
from outreach.store.tables import Clinic

log = structlog.get_logger()
UNDONE = (Status.FAILED, Status.UNDELIVERED)
WORD = re.compile(r"[A-Za-z0-9_. -]{1,40}")


def apply_all(session: Session, news: Sequence[News], now: datetime) -> list[bool]:
    """Apply receipts in the order they came. One answer each: False when no attempt of ours has its id.

    Many at once or one by one end the same. What a carrier's own list of opt-outs says is written to our ledger.
    """
    opted_out = {one: place for place, one in enumerate(news) if one.receipt.reason is Reason.UNSUBSCRIBED_AT_CARRIER}
    before = known(session, opted_out) if opted_out else ()
    answers = hear_all(session, news, now)
    ends: list[tuple[Heard, Reason | None]] = []
    for one, heard in zip(news, answers, strict=True):
        if heard is None:
            log.warning("news of an attempt we never made", attempt=str(one.attempt_id))
            continue
        status, reason = one.receipt.status, one.receipt.reason
        if status is None or reason is Reason.UNKNOWN_CODE:
            _unknown(session, one, now)
        if status in ENDS and status is not heard.status:
            log.warning("two ends of one message: the first stays", message=str(heard.message_id), status=status)
        if heard.moved and status in UNDONE:
            ends.append((heard, reason or Reason.UNKNOWN_CODE))
        elif heard.moved and heard.struck and status is Status.DELIVERED:
            ends.append((heard, None))
    for one, place in opted_out.items():
        heard = answers[place]
        if heard is not None and heard.address_id and one not in before:  # a replay must not undo a START since then
            withdraw.stop(session, heard.address_id, method="carrier", evidence=str(one.attempt_id), now=now)
    if ends:
        _judge(session, ends, now)
        fallback.after_failure(session, [(heard.message_id, reason) for heard, reason in ends], now)
    return [heard is not None for heard in answers]


def apply(session: Session, attempt_id: UUID, receipt: Receipt, now: datetime) -> bool:
    """Apply one receipt: see `apply_all`."""
    return apply_all(session, [News(attempt_id, receipt)], now)[0]


def _unknown(session: Session, one: News, now: datetime) -> None:
    receipt = one.receipt
    log.warning("a carrier says what we do not know", attempt=str(one.attempt_id), code=receipt.code[:20])
    if receipt.status is None:
        not_in_our_tables(session, "unknown word", receipt.word, "a carrier's receipts say", now)
    else:
        not_in_our_tables(session, "unknown code", receipt.code, "a carrier's receipts say", now)


def not_in_our_tables(session: Session, kind: str, said: str, where: str, now: datetime) -> None:
    """A carrier's word or code that we do not know is counted on an alert of the operator's; `where` begins it."""
    key = said if WORD.fullmatch(said) else "not a word"  # whatever else it is does not belong on a page
    raise_alert(session, None, kind, key, f"{where} '{key}', which no table of ours has", now)


def _judge(session: Session, ends: Sequence[tuple[Heard, Reason | None]], now: datetime) -> None:
    """What became of messages after their carrier had taken them, for the circuit breaker; reason None: delivered.

    An answer to something urgent that did not arrive is told to people.
    """
    clinics = {heard.clinic_id for heard, _ in ends}
    rows = session.execute(select(Clinic.id, Clinic.zone).where(Clinic.id.in_(clinics)))
    zones: dict[UUID, str] = {row[0]: row[1] for row in rows}
    trials = [
        brake.Trial(one.clinic_id, one.sender_id, one.step, zones[one.clinic_id], reason, late=True)
        for one, reason in ends
    ]
    brake.judge(session, trials, now)
    for one, reason in ends:
        if reason is not None:
            did_not_go(session, one.clinic_id, one.message_id, one.step, reason, now)
