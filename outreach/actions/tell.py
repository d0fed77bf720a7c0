"""Telling other software: what happened becomes calls, calls are made, and what fails is tried again, for days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.orm import Session, sessionmaker

from outreach.domain.news import TRIED_FOR, sign, wait
from outreach.providers.listener import Told, call
from outreach.store import alerts, audit, calls, kept
from outreach.store.calls import Due
from outreach.store.happened import happened
from outreach.store.webhooks import SWITCHED_OFF

log = structlog.get_logger()
AT_ONCE = 40
THREADS = 8
ROUNDS = 5
GONE = 410
FIRST_TRIES = timedelta(hours=1)
"""Who has failed since the first tries of a call that was given up answered nothing well while it was tried."""
Caller = Callable[[Due, datetime], Told]


def tell(
    sessions: sessionmaker[Session], clock: Callable[[], datetime], *, local: bool, ring: Caller | None = None
) -> int:
    """Read what is new, then make what is due. Returns how many calls were made. `local`: see providers.listener.

    No transaction is open while a listener answers. A call may be made twice, when a worker dies after making it and
    before writing so: its id stays the same, and listeners drop what they have seen.
    """
    with sessions.begin() as session:
        calls.keep(session, happened(session, clock()), clock())
    made = 0
    with ThreadPoolExecutor(THREADS, thread_name_prefix="webhook") as pool:
        for _ in range(ROUNDS):
            with sessions.begin() as session:
                due = calls.take(session, clock(), AT_ONCE)
            if not due:
                break
            now = clock()
            told = list(pool.map(lambda one, now=now: (ring or _ring(local))(one, now), due))
            with sessions.begin() as session:
                _record(session, due, told, clock())
            made += len(due)
    return made


def sweep(session: Session, now: datetime) -> int:
    """Forget calls and kept answers that are old. Returns how many rows went."""
    return calls.forget_old(session, now) + kept.forget_old(session, now)


def _ring(local: bool) -> Caller:
    def ring(one: Due, now: datetime) -> Told:
        body, stamp, call_id = one.body.encode(), int(now.timestamp()), f"msg_{one.id.hex}"
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "outreach-webhooks/1",
            "webhook-id": call_id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": sign(one.secret, call_id, stamp, body),
        }
        return call(one.url, headers, body, local)

    return ring


def _record(session: Session, due: Sequence[Due], told: Sequence[Told], now: datetime) -> None:
    """Rows in the order of their ids, then each webhook once: two workers wait for each other, never in a ring."""
    pairs = sorted(zip(due, told, strict=True), key=lambda pair: pair[0].id)
    given_up = [one for one, answer in pairs if _one(session, one, answer, now)]
    for webhook_id in sorted({one.webhook_id for one in due}):
        mine = [(one, answer) for one, answer in pairs if one.webhook_id == webhook_id]
        well = any(answer.well for _, answer in mine)
        failing = calls.count(session, webhook_id, well, now)
        if any(answer.status == GONE for _, answer in mine):
            _off(session, mine[0][0].clinic_id, webhook_id, "410 Gone", now)
        elif failing is not None and (
            now - failing >= TRIED_FOR
            or any(failing <= one.created_at + FIRST_TRIES for one in given_up if one.webhook_id == webhook_id)
        ):  # its last try comes before three days are over, for the next would come after them
            _off(session, mine[0][0].clinic_id, webhook_id, f"failing since {failing:%Y-%m-%d %H:%MZ}", now)


def _one(session: Session, one: Due, answer: Told, now: datetime) -> bool:
    """Write what became of one call. Returns whether it was given up."""
    due_at = now + wait(one.attempts)
    if answer.well:
        calls.record(session, one.id, "told", now, status_code=answer.status, note="")
    elif due_at - one.created_at > TRIED_FOR:
        calls.record(session, one.id, "given_up", now, status_code=answer.status, note=answer.note)
        return True
    else:
        calls.record(session, one.id, "due", now, status_code=answer.status, note=answer.note, due_at=due_at)
    return False


def _off(session: Session, clinic_id: UUID, webhook_id: UUID, about: str, now: datetime) -> None:
    if not calls.switch_off(session, webhook_id):
        return
    alerts.raise_alert(session, clinic_id, SWITCHED_OFF, str(webhook_id), f"webhook {webhook_id}: {about}", now)
    audit.note(session, clinic_id=clinic_id, at=now, actor_kind="system", actor_id=None, action="webhook.switched_off",
               subject="webhook", subject_id=webhook_id)  # fmt: skip
    log.warning("a webhook was switched off", clinic=str(clinic_id))
