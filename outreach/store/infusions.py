"""Infusions: wall time and zone as the clinic wrote them, and what patients were told about each."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, func, insert, or_, select, update
from sqlalchemy.orm import Session, aliased

from outreach.domain.plan import Visit
from outreach.domain.status import Status
from outreach.errors import NotFound
from outreach.store.messages import HANDED_OVER
from outreach.store.rows import fetch
from outreach.store.tables import Course, Infusion
from outreach.store.traffic import Message
from outreach.store.vault import vault_of

_VISIT = (Infusion.id, Infusion.course_id, Infusion.starts, Infusion.zone, Infusion.minutes, Infusion.revision,
          Infusion.status)  # fmt: skip


def add(
    session: Session,
    *,
    clinic_id: UUID,
    course_id: UUID,
    starts: datetime,
    zone: str,
    minutes: int,
    now: datetime,
    external: str | None = None,
) -> UUID:
    """Book an infusion at wall time `starts` in `zone`."""
    infusion_id = uuid4()
    session.execute(
        insert(Infusion).values(
            id=infusion_id, clinic_id=clinic_id, course_id=course_id, external=external, starts=starts, zone=zone,
            minutes=minutes, status="booked", revision=0, created_at=now,
        )
    )  # fmt: skip
    return infusion_id


def get(session: Session, infusion_id: UUID) -> Visit:
    row = session.execute(select(*_VISIT).where(Infusion.id == infusion_id)).one_or_none()
    if row is None:
        raise NotFound("no such infusion")
    return Visit(**row._mapping)


def of_course(session: Session, course_id: UUID) -> list[Visit]:
    """All infusions of a course, cancelled ones too, earliest first."""
    return of_courses(session, [course_id]).get(course_id, [])


_OF_COURSES = """
select id, course_id, starts, zone, minutes, revision, status from infusion
where course_id = any(%(ids)b::uuid[]) order by starts, id
"""


def of_courses(session: Session, course_ids: Collection[UUID]) -> dict[UUID, list[Visit]]:
    """The same for several courses, in one query."""
    found: dict[UUID, list[Visit]] = {}
    if not course_ids:
        return found
    for row in fetch(session, _OF_COURSES, ids=list(course_ids)):
        found.setdefault(row[1], []).append(Visit(*row))
    return found


def recent(session: Session, clinic_id: UUID, patient_id: UUID, now: datetime, days: int) -> list[datetime]:
    """When a patient's infusions of the last days began, as instants; cancelled ones left out."""
    since = (now - timedelta(days=days + 2)).replace(tzinfo=None)  # wall time: the zones are a day apart at most
    rows = session.execute(
        select(*_VISIT).join(Course, Course.id == Infusion.course_id)
        .where(Course.clinic_id == clinic_id, Course.patient_id == patient_id, Infusion.status != "cancelled",
               Infusion.starts >= since)
    )  # fmt: skip
    return [visit.start for visit in (Visit(**row._mapping) for row in rows) if visit.start <= now]


def externals(session: Session, course_id: UUID) -> dict[str, UUID]:
    """The clinic's own identifiers of a course's infusions."""
    rows = session.execute(
        select(Infusion.external, Infusion.id).where(Infusion.course_id == course_id, Infusion.external.is_not(None))
    )
    return {external: infusion_id for external, infusion_id in rows if external}


def rebook(
    session: Session, visit: Visit, *, starts: datetime, zone: str, minutes: int, status: str = "booked"
) -> None:
    """Write a visit's new time or status and count the change: the revision is part of every message's key."""
    session.execute(
        update(Infusion)
        .where(Infusion.id == visit.id)
        .values(starts=starts, zone=zone, minutes=minutes, status=status, revision=Infusion.revision + 1)
        .execution_options(synchronize_session=False)
    )


def _patients(infusion_id: UUID) -> ColumnElement[bool]:
    """Among the messages of the infusion's patient, for which there is an index."""
    patient = select(Course.patient_id).join(Infusion, Infusion.course_id == Course.id)
    return Message.patient_id == patient.where(Infusion.id == infusion_id).scalar_subquery()


def _noticed(of: type[Message], infusion_id: UUID) -> ColumnElement[bool]:
    return of.occasion.startswith(f"visit:{infusion_id}:")


def _stood_in_too(infusion_id: UUID, about: Callable[[type[Message]], ColumnElement[bool]]) -> ColumnElement[bool]:
    """Messages `about` something, and e-mails that stand in for such a message that did not arrive."""
    text = aliased(Message)
    patient = Message.patient_id == text.patient_id
    instead = select(text.id).where(patient, about(text), Message.occasion == func.concat("fallback:", text.id))
    return or_(about(Message), and_(Message.occasion.startswith("fallback:"), instead.exists()))


def told(session: Session, infusion_id: UUID) -> bool:
    """Whether any message about this visit went out, or possibly did."""
    about = _stood_in_too(infusion_id, lambda of: or_(of.infusion_id == infusion_id, _noticed(of, infusion_id)))
    return bool(
        session.scalar(
            select(Message.id)
            .where(_patients(infusion_id), about, Message.status.in_([s.value for s in HANDED_OVER]))
            .limit(1)
        )
    )


@dataclass(frozen=True)
class Notice:
    """News of a change that is still waiting to go out, with the facts it would tell."""

    message_id: UUID
    occasion: str
    facts: Mapping[str, str]


def waiting_notices(session: Session, infusion_id: UUID) -> list[Notice]:
    """Unsent notices about a visit, earliest change first; locked, so that the pump does not send one meanwhile."""
    vault = vault_of(session)
    rows = session.execute(
        select(Message.id, Message.clinic_id, Message.occasion, Message.facts_sealed)
        .where(
            _patients(infusion_id),
            _stood_in_too(infusion_id, lambda of: _noticed(of, infusion_id)),
            Message.status == Status.SCHEDULED.value,
        )
        .order_by(Message.planned_at, Message.id)
        .with_for_update()
    )
    return [
        Notice(row.id, row.occasion, json.loads(vault.open(row.facts_sealed, "message.facts", row.clinic_id, row.id)))
        for row in rows
        if row.facts_sealed
    ]


def heard_any(session: Session, occasions: Collection[str]) -> bool:
    """Whether a message of one of these occasions went out, or possibly did."""
    if not occasions:
        return False
    gone = [status.value for status in HANDED_OVER]
    return bool(
        session.scalar(select(Message.id).where(Message.occasion.in_(occasions), Message.status.in_(gone)).limit(1))
    )
