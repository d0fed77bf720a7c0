"""What patients wrote: kept once per carrier id, found by patient and by clinic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.message import Inbound
from outreach.store import traffic
from outreach.store.rows import fetch
from outreach.store.traffic import InboundMessage
from outreach.store.vault import vault_of

SYMPTOM = "symptom"
"""The wish of a message that tells of one: that somebody looks. It stands before any other wish."""


@dataclass(frozen=True)
class Sender:
    """A patient's address that an inbound message may come from; several share a family's phone.

    `active`: it is the patient's number now, and not one from before. `test`: the row stands for a member of staff.
    """

    address_id: UUID
    patient_id: UUID
    locale: str
    zone: str
    active: bool = True
    test: bool = False


def clinic_of_sender(session: Session, number: str, service: str = "") -> UUID | None:
    """The clinic that texts from this number (E.164), or through this messaging service (MG...)."""
    ours = [one for one in (number, service) if one]
    return session.scalar(
        select(traffic.Sender.clinic_id).where(
            traffic.Sender.channel == Channel.SMS.value, traffic.Sender.address.in_(ours)
        )
    )


def senders(session: Session, clinic_id: UUID, channel: Channel, normal_form: str) -> list[Sender]:
    """Everybody of the clinic whose address this is or was: a STOP from an old number counts. Active ones first.

    Who stands for a member of staff is left out where a patient has the number too.
    """
    index = vault_of(session).index(channel.value, normal_form, clinic_id)
    people = [Sender(*row) for row in fetch(session, _SENDERS, clinic=clinic_id, index=index)]
    return [one for one in people if not one.test] or people


_SENDERS = """
select a.id, p.id, p.locale, p.zone, a.active and p.active, p.test
from address a join patient p on p.id = a.patient_id
where a.clinic_id = %(clinic)b and a.value_index = %(index)b order by a.active desc, p.created_at, p.id"""


def take_turn(session: Session, clinic_id: UUID, channel: Channel, normal_form: str) -> bytes:
    """The blind index of a number; two messages from it are taken in one after the other until this transaction ends.

    Else two STOPs that arrive at once would each find nobody stopped, and be confirmed twice.
    """
    index = vault_of(session).index(channel.value, normal_form, clinic_id)
    session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(index[:8], "big", signed=True))))
    return index


def keep(
    session: Session,
    clinic_id: UUID,
    inbound: Inbound,
    normal_form: str,
    *,
    sender: Sender | None,
    understood: str,
    answer: str | None,
    locale: str | None,
    about: UUID | None,
    needs_person: bool,
    now: datetime,
    urgent: Sequence[str] = (),
    wish: str = "",
    robot: bool = False,
) -> UUID | None:
    """Keep an inbound message; None when this carrier id is known already (a replay)."""
    vault, inbound_id = vault_of(session), uuid4()
    return session.scalar(
        upsert(InboundMessage)
        .values(
            id=inbound_id, clinic_id=clinic_id, carrier_id=inbound.carrier_id, channel=inbound.channel.value,
            patient_id=sender.patient_id if sender else None, address_id=sender.address_id if sender else None,
            sender_sealed=vault.seal(inbound.sender, "inbound.sender", clinic_id, inbound_id),
            sender_index=vault.index(inbound.channel.value, normal_form, clinic_id),
            body_sealed=vault.seal(inbound.body, "inbound.body", clinic_id, inbound_id),
            understood=understood, answer=answer, locale=locale, about_message_id=about, needs_person=needs_person,
            urgent=list(urgent), wish=wish, robot=robot, received_at=now,
        )
        .on_conflict_do_nothing()
        .returning(InboundMessage.id)
    )  # fmt: skip


@dataclass(frozen=True)
class Heard:
    """An inbound message as staff see it."""

    id: UUID
    patient_id: UUID | None
    body: str
    understood: str
    answer: str | None
    needs_person: bool
    received_at: datetime


def heard_from(session: Session, clinic_id: UUID, patient_id: UUID) -> Sequence[Heard]:
    """What a patient wrote, earliest first."""
    vault = vault_of(session)
    rows = session.execute(
        select(InboundMessage.id, InboundMessage.patient_id, InboundMessage.body_sealed, InboundMessage.understood,
               InboundMessage.answer, InboundMessage.needs_person, InboundMessage.received_at)
        .where(InboundMessage.clinic_id == clinic_id, InboundMessage.patient_id == patient_id)
        .order_by(InboundMessage.received_at)
    )  # fmt: skip
    return [
        Heard(row.id, row.patient_id, vault.open(row.body_sealed, "inbound.body", clinic_id, row.id),
              row.understood, row.answer, row.needs_person, row.received_at)
        for row in rows
    ]  # fmt: skip


def strangers(session: Session, clinic_id: UUID, index: bytes, since: datetime | None = None) -> list[str]:
    """What messages from a number that was nobody's then were taken for, earliest first; automatic ones left out."""
    # By patient first: strangers' rows are few, and the index of patients holds those of none together.
    statement = select(InboundMessage.understood).where(
        InboundMessage.patient_id.is_(None), InboundMessage.clinic_id == clinic_id,
        InboundMessage.sender_index == index, InboundMessage.robot.is_(False),
    )  # fmt: skip
    if since is not None:
        statement = statement.where(InboundMessage.received_at > since)
    return list(session.scalars(statement.order_by(InboundMessage.received_at)))


def stopped_before(session: Session, clinic_id: UUID, channel: Channel, normal_form: str) -> bool:
    """Whether somebody wrote STOP from this number when it was nobody's, and no START since."""
    return stop_stands(session, clinic_id, vault_of(session).index(channel.value, normal_form, clinic_id))


def stop_stands(session: Session, clinic_id: UUID, index: bytes) -> bool:
    """The same of a number's blind index."""
    last = [kind for kind in strangers(session, clinic_id, index) if kind in ("stop", "start")][-1:]
    return last == ["stop"]
