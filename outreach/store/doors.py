"""Doors for other software: keys of the API, answers kept for repeats, and calls we make when something happened."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from outreach.store.tables import Base, Owned, own, within


class ApiKey(Owned, Base):
    """A key of one clinic: its first letters to know it by, and the digest of its secret."""

    __tablename__ = "api_key"
    name: Mapped[str]
    prefix: Mapped[str] = mapped_column(String(20), unique=True)
    secret_hash: Mapped[bytes]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(40)))
    staff_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (own("api_key"),)


class KeptAnswer(Base):
    """What a request with an Idempotency-Key was answered: its repeat gets the same. status NULL: still being done."""

    __tablename__ = "kept_answer"
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinic.id"))
    api_key_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_hash: Mapped[bytes]
    status: Mapped[int | None]
    answer_sealed: Mapped[bytes | None]
    row_id: Mapped[UUID]
    at: Mapped[datetime]
    __table_args__ = (Index("kept_answer_at", "at"),)


class Webhook(Owned, Base):
    """Where a clinic's other software listens, for what, and the secret that signs our calls."""

    __tablename__ = "webhook"
    url: Mapped[str]
    secret_sealed: Mapped[bytes]
    kinds: Mapped[list[str]] = mapped_column(ARRAY(String(40)))
    active: Mapped[bool] = mapped_column(default=True)
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    created_at: Mapped[datetime]
    __table_args__ = (own("webhook"),)


class WebhookCall(Owned, Base):
    """One piece of news for one listener. state: due, told, given_up. `source` makes the same news one call."""

    __tablename__ = "webhook_call"
    webhook_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(40))
    source: Mapped[str]
    payload_sealed: Mapped[bytes]
    state: Mapped[str] = mapped_column(String(10), default="due")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    status_code: Mapped[int | None]
    note: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    __table_args__ = (
        within("webhook_id", "webhook"),
        UniqueConstraint("webhook_id", "source", name="webhook_call_once"),
        Index("webhook_call_due", "due_at", postgresql_where=text("state = 'due'")),
        Index("webhook_call_of", "webhook_id", "created_at"),
    )


class WebhookMark(Base):
    """How far a clinic's news has been turned into calls."""

    __tablename__ = "webhook_mark"
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinic.id"), primary_key=True)
    event_id: Mapped[int] = mapped_column(BigInteger, default=0)
    consent_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    inbound_at: Mapped[datetime]
    task_at: Mapped[datetime]
