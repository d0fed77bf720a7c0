"""What staff leave behind: invitations, tries to sign in, notes, tasks, a clinic's choices of sequences, audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from outreach.store.tables import Base, Owned, within


class StaffInvite(Owned, Base):
    """A link, good once, with which a person sets their own password. The hash, never the link."""

    __tablename__ = "staff_invite"
    staff_id: Mapped[UUID]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    __table_args__ = (within("staff_id", "staff"),)


class SignInTry(Base):
    """A failed try to sign in, by a keyed digest of who and from where; here because web processes share it."""

    __tablename__ = "sign_in_try"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    key: Mapped[bytes]
    at: Mapped[datetime]
    __table_args__ = (Index("sign_in_try_key", "key", "at"),)


class JoinTry(Base):
    """A try on a clinic's public page, by a keyed digest of what is counted: a place, a number, the clinic itself."""

    __tablename__ = "join_try"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinic.id"))
    key: Mapped[bytes]
    at: Mapped[datetime]
    __table_args__ = (Index("join_try_key", "clinic_id", "key", "at"), Index("join_try_at", "at"))


class Audit(Base):
    """Who did what to whom, when: append-only, a clinic's rows chained by their digests.

    actor_kind: staff, key (API), patient, system, operator. `detail`: figures, codes, ids; no name, no address.
    """

    __tablename__ = "audit"
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinic.id"))
    at: Mapped[datetime]
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[UUID | None]
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(30), default="")
    subject_id: Mapped[str] = mapped_column(default="")
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
    previous: Mapped[bytes]
    digest: Mapped[bytes]
    __table_args__ = (
        Index("audit_of_clinic", "clinic_id", "seq"),
        Index("audit_of_subject", "clinic_id", "subject", "subject_id"),
        Index("audit_of_day", "clinic_id", "at"),
        Index("audit_of_actor", "clinic_id", "actor_kind", "seq"),
        Index("audit_of_staff", "clinic_id", "actor_id", "seq"),
    )


class Note(Owned, Base):
    """What staff write down about a patient, for staff."""

    __tablename__ = "note"
    patient_id: Mapped[UUID]
    staff_id: Mapped[UUID | None]
    body_sealed: Mapped[bytes]
    at: Mapped[datetime]
    __table_args__ = (within("patient_id", "patient"), Index("note_of_patient", "patient_id", "at"))


class Task(Owned, Base):
    """Something that needs a person: a reply nobody could understand, an urgent word, a request for change, silence.

    kind: urgent, reply, change, call, shared, silence, stop. Open while closed_at is NULL. `occasion` makes the same
    trouble one task.
    """

    __tablename__ = "task"
    patient_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(String(20))
    occasion: Mapped[str]
    message_id: Mapped[UUID | None]
    inbound_id: Mapped[UUID | None]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    taken_by: Mapped[UUID | None]
    taken_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]
    outcome: Mapped[str] = mapped_column(String(30), default="")
    escalated: Mapped[int] = mapped_column(default=0)
    escalated_at: Mapped[datetime | None]
    __table_args__ = (
        within("patient_id", "patient"),
        Index("task_once", "clinic_id", "kind", "occasion", unique=True),
        Index("task_open", "clinic_id", "due_at", postgresql_where=text("closed_at is null")),
        Index("task_of_patient", "patient_id"),
    )


class ClinicSequence(Base):
    """What a clinic chose of a sequence: on or off, its own times within the rules ({step: {"at": "10:30"}})."""

    __tablename__ = "clinic_sequence"
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinic.id"), primary_key=True)
    sequence: Mapped[str] = mapped_column(primary_key=True)
    active: Mapped[bool] = mapped_column(default=True)
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    revision: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[datetime]
