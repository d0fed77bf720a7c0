"""What travels: senders, messages, attempts, news, replies, and what holds messages back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Computed, Identity, Index, String, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from outreach.store.tables import Base, Owned, Wall, within


class Sender(Owned, Base):
    """A number, messaging service (MG...) or mailbox that a clinic writes from, and what it can carry.

    `per_second` counts segments (SMS) or mails; None: no limit. `free_at` is the instant from which it is free again
    (GCRA's theoretical arrival time): the one row that all workers draw from.
    """

    __tablename__ = "sender"
    channel: Mapped[str] = mapped_column(String(10))
    address: Mapped[str]
    carrier: Mapped[str] = mapped_column(String(20))
    weight: Mapped[int] = mapped_column(default=1)
    per_second: Mapped[float | None]
    burst: Mapped[float] = mapped_column(default=1.0)
    free_at: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(default=True)
    __table_args__ = (
        CheckConstraint("weight > 0 and burst > 0 and (per_second is null or per_second > 0)", name="sender_limits"),
        UniqueConstraint("clinic_id", "channel", "address", name="sender_of_clinic_once"),
        # A STOP comes back to this sender: were two clinics behind it, one would not hear.
        Index("sender_sms_once", "address", unique=True, postgresql_where=text("channel = 'sms'")),
    )


OPEN = (
    "(ARRAY['scheduled'::character varying, 'sending'::character varying, 'unknown'::character varying, "
    "'accepted'::character varying, 'sent'::character varying])::text[]"
)


class Flight(Base):
    """The messages that one claim began, and until when; taken away once none of them is `sending`.

    So leases that are over are found without an index that each claim and each answer would have to write into.
    """

    __tablename__ = "flight"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    lease_until: Mapped[datetime]
    messages: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    __table_args__ = (Index("flight_over", "lease_until"),)


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
    urgent: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    attempt_id: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    carrier: Mapped[str | None] = mapped_column(String(20))
    carrier_id: Mapped[str | None]
    locale: Mapped[str | None]
    wording: Mapped[str | None] = mapped_column(String(10))
    said_id: Mapped[int | None]
    segments: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    # What the indexes go by. None of it changes from plan to answer, so that claim and record write into no index.
    open: Mapped[bool] = mapped_column(Computed(f"((status)::text = ANY ({OPEN}))", persisted=True))
    doubtful: Mapped[bool] = mapped_column(Computed("((status)::text = 'unknown'::text)", persisted=True))
    withdrawn: Mapped[bool] = mapped_column(Computed("((status)::text = 'cancelled'::text)", persisted=True))
    __table_args__ = (
        within("patient_id", "patient"),
        within("enrolment_id", "enrolment"),
        within("course_id", "course"),
        within("infusion_id", "infusion"),
        within("address_id", "address"),
        CheckConstraint("num_nonnulls(infusion_id, occasion) <= 1", name="message_about_one"),
        CheckConstraint("num_nonnulls(infusion_id, occasion, course_id) >= 1", name="message_about_something"),
        Index(
            "message_once_per_infusion",
            "infusion_id",
            "step",
            "channel",
            "revision",
            unique=True,
            postgresql_where=text("infusion_id is not null and not withdrawn"),
        ),
        Index(
            "message_once_per_course",
            "course_id",
            "step",
            "channel",
            unique=True,
            postgresql_where=text("infusion_id is null and occasion is null and not withdrawn"),
        ),
        Index(
            "message_once_per_occasion",
            "occasion",
            "step",
            "channel",
            unique=True,
            postgresql_where=text("occasion is not null"),
        ),
        Index("message_open", "due_at", postgresql_where=text("open")),
        Index("message_doubt", "due_at", postgresql_where=text("doubtful")),
        Index("message_of_patient", "patient_id", "due_at"),
        Index("message_by_clinic", "clinic_id", "due_at"),
        {"postgresql_with": {"fillfactor": 50}},  # room for the rows that a claim and an answer make of each
    )


class Queued(Base):
    """What is scheduled, by lane: a clinic's hundred thousand due messages do not stand before another's single one.

    Triggers keep it (migration 0012), but for what a claim takes out. Narrow, so that what is due is found and taken on
    few pages, and a message's own row is rewritten in its place.
    """

    __tablename__ = "queued"
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    clinic_id: Mapped[UUID]
    patient_id: Mapped[UUID]
    channel: Mapped[str] = mapped_column(String(10))
    urgent: Mapped[bool]
    due_at: Mapped[datetime]
    __table_args__ = (Index("queued_turn", "clinic_id", "channel", "urgent", "due_at", "message_id"),)


class Attempt(Base):
    """One hand-over to a carrier, committed before the first byte leaves; its id travels with the message, whose exact
    words stand here: a message's own row is written anew twice on its way, and would drag them along.

    Never changed: what became of it is told by events. Without foreign keys, as Event: both are written once per
    message by statements that read the message's own row, and a check of each would cost a third of the database's
    work (docs/decisions).
    """

    __tablename__ = "attempt"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    clinic_id: Mapped[UUID]
    message_id: Mapped[UUID]
    number: Mapped[int]
    carrier: Mapped[str] = mapped_column(String(20))
    sender_id: Mapped[UUID | None]
    started_at: Mapped[datetime]
    text_hash: Mapped[bytes | None]
    subject_sealed: Mapped[bytes | None]
    body_sealed: Mapped[bytes | None]
    __table_args__ = (UniqueConstraint("message_id", "number", name="attempt_once"),)


class Event(Base):
    """News of a message, whether or not it moved anything: append-only (a trigger refuses UPDATE and DELETE)."""

    __tablename__ = "event"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    clinic_id: Mapped[UUID]
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


UNREAD = "read_at is null and (needs_person or patient_id is null)"
"""What waits for a person and nobody has marked; what a rule has settled ("1", "thanks") need not be read."""


class InboundMessage(Owned, Base):
    """What a patient wrote. The carrier's id once: a replay changes nothing.

    `urgent`: what it tells of that cannot wait; `robot`: written by a machine, and so never answered.
    """

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
    urgent: Mapped[list[str]] = mapped_column(ARRAY(String(20)), default=list)
    wish: Mapped[str] = mapped_column(String(10), default="")
    robot: Mapped[bool] = mapped_column(default=False)
    read_at: Mapped[datetime | None]
    read_by: Mapped[UUID | None]
    received_at: Mapped[datetime]
    __table_args__ = (
        within("patient_id", "patient"),
        within("address_id", "address"),
        UniqueConstraint("clinic_id", "carrier_id", name="inbound_once"),
        Index("inbound_of_clinic", "clinic_id", "received_at"),
        Index("inbound_of_patient", "patient_id", "received_at"),
        Index(
            "inbound_of_number",
            "clinic_id",
            "sender_index",
            "received_at",
            postgresql_where=text("patient_id is null"),
        ),
        # What waits in the inbox is a few hundred among all that was ever written.
        Index("inbound_unread", "clinic_id", "received_at", postgresql_where=text(UNREAD)),
    )


APPEND_ONLY = ("consent_event", "event", "audit")
