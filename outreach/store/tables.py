"""Clinics, their staff and patients, visits. *_sealed columns are encrypted (vault.py), *_index are blind."""

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
from sqlalchemy.dialects.postgresql import ARRAY
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


def own(table: str) -> UniqueConstraint:
    return UniqueConstraint("clinic_id", "id", name=f"{table}_of_clinic")


def within(column: str, table: str) -> ForeignKeyConstraint:
    """A row can only point at rows of its own clinic."""
    return ForeignKeyConstraint(["clinic_id", column], [f"{table}.clinic_id", f"{table}.id"])


class Clinic(Base):
    """`law`: a profile of config/law. `carrier_answers`: what the carrier answers by itself (none, stop_help, advanced,
    toll_free), so that nobody is answered twice. `join_open`: whether the public page for agreeing is open.
    `unapproved`: what is said instead of words that the clinic has not approved (domain.approval.Unapproved).
    `words_version` counts its decisions on words.
    """

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
    directions: Mapped[str] = mapped_column(default="")
    wording: Mapped[str] = mapped_column(default="full")
    quiet_from: Mapped[time] = mapped_column(default=time(21))
    quiet_to: Mapped[time] = mapped_column(default=time(8))
    most_a_day: Mapped[int] = mapped_column(default=4)
    most_a_week: Mapped[int] = mapped_column(default=14)
    law: Mapped[str] = mapped_column(String(10), default="us")
    carrier_answers: Mapped[str] = mapped_column(String(12), default="none")
    join_open: Mapped[bool] = mapped_column(default=False)
    unapproved: Mapped[str] = mapped_column(String(10), default="default")
    words_version: Mapped[int] = mapped_column(default=0)
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Staff(Owned, Base):
    """A person who signs in. Names and addresses sealed; the password as argon2id, "" until an invitation is taken.

    `totp_step`: the last time step whose code was used, so that no code counts twice. `test_patient_id`: the row that
    stands for this person when they send themselves a test. `on_call`: whose turn it is when something urgent waits.
    """

    __tablename__ = "staff"
    email_sealed: Mapped[bytes]
    email_index: Mapped[bytes] = mapped_column(unique=True)
    name_sealed: Mapped[bytes]
    password_hash: Mapped[str]
    role: Mapped[str] = mapped_column(String(20), default="viewer")
    active: Mapped[bool] = mapped_column(default=True)
    locale: Mapped[str] = mapped_column(default="en")
    phone_sealed: Mapped[bytes | None]
    totp_sealed: Mapped[bytes | None]
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    test_patient_id: Mapped[UUID | None]
    on_call: Mapped[int | None]
    __table_args__ = (own("staff"),)


class StaffSession(Owned, Base):
    """A signed-in browser: the cookie's hash, never the cookie."""

    __tablename__ = "staff_session"
    staff_id: Mapped[UUID]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    csrf: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    __table_args__ = (within("staff_id", "staff"),)


LISTED = text("active and not test")  # of fifty thousand patients those that lists and counts are about


class Patient(Owned, Base):
    """`search`: keyed hashes of beginnings of names, ends of numbers. `version` counts changes: two who edit notice.
    `test`: stands for a member of staff, in no list and no figure. `standing`: domain.consent.Standing, kept by
    store.consents for lists and counts; no message goes by it.
    """

    __tablename__ = "patient"
    external_sealed: Mapped[bytes | None]
    external_index: Mapped[bytes | None]
    name_sealed: Mapped[bytes]
    locale: Mapped[str]
    zone: Mapped[str]
    wording: Mapped[str] = mapped_column(default="full")
    active: Mapped[bool] = mapped_column(default=True)
    test: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=0)
    standing: Mapped[str] = mapped_column(String(10), server_default="open")
    search: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), default=list)
    created_at: Mapped[datetime]
    __table_args__ = (
        own("patient"),
        UniqueConstraint("clinic_id", "external_index", name="patient_external_once"),
        Index("patient_search", "search", postgresql_using="gin"),
        Index("patient_newest", "clinic_id", "created_at", "id"),
        Index("patient_gone", "clinic_id", "id", postgresql_where=text("not active")),
        Index("patient_current", "clinic_id", "created_at", "id", postgresql_where=LISTED),
        Index("patient_reads", "clinic_id", "locale", postgresql_where=LISTED),
        Index("patient_stands", "clinic_id", "standing", "created_at", "id", postgresql_where=LISTED),
    )


class Address(Owned, Base):
    """A phone number or mailbox of a patient; two may share one (a family's phone). Not `active`: another has taken its
    place. `unusable_at`: since then a carrier says that nothing arrives there."""

    __tablename__ = "address"
    patient_id: Mapped[UUID]
    channel: Mapped[str] = mapped_column(String(10))
    value_sealed: Mapped[bytes]
    value_index: Mapped[bytes]
    active: Mapped[bool] = mapped_column(default=True)
    unusable_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    __table_args__ = (
        own("address"),
        within("patient_id", "patient"),
        UniqueConstraint("patient_id", "channel", "value_index", name="address_once"),
        Index("address_active_once", "patient_id", "channel", unique=True, postgresql_where=text("active")),
        Index("address_lookup", "value_index"),
    )


TAKING = "'opted_out', 'revoked_by_staff', 'revoked_by_carrier', 'address_changed'"  # what takes consent away


class Consent(Owned, Base):
    """The ledger: append-only (a trigger refuses UPDATE and DELETE). Current state: domain.consent over these rows.

    `scope`, `basis`: domain.consent.Scope and Basis; "" in rows from before they were written down.
    """

    __tablename__ = "consent_event"
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    patient_id: Mapped[UUID]
    address_id: Mapped[UUID]
    channel: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(30))
    purpose: Mapped[str] = mapped_column(String(30), default="care")
    scope: Mapped[str] = mapped_column(String(20), server_default="")
    basis: Mapped[str] = mapped_column(String(20), server_default="")
    warned: Mapped[bool] = mapped_column(default=False)
    method: Mapped[str] = mapped_column(String(30))
    wording_sealed: Mapped[bytes | None]
    wording_version: Mapped[str] = mapped_column(default="")
    locale: Mapped[str] = mapped_column(default="")
    actor: Mapped[str]
    at: Mapped[datetime]
    evidence: Mapped[str]
    __table_args__ = (
        within("patient_id", "patient"),
        within("address_id", "address"),
        UniqueConstraint("address_id", "kind", "evidence", name="consent_event_once"),
        Index("consent_event_of_patient", "patient_id", "seq"),
        # Lists and counts ask of thousands of addresses whether consent was ever taken away: mostly it was not.
        Index("consent_event_taken", "address_id", postgresql_where=text(f"kind in ({TAKING})")),
    )


class Course(Owned, Base):
    """A series of infusions of one patient."""

    __tablename__ = "course"
    patient_id: Mapped[UUID]
    label: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(String(20), default="active")
    created_at: Mapped[datetime]
    __table_args__ = (own("course"), within("patient_id", "patient"), Index("course_of_patient", "patient_id"))


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
        own("infusion"),
        within("course_id", "course"),
        UniqueConstraint("course_id", "external", name="infusion_external_once"),
        CheckConstraint("minutes > 0 and minutes <= 1440", name="infusion_minutes"),
        Index(
            "infusion_start_once", "course_id", "starts", unique=True, postgresql_where=text("status <> 'cancelled'")
        ),
        Index("infusion_by_day", "clinic_id", "starts"),
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
        own("enrolment"),
        within("patient_id", "patient"),
        within("course_id", "course"),
        UniqueConstraint("course_id", "sequence", name="enrolment_once"),
    )
