"""Infusions: wall time and zone as the clinic wrote them, and what patients were told about each."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.domain.plan import Visit
from outreach.errors import NotFound
from outreach.store.arrays import Ids, Texts
from outreach.store.enrolments import Series
from outreach.store.messages import HANDED_OVER
from outreach.store.rows import Ask, fetch, run, together
from outreach.store.tables import Course, Infusion
from outreach.store.traffic import Message
from outreach.store.vault import vault_of

_SELECT = f"select {', '.join(Visit._fields)}"
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
    booking = Booking(starts, zone, minutes, external)
    return add_all(session, clinic_id=clinic_id, course_id=course_id, bookings=[booking], now=now)[0]


class Booking(NamedTuple):
    """A visit to write: wall time in a zone; `external`: the clinic's own identifier of it."""

    starts: datetime
    zone: str
    minutes: int
    external: str | None = None


def add_all(
    session: Session, *, clinic_id: UUID, course_id: UUID, bookings: Iterable[Booking], now: datetime
) -> list[UUID]:
    """Book several of one course, in one statement."""
    listed = list(bookings)
    ids = [uuid4() for _ in listed]
    if listed:
        starts, zones, minutes, externals = zip(*listed, strict=True)
        run(session, _ADD, ids=ids, clinic=clinic_id, course=course_id, starts=list(starts), zones=list(zones),
            minutes=list(minutes), externals=list(externals), now=now)  # fmt: skip
    return ids


_ADD = """
insert into infusion (id, clinic_id, course_id, external, starts, zone, minutes, status, revision, created_at)
select b.id, %(clinic)s, %(course)s, b.external, b.starts, b.zone, b.minutes, 'booked', 0, %(now)s
from unnest(%(ids)s::uuid[], %(externals)s::text[], %(starts)s::timestamp[], %(zones)s::text[], %(minutes)s::int[])
  as b(id, external, starts, zone, minutes)"""


def get(session: Session, infusion_id: UUID) -> Visit:
    rows = fetch(session, _ONE, id=infusion_id)
    if not rows:
        raise NotFound("no such infusion")
    return Visit(*rows[0])


def locked(session: Session, infusion_id: UUID) -> tuple[Series, Visit]:
    """The visit with its course, which is locked: two who change one visit take turns. NotFound as get()."""
    session.flush()
    course, visit = together(session, Ask(_LOCK, {"id": infusion_id}), Ask(_ONE, {"id": infusion_id}))
    if not course or not visit:
        raise NotFound("no such infusion")
    return Series(*course[0]), Visit(*visit[0])


_LOCK = """
select id, clinic_id, patient_id, status from course
where id = (select course_id from infusion where id = %(id)b) for update"""
_ONE = f"{_SELECT} from infusion where id = %(id)b"


def of_course(session: Session, course_id: UUID) -> list[Visit]:
    """All infusions of a course, cancelled ones too, earliest first."""
    return [Visit(*row) for row in together(session, asking(course_id))[0]]


def of_courses(session: Session, course_ids: Collection[UUID]) -> dict[UUID, list[Visit]]:
    """The same for several courses, in one query."""
    return by_course(together(session, asking_courses(course_ids))[0]) if course_ids else {}


def asking_courses(course_ids: Collection[UUID]) -> Ask:
    """The columns of Visit: all infusions of these courses, earliest first."""
    return Ask(_OF_COURSES, {"ids": Ids.of(course_ids)})


def by_course(rows: Iterable[Sequence[Any]]) -> dict[UUID, list[Visit]]:
    """Of the rows that were asked for."""
    found: dict[UUID, list[Visit]] = {}
    for row in rows:
        visit = Visit._make(row)
        found.setdefault(visit.course_id, []).append(visit)
    return found


_OF_COURSES = f"{_SELECT} from infusion where course_id = any(%(ids)b::uuid[]) order by starts, id"
_OF_COURSE = f"{_SELECT} from infusion where course_id = %(course)b order by starts, id"


def asking(course_id: UUID) -> Ask:
    """The columns of Visit: all infusions of a course, earliest first."""
    return Ask(_OF_COURSE, {"course": course_id})


