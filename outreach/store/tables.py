"""The tables and the truths the schema itself keeps. *_sealed columns are encrypted (vault.py), *_index are blind."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Instant = DateTime(timezone=True)
Wall = DateTime(timezone=False)  # naive on purpose: a clock on a wall; its zone stands in the next column


class Base(DeclarativeBase):
    """One registry; typed columns."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {str: Text, bytes: LargeBinary, datetime: Instant}


class Owned:
    """Every row of a clinic carries its clinic; (clinic_id, id) is the target of composite foreign keys."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinic.id"))


def _own(table: str) -> UniqueConstraint:
    return UniqueConstraint("clinic_id", "id", name=f"{table}_of_clinic")


def _within(column: str, table: str) -> ForeignKeyConstraint:
    """A row can only point at rows of its own clinic."""
    return ForeignKeyConstraint(["clinic_id", column], [f"{table}.clinic_id", f"{table}.id"])


class Clinic(Base):
    __tablename__ = "clinic"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str]
    zone: Mapped[str]
    country: Mapped[str] = mapped_column(String(2))
    locale: Mapped[str]
    phone: Mapped[str]
    address: Mapped[str]
    emergency: Mapped[str]
    instructions: Mapped[str] = mapped_column(default="")
    wording: Mapped[str] = mapped_column(default="full")
    quiet_from: Mapped[time] = mapped_column(default=time(21))
    quiet_to: Mapped[time] = mapped_column(default=time(8))
    sms_sender: Mapped[str]
    email_sender: Mapped[str]
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    __table_args__ = (
        # A STOP comes back to this sender: were two clinics behind it, one would not hear. "": a clinic without SMS.
        Index("clinic_sms_sender_once", "sms_sender", unique=True, postgresql_where=text("sms_sender <> ''")),
    )


class Staff(Owned, Base):
    """A person who signs in. Names and addresses sealed; the password as argon2id."""

    __tablename__ = "staff"
    email_sealed: Mapped[bytes]
    email_index: Mapped[bytes] = mapped_column(unique=True)
    name_sealed: Mapped[bytes]
    password_hash: Mapped[str]
    role: Mapped[str] = mapped_column(default="staff")
    active: Mapped[bool] = mapped_column(default=True)
    __table_args__ = (_own("staff"),)


class StaffSession(Owned, Base):
    """A signed-in browser: the cookie's hash, never the cookie."""

    __tablename__ = "staff_session"
    staff_id: Mapped[UUID]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    csrf: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    __table_args__ = (_within("staff_id", "staff"),)


class Patient(Owned, Base):
    __tablename__ = "patient"
    external_sealed: Mapped[bytes | None]
    external_index: Mapped[bytes | None]
    name_sealed: Mapped[bytes]
    locale: Mapped[str]
    zone: Mapped[str]
    wording: Mapped[str] = mapped_column(default="full")
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    __table_args__ = (_own("patient"), UniqueConstraint("clinic_id", "external_index", name="patient_external_once"))


class Address(Owned, Base):
    """A phone number or mailbox of a patient. Two patients may share one (a family's phone)."""

    __tablename__ = "address"
    patient_id: Mapped[UUID]
    channel: Mapped[str] = mapped_column(String(10))
    value_sealed: Mapped[bytes]
    value_index: Mapped[bytes]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    __table_args__ = (
        _own("address"),
        _within("patient_id", "patient"),
        UniqueConstraint("patient_id", "channel", "value_index", name="address_once"),
        Index("address_active_once", "patient_id", "channel", unique=True, postgresql_where=text("active")),
        Index("address_lookup", "value_index"),
    )


