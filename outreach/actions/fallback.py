"""After a message surely did not arrive: a dead address is left alone, and an e-mail may take the text's place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.consent import may_contact
from outreach.domain.fallback import TELLING, after
from outreach.domain.window import tz_version, wall_at
from outreach.errors import Reason
from outreach.store import alerts, consents, fallbacks, messages, unusable
from outreach.store.fallbacks import Missed

log = structlog.get_logger()

UNUSABLE = "unusable address"
"""The kind of the alert: its key is the address's id."""


def after_failure(session: Session, ends: Iterable[tuple[UUID, Reason | None]], now: datetime) -> int:
    """Do what follows from these ends: (message, why it ended failed or undelivered), already recorded.

    A dead address is marked, the rest of what is planned to it ends, and the clinic is told, once. What may still
    arrive by e-mail, where the patient has agreed to that, is planned anew, once however often this is asked. Returns
    how many e-mails. Asks nothing of the database when nothing follows.
    """
    reasons = {message_id: reason for message_id, reason in ends if reason in TELLING}
    if not reasons:
        return 0
    dead: set[UUID] = set()
    elsewhere: list[UUID] = []
    for one in fallbacks.undone(session, reasons):
        follows = after(one.channel, one.step, reasons[one.id], one.another_day)
        if follows.unusable and one.address_id:
            dead.add(one.address_id)
        if follows.elsewhere:
            elsewhere.append(one.id)
    if dead:
        bury(session, dead, now)
    return _by_email(session, elsewhere, now) if elsewhere else 0


def heard_from(session: Session, address_ids: Iterable[UUID], now: datetime) -> None:
    """Somebody has written from this number or mailbox: whatever a carrier said of it, it works."""
    for clinic_id, address_id in unusable.unmark(session, address_ids):
        messages.revive(session, [address_id], now, [Reason.ADDRESS_UNUSABLE])
        alerts.clear(session, clinic_id, UNUSABLE, str(address_id), now)


def corrected(session: Session, clinic_id: UUID, patient_id: UUID, now: datetime) -> None:
    """The patient has another address now: what was told of the one before is seen to."""
    for address_id in unusable.left_behind(session, clinic_id, patient_id):
        alerts.clear(session, clinic_id, UNUSABLE, str(address_id), now)


def bury(session: Session, address_ids: Iterable[UUID], now: datetime) -> None:
    """Nothing more to these addresses. Their ledger stays: a STOP from there still counts."""
    for clinic_id, address_id in unusable.mark(session, address_ids, now):
        count = messages.suppress_scheduled(session, [address_id], Reason.ADDRESS_UNUSABLE, now)
        about = f"address {address_id} cannot be reached for good; {count} waiting messages ended"
        alerts.raise_alert(session, clinic_id, UNUSABLE, str(address_id), about, now)
        log.warning("unusable address", clinic=str(clinic_id), count=count)


def _by_email(session: Session, message_ids: Sequence[UUID], now: datetime) -> int:
    missed = fallbacks.missed(session, message_ids, now)
    if not missed:
        return 0
    ledgers = consents.ledgers(session, {one.email_id for one in missed})
    allowed = [one for one in missed if may_contact(ledgers.get(one.email_id, ()), now).allowed]
    return sum(_plan(session, one, now) for one in allowed)


def _plan(session: Session, one: Missed, now: datetime) -> bool:
    """A row of its own, due now: quiet hours, caps and consent are asked again when it is its turn."""
    added = messages.add_occasion(
        session, clinic_id=one.clinic_id, patient_id=one.patient_id, address_id=one.email_id, channel=Channel.EMAIL,
        step=one.step, occasion=f"fallback:{one.id}", zone=one.zone, due_at=now, useful_until=one.useful_until,
        wall=wall_at(now, one.zone), tz_version=tz_version(), facts=one.facts, locale=one.locale,
        enrolment_id=one.enrolment_id, course_id=one.course_id, revision=one.revision,
        rule="at once: the text did not arrive",
    )  # fmt: skip
    if added is None:
        return False
    news = {"clinic_id": one.clinic_id, "source": "us", "at": now}
    messages.note(session, [news | {"message_id": one.id, "word": "goes by e-mail instead"},
                            news | {"message_id": added, "word": "instead of a text"}])  # fmt: skip
    return True
