"""Due messages with everything needed to decide, compose and send them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

import structlog
from cryptography.exceptions import InvalidTag
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.plan import Visit
from outreach.domain.status import Status
from outreach.store.infusions import of_courses
from outreach.store.seen import SEEN, Seen, opened
from outreach.store.tables import Address, Clinic, Patient
from outreach.store.traffic import Message
from outreach.store.vault import Vault, vault_of

log = structlog.get_logger()


@dataclass(frozen=True)
class ClinicFacts:
    """What a message needs to know of its clinic."""

    id: UUID
    name: str
    zone: str
    phone: str
    address: str
    emergency: str
    instructions: str
    wording: str
    quiet_from: time
    quiet_to: time
    sms_sender: str
    email_sender: str


@dataclass(frozen=True)
class Due:
    """A due message with all that is needed to decide, compose and send it. `to` is opened; never log it."""

    message: Seen
    clinic: ClinicFacts
    to: str | None
    address_active: bool
    patient_active: bool
    patient_locale: str
    patient_zone: str
    patient_wording: str
    visits: tuple[Visit, ...]


_CLINIC = (Clinic.id, Clinic.name, Clinic.zone, Clinic.phone, Clinic.address, Clinic.emergency, Clinic.instructions,
           Clinic.wording, Clinic.quiet_from, Clinic.quiet_to, Clinic.sms_sender, Clinic.email_sender)  # fmt: skip


def lock_due(
    session: Session, now: datetime, limit: int, channels: Collection[Channel], set_aside: timedelta
) -> list[Due]:
    """Lock up to `limit` due messages, earliest first, skipping those another worker holds. One short transaction.

    A row whose sealed columns do not open is moved to `now + set_aside`: it must not be claimed first for ever.
    """
    ids = session.scalars(
        select(Message.id)
        .where(
            Message.status == Status.SCHEDULED.value,
            Message.due_at <= now,
            Message.channel.in_([channel.value for channel in channels]),
        )
        .order_by(Message.due_at, Message.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    found = read_due(session, ids)
    broken = set(ids) - {one.message.id for one in found}
    if broken:
        session.execute(
            update(Message)
            .where(Message.id.in_(broken))
            .values(due_at=now + set_aside)
            .execution_options(synchronize_session=False)
        )
    return found


def read_due(session: Session, ids: Collection[UUID]) -> list[Due]:
    """The same view for given messages (previews, patient pages), without a lock."""
    if not ids:
        return []
    clinics = {
        row["id"]: ClinicFacts(**row)
        for row in session.execute(
            select(*_CLINIC).where(Clinic.id.in_(select(Message.clinic_id).where(Message.id.in_(ids))))
        ).mappings()
    }
    rows = session.execute(
        select(
            *SEEN,
            Address.value_sealed,
            Address.active.label("address_active"),
            Patient.active.label("patient_active"),
            Patient.locale.label("patient_locale"),
            Patient.zone.label("patient_zone"),
            Patient.wording.label("patient_wording"),
        )
        .join(Patient, Patient.id == Message.patient_id)
        .outerjoin(Address, Address.id == Message.address_id)
        .where(Message.id.in_(ids))
        .order_by(Message.due_at, Message.id)
    ).mappings()
    return _assemble(session, [dict(row) for row in rows], clinics)


def _assemble(session: Session, rows: Sequence[dict[str, Any]], clinics: Mapping[UUID, ClinicFacts]) -> list[Due]:
    vault = vault_of(session)
    visits = of_courses(session, {row["course_id"] for row in rows if row["course_id"]})
    due = []
    for row in rows:
        try:
            due.append(_one(vault, row, clinics[row["clinic_id"]], tuple(visits.get(row["course_id"], ()))))
        except InvalidTag:
            log.exception("a sealed column does not open", message=str(row["id"]))
    return due


def _one(vault: Vault, row: dict[str, Any], clinic: ClinicFacts, visits: tuple[Visit, ...]) -> Due:
    columns = dict(row)
    sealed = columns.pop("value_sealed")
    rest = {key: columns.pop(key) for key in ("patient_active", "patient_locale", "patient_zone", "patient_wording")}
    active = bool(columns.pop("address_active"))
    to = vault.open(sealed, "address.value", row["clinic_id"], row["address_id"]) if sealed else None
    return Due(message=opened(vault, columns), clinic=clinic, to=to, address_active=active, visits=visits, **rest)