class Consent(Owned, Base):
    """The ledger: append-only (a trigger refuses UPDATE and DELETE). Current state: domain.consent over these rows."""

    __tablename__ = "consent_event"
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    patient_id: Mapped[UUID]
    address_id: Mapped[UUID]
    channel: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(30))
    purpose: Mapped[str] = mapped_column(String(30), default="care")
    warned: Mapped[bool] = mapped_column(default=False)
    method: Mapped[str] = mapped_column(String(30))
    wording_sealed: Mapped[bytes | None]
    wording_version: Mapped[str] = mapped_column(default="")
    locale: Mapped[str] = mapped_column(default="")
    actor: Mapped[str]
    at: Mapped[datetime]
    evidence: Mapped[str]
    __table_args__ = (
        _within("patient_id", "patient"),
        _within("address_id", "address"),
        UniqueConstraint("address_id", "kind", "evidence", name="consent_event_once"),
    )


class Course(Owned, Base):
    """A series of infusions of one patient."""

    __tablename__ = "course"
    patient_id: Mapped[UUID]
    label: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(String(20), default="active")
    created_at: Mapped[datetime]
    __table_args__ = (_own("course"), _within("patient_id", "patient"), Index("course_of_patient", "patient_id"))


class Infusion(Owned, Base):
    """One visit: wall time and zone as the clinic wrote them; `revision` counts how often it was moved."""

    __tablename__ = "infusion"
    course_id: Mapped[UUID]
    external: Mapped[str | None] = mapped_column(String(80))
    starts: Mapped[datetime] = mapped_column(Wall)
    zone: Mapped[str]
    minutes: Mapped[int]
    status: Mapped[str] = mapped_column(String(20), default="booked")
    revision: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    __table_args__ = (
        _own("infusion"),
        _within("course_id", "course"),
        UniqueConstraint("course_id", "external", name="infusion_external_once"),
        CheckConstraint("minutes > 0 and minutes <= 1440", name="infusion_minutes"),
        Index(
            "infusion_start_once", "course_id", "starts", unique=True, postgresql_where=text("status <> 'cancelled'")
        ),
    )


class Enrolment(Owned, Base):
    __tablename__ = "enrolment"
    patient_id: Mapped[UUID]
    course_id: Mapped[UUID]
    sequence: Mapped[str]
    sequence_digest: Mapped[str]
    status: Mapped[str] = mapped_column(String(20), default="active")
    created_at: Mapped[datetime]
    __table_args__ = (
        _own("enrolment"),
        _within("patient_id", "patient"),
        _within("course_id", "course"),
        UniqueConstraint("course_id", "sequence", name="enrolment_once"),
    )


class Message(Owned, Base):
    """A message from plan to end: the plan, the queue and the memory.

    Exactly one of infusion_id, course_id (alone) or occasion says what the message is about, and its unique index
    makes a second one impossible. Cancelled rows step aside: they never went out.
    """

    __tablename__ = "message"
    patient_id: Mapped[UUID]
    enrolment_id: Mapped[UUID | None]
    course_id: Mapped[UUID | None]
    infusion_id: Mapped[UUID | None]
    occasion: Mapped[str | None]
    address_id: Mapped[UUID | None]
    step: Mapped[str] = mapped_column(String(60))
    channel: Mapped[str] = mapped_column(String(10))
    revision: Mapped[int] = mapped_column(default=0)
    wall: Mapped[datetime] = mapped_column(Wall)
    zone: Mapped[str]
    tz_version: Mapped[str]
    rule: Mapped[str]
    due_at: Mapped[datetime]
    useful_until: Mapped[datetime]
    planned_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(String(40))
    facts_sealed: Mapped[bytes | None]
    attempts: Mapped[int] = mapped_column(default=0)
    attempt_id: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    carrier: Mapped[str | None] = mapped_column(String(20))
    carrier_id: Mapped[str | None]
    locale: Mapped[str | None]
    wording: Mapped[str | None] = mapped_column(String(10))
    subject_sealed: Mapped[bytes | None]
    body_sealed: Mapped[bytes | None]
    segments: Mapped[int] = mapped_column(default=0)
    link_hash: Mapped[bytes] = mapped_column(unique=True)
    sent_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    __table_args__ = (
        _own("message"),
        _within("patient_id", "patient"),
        _within("enrolment_id", "enrolment"),
        _within("course_id", "course"),
        _within("infusion_id", "infusion"),
        _within("address_id", "address"),
        CheckConstraint("num_nonnulls(infusion_id, occasion) <= 1", name="message_about_one"),
        CheckConstraint("num_nonnulls(infusion_id, occasion, course_id) >= 1", name="message_about_something"),
        Index(
            "message_once_per_infusion",
            "infusion_id",
            "step",
            "channel",
            "revision",
            unique=True,
            postgresql_where=text("infusion_id is not null and status <> 'cancelled'"),
        ),
        Index(
            "message_once_per_course",
            "course_id",
            "step",
            "channel",
            unique=True,
            postgresql_where=text("infusion_id is null and occasion is null and status <> 'cancelled'"),
        ),
        Index(
            "message_once_per_occasion",
            "occasion",
            "step",
            "channel",
            unique=True,
            postgresql_where=text("occasion is not null"),
        ),
        Index("message_due", "due_at", "id", postgresql_where=text("status = 'scheduled'")),
        Index("message_lease", "lease_until", postgresql_where=text("status = 'sending'")),
        Index("message_open", "sent_at", postgresql_where=text("status in ('accepted', 'sent', 'unknown')")),
        Index("message_of_patient", "patient_id", "due_at"),
        Index("message_by_clinic", "clinic_id", "due_at"),
    )


