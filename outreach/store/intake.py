"""Lists that staff upload: the file, what its columns mean, how far it got, and what each row changed (to undo it)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from outreach.store.tables import Base, Owned, own, within


class Upload(Owned, Base):
    """A patient list. state: mapping, checked, waiting, running, done, failed, undone.

    `content_sealed`: the table as read (headers and rows); gone once the list is done. `result`: figures only.
    """

    __tablename__ = "upload"
    staff_id: Mapped[UUID | None]
    name_sealed: Mapped[bytes]
    state: Mapped[str] = mapped_column(String(10))
    mapping: Mapped[dict[str, Any]] = mapped_column(JSONB)
    content_sealed: Mapped[bytes | None]
    faults_sealed: Mapped[bytes | None]
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    result: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    __table_args__ = (own("upload"), Index("upload_by_clinic", "clinic_id", "created_at"))


class UploadChange(Owned, Base):
    """What one row of a list did: kind patient, address, visit (made), moved or changed; `before_sealed`: what was."""

    __tablename__ = "upload_change"
    upload_id: Mapped[UUID]
    line: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    patient_id: Mapped[UUID]
    infusion_id: Mapped[UUID | None]
    before_sealed: Mapped[bytes | None]
    __table_args__ = (within("upload_id", "upload"), Index("upload_change_of", "upload_id"))


class ColumnMapping(Base):
    """What a clinic said the columns of such a file mean; the next one with the same headers starts from it."""

    __tablename__ = "column_mapping"
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinic.id"), primary_key=True)
    headers: Mapped[bytes] = mapped_column(primary_key=True)
    mapping: Mapped[dict[str, Any]] = mapped_column(JSONB)
    used_at: Mapped[datetime]
