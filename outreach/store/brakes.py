"""What holds messages back (pauses, strikes), what a person should know (alerts), and the rehearsal's clock."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from outreach.store.tables import Base


class Pause(Base):
    """A kill switch that is on, or was: what `scope` and `key` name is not sent. clinic_id None: in every clinic.

    scope: service, clinic, sender (key: its id), sequence (its name), step (its key), locale.
    """

    __tablename__ = "pause"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    clinic_id: Mapped[UUID | None] = mapped_column(ForeignKey("clinic.id"))
    scope: Mapped[str] = mapped_column(String(20))
    key: Mapped[str] = mapped_column(default="")
    reason: Mapped[str]
    actor: Mapped[str]
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]
    __table_args__ = (
        Index(
            "pause_once",
            "clinic_id",
            "scope",
            "key",
            unique=True,
            postgresql_where=text("lifted_at is null"),
            postgresql_nulls_not_distinct=True,
        ),
    )


class Strike(Base):
    """How often in a row something of a clinic's met the same kind of trouble; a success takes the row away."""

    __tablename__ = "strike"
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinic.id"), primary_key=True)
    scope: Mapped[str] = mapped_column(String(20), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    since: Mapped[datetime]


class Alert(Base):
    """Something a person should know: raised once while it lasts, cleared when it is over. clinic_id None: operator's.

    `about` names ids and figures, never a person.
    """

    __tablename__ = "alert"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    clinic_id: Mapped[UUID | None] = mapped_column(ForeignKey("clinic.id"))
    kind: Mapped[str] = mapped_column(String(30))
    key: Mapped[str] = mapped_column(default="")
    about: Mapped[str]
    count: Mapped[int] = mapped_column(default=1)
    raised_at: Mapped[datetime]
    last_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
    __table_args__ = (
        Index(
            "alert_once",
            "clinic_id",
            "kind",
            "key",
            unique=True,
            postgresql_where=text("cleared_at is null"),
            postgresql_nulls_not_distinct=True,
        ),
    )


class Clock(Base):
    """The rehearsal's clock (settings.clock = "database"): one row; empty in service."""

    __tablename__ = "clock"
    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    now: Mapped[datetime]
    __table_args__ = (CheckConstraint("id = 1", name="clock_single"),)