class Attempt(Owned, Base):
    """One hand-over to a carrier, committed before the first byte leaves; its id travels with the message."""

    __tablename__ = "attempt"
    message_id: Mapped[UUID]
    number: Mapped[int]
    carrier: Mapped[str] = mapped_column(String(20))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(12))
    carrier_id: Mapped[str | None]
    reason: Mapped[str | None] = mapped_column(String(40))
    code: Mapped[str | None] = mapped_column(String(20))
    text_hash: Mapped[bytes | None]
    __table_args__ = (
        _within("message_id", "message"),
        UniqueConstraint("message_id", "number", name="attempt_once"),
    )


class Event(Base):
    """News of a message, whether or not it moved anything: append-only (a trigger refuses UPDATE and DELETE)."""

    __tablename__ = "event"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinic.id"))
    message_id: Mapped[UUID]
    attempt_id: Mapped[UUID | None]
    source: Mapped[str] = mapped_column(String(20))
    word: Mapped[str] = mapped_column(String(40))
    status: Mapped[str | None] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(String(40))
    code: Mapped[str | None] = mapped_column(String(20))
    carrier_id: Mapped[str | None]
    at: Mapped[datetime]
    __table_args__ = (
        _within("message_id", "message"),
        Index(
            "event_once",
            "attempt_id",
            "carrier_id",
            "word",
            unique=True,
            postgresql_where=text("carrier_id is not null and source = 'carrier'"),
        ),
        Index("event_of_message", "message_id", "id"),
    )


class InboundMessage(Owned, Base):
    """What a patient wrote. The carrier's id once: a replay changes nothing."""

    __tablename__ = "inbound"
    carrier_id: Mapped[str]
    channel: Mapped[str] = mapped_column(String(10))
    patient_id: Mapped[UUID | None]
    address_id: Mapped[UUID | None]
    sender_sealed: Mapped[bytes]
    sender_index: Mapped[bytes]
    body_sealed: Mapped[bytes]
    understood: Mapped[str] = mapped_column(String(20))
    answer: Mapped[str | None] = mapped_column(String(10))
    locale: Mapped[str | None]
    about_message_id: Mapped[UUID | None]
    needs_person: Mapped[bool] = mapped_column(default=False)
    received_at: Mapped[datetime]
    __table_args__ = (
        _within("patient_id", "patient"),
        _within("address_id", "address"),
        UniqueConstraint("clinic_id", "carrier_id", name="inbound_once"),
        Index("inbound_of_clinic", "clinic_id", "received_at"),
    )


class Clock(Base):
    """The rehearsal's clock (settings.clock = "database"): one row; empty in service."""

    __tablename__ = "clock"
    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    now: Mapped[datetime]
    __table_args__ = (CheckConstraint("id = 1", name="clock_single"),)


APPEND_ONLY = ("consent_event", "event")
