"""Figures kept ready: a clinic's messages by day, channel, language, step, sender and outcome."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from outreach.store.tables import Base


class Tally(Base):
    """Counted anew for every day that changed; a page reads a few hundred rows instead of a million.

    `day` is the day the message was due on the clinic's calendar; empty locale, sender and reason where there is none.
    """

    __tablename__ = "tally"
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinic.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(10), primary_key=True)
    locale: Mapped[str] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(String(60), primary_key=True)
    sender: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(String(12), primary_key=True)
    reason: Mapped[str] = mapped_column(String(40), primary_key=True)
    messages: Mapped[int]
    segments: Mapped[int]
    answered: Mapped[int]


class TallyDay(Base):
    """When a clinic's day was last counted."""

    __tablename__ = "tally_day"
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinic.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    counted_at: Mapped[datetime]
