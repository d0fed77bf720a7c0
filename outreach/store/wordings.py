"""Tables of words: what was ever approved to be said, who approved it for a clinic, and a clinic's own instructions."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Integer, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from outreach.store.tables import Base, Owned


class Said(Base):
    """The exact words of a text in one language, kept for ever once somebody approved them; nobody's, and shared.

    `digest`: of `units` (domain.approval.digest). `key`: the text (`pre.tomorrow`, `neutral`, `own.food`). Messages
    name the row they were said with.
    """

    __tablename__ = "said"
    id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    digest: Mapped[bytes] = mapped_column(unique=True)
    locale: Mapped[str] = mapped_column(String(20))
    key: Mapped[str] = mapped_column(String(60))
    units: Mapped[list[Any]] = mapped_column(JSONB)
    frame: Mapped[bytes]
    kept_at: Mapped[datetime]


class Approval(Owned, Base):
    """A clinic's decision on words; append-only. The last one on a digest counts.

    `reviewer`, `reviewer_role`: who read them and answers for them, by name. `basis`: named (a reviewer who can be
    asked) or demo (nobody: the demo clinic's, and good for nothing else). `staff_id`: who decided at the desk; None: a
    command of the operator.
    """

    __tablename__ = "approval"
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    said_id: Mapped[int] = mapped_column(ForeignKey("said.id"))
    approved: Mapped[bool]
    reviewer: Mapped[str]
    reviewer_role: Mapped[str]
    basis: Mapped[str] = mapped_column(String(10))
    staff_id: Mapped[UUID | None]
    at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("basis in ('named', 'demo')", name="approval_basis"),
        Index("approval_of_clinic", "clinic_id", "said_id", "seq"),
    )


class Instruction(Owned, Base):
    """What a clinic tells its patients of its own on a topic (arrival, food, escort, belongings), in one language."""

    __tablename__ = "instruction"
    topic: Mapped[str] = mapped_column(String(30))
    locale: Mapped[str] = mapped_column(String(20))
    text: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[UUID | None]
    __table_args__ = (UniqueConstraint("clinic_id", "topic", "locale", name="instruction_once"),)
