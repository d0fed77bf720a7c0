"""What a list changed, row by row, so that it can be shown and taken back."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from outreach.domain.plan import Visit
from outreach.domain.status import Status
from outreach.errors import Reason
from outreach.store import infusions, messages
from outreach.store.intake import UploadChange
from outreach.store.messages import HANDED_OVER
from outreach.store.tables import Consent, Course, Infusion, Patient
from outreach.store.traffic import Message
from outreach.store.uploads import List
from outreach.store.vault import vault_of

TAKEN_BACK = "taken back"
"""The label of a course that came with a list and went with it."""


@dataclass(frozen=True)
class Change:
    """kind: patient (new), visit (new), moved, changed (the patient's data), address. `before`: what was, and is now.

    Never log one.
    """

    line: int
    kind: str
    patient_id: UUID
    infusion_id: UUID | None = None
    before: Mapping[str, Any] = field(default_factory=dict)


def add(session: Session, one: List, changes: Sequence[Change]) -> None:
    vault, rows = vault_of(session), []
    for change in changes:
        row_id = uuid4()
        text = json.dumps(dict(change.before))
        sealed = vault.seal(text, "upload_change.before", one.clinic_id, row_id) if change.before else None
        rows.append({"id": row_id, "clinic_id": one.clinic_id, "upload_id": one.id, "line": change.line,
                     "kind": change.kind, "patient_id": change.patient_id, "infusion_id": change.infusion_id,
                     "before_sealed": sealed})  # fmt: skip
    if rows:
        session.execute(insert(UploadChange), rows)


def of_patients(session: Session, one: List, patient_ids: Collection[UUID]) -> dict[UUID, list[Change]]:
    """The changes of these patients, in the order of the list."""
    rows = session.scalars(
        select(UploadChange)
        .where(_of(one), UploadChange.patient_id.in_(patient_ids))
        .order_by(UploadChange.line, UploadChange.kind)
    )
    found: dict[UUID, list[Change]] = {}
    for row in rows:
        found.setdefault(row.patient_id, []).append(
            Change(row.line, row.kind, row.patient_id, row.infusion_id, _opened(session, row))
        )
    return found


def touched(session: Session, one: List, limit: int | None = None, offset: int = 0) -> list[tuple[int, UUID]]:
    """(first line, patient) of everybody that the list changed, in its order."""
    line = func.min(UploadChange.line)
    rows = session.execute(
        select(line, UploadChange.patient_id).where(_of(one)).group_by(UploadChange.patient_id)
        .order_by(line, UploadChange.patient_id).limit(limit).offset(offset)
    )  # fmt: skip
    return [(number, patient_id) for number, patient_id in rows]


def how_many(session: Session, one: List) -> int:
    """Patients that the list changed."""
    return session.scalar(select(func.count(UploadChange.patient_id.distinct())).where(_of(one))) or 0


def written_to(session: Session, patient_ids: Collection[UUID], since: datetime) -> set[UUID]:
    """Who of them has been written to since, or possibly has."""
    gone = Message.status.in_([status.value for status in HANDED_OVER])
    late = (Message.sent_at.is_(None)) | (Message.sent_at >= since)
    return set(session.scalars(select(Message.patient_id).where(Message.patient_id.in_(patient_ids), gone, late)))


def answered(session: Session, patient_ids: Collection[UUID], since: datetime) -> set[UUID]:
    """Whose consent somebody has written down since, other than a list."""
    by_people = Consent.actor != "import"
    return set(
        session.scalars(
            select(Consent.patient_id).where(Consent.patient_id.in_(patient_ids), by_people, Consent.at >= since)
        )
    )


def lock_waiting(session: Session, patient_id: UUID) -> list[UUID]:
    """The patient's messages that have not gone out, locked against the pump."""
    waiting = select(Message.id).where(Message.patient_id == patient_id, Message.status == Status.SCHEDULED.value)
    return list(session.scalars(waiting.order_by(Message.id).with_for_update()))


def hold_back(session: Session, patient_ids: Collection[UUID], now: datetime, grace: timedelta) -> None:
    """What these patients would be sent at once (a request for agreement, a notice of a move) waits for `grace`.

    Not what answers something they wrote, nor what would be of no use by then. The thanks for an agreement that stands
    in the list wait as well: to them the list is the first word. Thanks for a patient's own yes do not.
    """
    until = now + grace
    listed = exists().where(
        Consent.patient_id == Message.patient_id, Consent.actor == "import",
        Message.occasion == func.concat("agreed:", Consent.id),
    )  # fmt: skip
    session.execute(
        update(Message)
        .where(
            Message.patient_id.in_(patient_ids), Message.status == Status.SCHEDULED.value,
            Message.occasion.is_not(None),
            or_(Message.urgent.is_(False), listed), Message.due_at < until, Message.useful_until > until,
        )
        .values(due_at=until)
        .execution_options(synchronize_session=False)
    )  # fmt: skip


def withdraw(session: Session, clinic_id: UUID, patient_id: UUID, visits: Collection[Visit], now: datetime) -> None:
    """A patient whom nobody wrote to yet: inactive, visits and messages cancelled, found by no search.

    Not deleted: the ledger of consent and the events of messages are kept for ever. The clinic's own number is free
    again, and not shown with them any more, so that the corrected list makes the patient anew.
    """
    messages.finish(session, lock_waiting(session, patient_id), Status.CANCELLED, Reason.VISIT_CANCELLED, now)
    for visit in visits:
        if visit.status != "cancelled":
            infusions.rebook(session, visit, starts=visit.starts, zone=visit.zone, minutes=visit.minutes,
                             status="cancelled")  # fmt: skip
    session.execute(
        update(Patient)
        .where(Patient.id == patient_id, Patient.clinic_id == clinic_id)
        .values(active=False, external_sealed=None, external_index=None, search=[], version=Patient.version + 1)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Course).where(Course.patient_id == patient_id, Course.clinic_id == clinic_id)
        .values(status="ended", label=TAKEN_BACK).execution_options(synchronize_session=False)
    )  # fmt: skip