def recent(session: Session, clinic_id: UUID, patient_id: UUID, now: datetime, days: int) -> list[datetime]:
    """When a patient's infusions of the last days began, as instants; cancelled ones left out."""
    since = (now - timedelta(days=days + 2)).replace(tzinfo=None)  # wall time: the zones are a day apart at most
    rows = session.execute(
        select(*_VISIT).join(Course, Course.id == Infusion.course_id)
        .where(Course.clinic_id == clinic_id, Course.patient_id == patient_id, Infusion.status != "cancelled",
               Infusion.starts >= since)
    )  # fmt: skip
    return [visit.start for visit in (Visit(**row._mapping) for row in rows) if visit.start <= now]


def with_externals(session: Session, course_id: UUID) -> tuple[list[Visit], dict[str, UUID]]:
    """All infusions of a course, and the clinic's own identifiers of those that have one."""
    rows = fetch(session, _EXTERNALS, course=course_id)
    return [Visit(*row[:-1]) for row in rows], {row[-1]: row[0] for row in rows if row[-1]}


_EXTERNALS = f"{_SELECT}, external from infusion where course_id = %(course)b order by starts, id"


def rebook(
    session: Session, visit: Visit, *, starts: datetime, zone: str, minutes: int, status: str = "booked"
) -> None:
    """Write a visit's new time or status and count the change: the revision is part of every message's key."""
    run(session, _REBOOK, id=visit.id, starts=starts, zone=zone, minutes=minutes, status=status)


_REBOOK = """
update infusion set starts = %(starts)s, zone = %(zone)s, minutes = %(minutes)s, status = %(status)s,
  revision = revision + 1 where id = %(id)s"""


# About a visit: planned for it, news of it, or an e-mail that stands in for such a text that did not arrive. Among the
# messages of the visit's patient, for which there is an index.
_ABOUT = """
from message m where m.patient_id = (
  select c.patient_id from course c join infusion i on i.course_id = c.id where i.id = %(visit)b)
and ({about} or m.occasion like 'fallback:%%' and exists (
  select from message t where t.patient_id = m.patient_id and m.occasion = 'fallback:' || t.id and ({its})))
"""
_NEWS = _ABOUT.format(about="m.occasion like %(news)b", its="t.occasion like %(news)b")
_ANY = _ABOUT.format(
    about="m.infusion_id = %(visit)b or m.occasion like %(news)b",
    its="t.infusion_id = %(visit)b or t.occasion like %(news)b",
)
_TOLD = f"select m.id {_ANY} and m.status = any(%(gone)b::text[]) limit 1"
_WAITING = f"""
select m.id, m.clinic_id, m.occasion, m.facts_sealed {_NEWS} and m.status = 'scheduled'
order by m.planned_at, m.id for update of m"""
_GONE = Texts.of([status.value for status in HANDED_OVER])


def told(session: Session, infusion_id: UUID) -> bool:
    """Whether any message about this visit went out, or possibly did."""
    return bool(fetch(session, _TOLD, visit=infusion_id, news=f"visit:{infusion_id}:%", gone=_GONE))


@dataclass(frozen=True)
class Notice:
    """News of a change that is still waiting to go out, with the facts it would tell."""

    message_id: UUID
    occasion: str
    facts: Mapping[str, str]


def waiting_notices(session: Session, infusion_id: UUID) -> list[Notice]:
    """Unsent notices about a visit, earliest change first; locked, so that the pump does not send one meanwhile."""
    vault = vault_of(session)
    rows = fetch(session, _WAITING, visit=infusion_id, news=f"visit:{infusion_id}:%")
    return [
        Notice(message_id, occasion, json.loads(vault.open(facts, "message.facts", clinic_id, message_id)))
        for message_id, clinic_id, occasion, facts in rows
        if facts
    ]


def heard_any(session: Session, occasions: Collection[str]) -> bool:
    """Whether a message of one of these occasions went out, or possibly did."""
    if not occasions:
        return False
    gone = [status.value for status in HANDED_OVER]
    return bool(
        session.scalar(select(Message.id).where(Message.occasion.in_(occasions), Message.status.in_(gone)).limit(1))
    )
