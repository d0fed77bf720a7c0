"""Whether patients get two answers to STOP and HELP: the carrier's own, and ours."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.store import alerts, audit, clinics, senders

BOTH = "answered twice"
"""Kind of an alert of a clinic; the key is the clinic's id."""
DEFAULT = "stop_help"
"""What a carrier of this kind answers unless it was switched off with them."""


def answered_twice(session: Session, clinic_id: UUID, by_themselves: Collection[str]) -> bool:
    """`by_themselves`: carriers that answer unless it was switched off with them. The setting says that they do not."""
    if clinics.by_id(session, clinic_id).carrier_answers != "none":
        return False
    return any(one.active for one in _answering(session, clinic_id, by_themselves))


def left_alone(session: Session, clinic_id: UUID, by_themselves: Collection[str]) -> bool:
    """The other way round: the setting says that the carrier answers, and no sender goes by one that does."""
    if clinics.by_id(session, clinic_id).carrier_answers == "none":
        return False
    return not any(one.active for one in _answering(session, clinic_id, by_themselves))


def expect(session: Session, clinic_id: UUID, by_themselves: Collection[str], now: datetime) -> bool:
    """After a sender was added: believe of a clinic's first such carrier that it answers. True: the setting changed.

    Later ones change nothing: whoever had it switched off with the carrier has said so in the settings by then.
    """
    clinic = clinics.locked(session, clinic_id)
    if clinic.carrier_answers != "none" or len(_answering(session, clinic_id, by_themselves)) != 1:
        return False
    clinic.carrier_answers = DEFAULT
    session.flush()
    audit.note(session, clinic_id=clinic_id, at=now, actor_kind="operator", actor_id=None, action="clinic.adjusted",
               subject="clinic", subject_id=clinic_id, detail={"carrier_answers": ["none", DEFAULT]})  # fmt: skip
    return True


def tell_of_it(session: Session, by_themselves: Collection[str], now: datetime) -> None:
    """An alert where both would answer, until the setting says otherwise; once, for it may be so on purpose."""
    both = [one.id for one in clinics.every(session) if answered_twice(session, one.id, by_themselves)]
    known = alerts.ever(session, BOTH, [str(one) for one in both])
    for clinic_id in both:
        if str(clinic_id) not in known:
            about = "a carrier that answers STOP and HELP by itself, and the setting says that none does"
            alerts.raise_alert(session, clinic_id, BOTH, str(clinic_id), about, now)
    alerts.clear_others(session, [BOTH], {(one, BOTH, str(one)) for one in both}, now)


def _answering(session: Session, clinic_id: UUID, by_themselves: Collection[str]) -> list[senders.Entry]:
    """The clinic's senders of texts with such a carrier, retired ones too."""
    texts = (one for one in senders.listing(session, clinic_id) if one.channel is Channel.SMS)
    return [one for one in texts if one.carrier in by_themselves]