def taken_back(session: Session, clinic_id: UUID, patient_ids: Collection[UUID]) -> set[UUID]:
    """Who of them came with a list, went with it, and has not come back since: enrolling them makes them anew."""
    courses = select(Course.id).where(Course.patient_id == Patient.id)
    return set(
        session.scalars(
            select(Patient.id).where(
                Patient.clinic_id == clinic_id, Patient.id.in_(patient_ids), ~Patient.active,
                courses.where(Course.label == TAKEN_BACK).exists(), ~courses.where(Course.status == "active").exists(),
            )
        )
    )  # fmt: skip


def set_aside(session: Session, clinic_id: UUID, patient_id: UUID, visit: Visit, now: datetime) -> None:
    """Cancel a visit nobody heard of and put it into an ended course: its time and its number are free again."""
    course_id = uuid4()
    session.execute(
        insert(Course).values(id=course_id, clinic_id=clinic_id, patient_id=patient_id, label=TAKEN_BACK,
                              status="ended", created_at=now)
    )  # fmt: skip
    infusions.rebook(session, visit, starts=visit.starts, zone=visit.zone, minutes=visit.minutes, status="cancelled")
    session.execute(
        update(Infusion).where(Infusion.id == visit.id, Infusion.clinic_id == clinic_id).values(course_id=course_id)
        .execution_options(synchronize_session=False)
    )  # fmt: skip


def visits(session: Session, clinic_id: UUID, infusion_ids: Collection[UUID]) -> dict[UUID, tuple[int, str]]:
    """(revision, status) of these visits as they are now."""
    if not infusion_ids:
        return {}
    rows = session.execute(
        select(Infusion.id, Infusion.revision, Infusion.status).where(
            Infusion.clinic_id == clinic_id, Infusion.id.in_(infusion_ids)
        )
    )
    return {row.id: (row.revision, row.status) for row in rows}


def _of(one: List) -> Any:
    return (UploadChange.clinic_id == one.clinic_id) & (UploadChange.upload_id == one.id)


def _opened(session: Session, row: UploadChange) -> Mapping[str, Any]:
    if row.before_sealed is None:
        return {}
    found: Mapping[str, Any] = json.loads(
        vault_of(session).open(row.before_sealed, "upload_change.before", row.clinic_id, row.id)
    )
    return found
