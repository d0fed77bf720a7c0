"""Plans and the zone data they were made with: finding those made with other data, reading and re-timing them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, or_, select, tuple_, update
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.status import Status
from outreach.errors import Reason
from outreach.store.messages import note
from outreach.store.tables import Clinic, Enrolment, Patient
from outreach.store.traffic import Message, Queued
from outreach.store.vault import vault_of

Place = tuple[UUID, str, bool, datetime, UUID]
"""Where a scan stands in the index `queued_turn`: clinic, channel, urgent, due instant, id."""

Unit = tuple[UUID, UUID | None]
"""(patient, course or None): what is re-timed in one transaction."""

IN_DOUBT = ""
"""Stands for the version of zone data where a plan is to be dated anew for another reason: the clinic's hours."""

_TURN = (Queued.clinic_id, Queued.channel, Queued.urgent, Queued.due_at, Queued.message_id)


def stale(session: Session, version: str, after: Place | None, limit: int) -> tuple[list[Unit], Place | None]:
    """The next patients and courses with something scheduled by other zone data than `version`, in due order by lane.

    Rows are read through the index of what is scheduled, each once per pass however many pages it takes; the second
    value is where the next page begins, None after the last one.
    """
    rows = session.execute(
        select(*_TURN, Message.patient_id, Message.course_id)
        .join(Message, Message.id == Queued.message_id)
        .where(
            Message.tz_version != version,
            *([tuple_(*_TURN) > tuple_(*after)] if after else []),
        )
        .order_by(*_TURN)
        .limit(limit)
    ).all()
    units = dict.fromkeys((row.patient_id, row.course_id) for row in rows)
    if len(rows) < limit:
        return list(units), None
    last = rows[-1]
    return list(units), (last.clinic_id, last.channel, last.urgent, last.due_at, last.message_id)


@dataclass(frozen=True)
class Waiting:
    """An unsent row with what its times derive from. `sequence` is None for occasions and ended enrolments."""

    id: UUID
    clinic_id: UUID
    patient_id: UUID
    course_id: UUID | None
    infusion_id: UUID | None
    occasion: str | None
    step: str
    channel: Channel
    revision: int
    wall: datetime
    zone: str
    tz_version: str
    rule: str
    due_at: datetime
    useful_until: datetime
    status: Status
    reason: str | None
    attempts: int
    sequence: str | None
    quiet_from: time
    quiet_to: time


_WAITING = (Message.id, Message.clinic_id, Message.patient_id, Message.course_id, Message.infusion_id,
            Message.occasion, Message.step, Message.channel, Message.revision, Message.wall, Message.zone,
            Message.tz_version, Message.rule, Message.due_at, Message.useful_until, Message.status, Message.reason,
            Message.attempts, Clinic.quiet_from, Clinic.quiet_to)  # fmt: skip


def waiting(
    session: Session, units: Collection[Unit], ended: Collection[str], *, lock: bool = False
) -> dict[Unit, list[Waiting]]:
    """What is unsent of these patients' courses: scheduled, or ended by the planner for a reason in `ended`."""
    statement = (
        select(*_WAITING, Enrolment.sequence)
        .join(Patient, Patient.id == Message.patient_id)
        .join(Clinic, Clinic.id == Message.clinic_id)
        .outerjoin(Enrolment, (Enrolment.id == Message.enrolment_id) & (Enrolment.status == "active") & Patient.active)
        .where(
            # Patients have an index, courses have none; the rest is a few rows of each.
            Message.patient_id.in_({patient_id for patient_id, _ in units}),
            or_(
                Message.status == Status.SCHEDULED.value,
                Message.status.in_([Status.SUPPRESSED.value, Status.EXPIRED.value]) & Message.reason.in_(ended),
            ),
        )
        .order_by(Message.id)
    )
    found: dict[Unit, list[Waiting]] = {unit: [] for unit in units}
    for row in session.execute(statement.with_for_update(of=Message) if lock else statement).mappings():
        one = Waiting(**dict(row) | {"channel": Channel(row["channel"]), "status": Status(row["status"])})
        if (one.patient_id, one.course_id) in found:
            found[one.patient_id, one.course_id].append(one)
    return found


@dataclass(frozen=True)
class Retimed:
    """The times of one row by the zone data of today."""

    row: Waiting
    wall: datetime
    due_at: datetime
    useful_until: datetime
    rule: str

    @property
    def same(self) -> bool:
        """Nothing but the version of the zone data is new."""
        return (self.due_at, self.useful_until, self.wall) == (self.row.due_at, self.row.useful_until, self.row.wall)


def put_in_doubt(session: Session, clinic_id: UUID) -> int:
    """Let the next refresh date everything anew that this clinic has not sent, or ended because of its hours.

    How many messages wait for it. Rows that a worker holds just now are left: what goes out is decided as it goes.
    """
    open_rows = (
        select(Message.id)
        .where(
            Message.clinic_id == clinic_id,
            Message.course_id.is_not(None),
            or_(
                Message.status == Status.SCHEDULED.value,
                Message.status.in_([Status.SUPPRESSED.value, Status.EXPIRED.value])
                & (Message.reason == Reason.QUIET_HOURS.value),
            ),
        )
        .with_for_update(skip_locked=True)
    )
    marked = update(Message).where(Message.id.in_(open_rows)).values(tz_version=IN_DOUBT)
    return _count(session.execute(marked.execution_options(synchronize_session=False)))


def _count(result: Any) -> int:
    return int(result.rowcount)


def stamp(session: Session, message_ids: Collection[UUID], version: str) -> None:
    """These rows, looked at with zone data `version`, keep their times. What left or went meanwhile stays as it is."""
    if message_ids:
        session.execute(
            update(Message)
            .where(Message.id.in_(message_ids), Message.status == Status.SCHEDULED.value)
            .values(tz_version=version)
            .execution_options(synchronize_session=False)
        )


def retime(session: Session, news: Sequence[Retimed], version: str, now: datetime) -> None:
    """Write new times into rows that are locked and scheduled; an event each."""
    if not news:
        return
    table = Message.__table__
    session.connection().execute(
        update(table)  # type: ignore[arg-type]
        .where(table.c.id == bindparam("m_id"), table.c.status == Status.SCHEDULED.value)
        .values(
            wall=bindparam("m_wall"), due_at=bindparam("m_due"), useful_until=bindparam("m_until"),
            rule=bindparam("m_rule"), tz_version=version,
        ),
        [
            {"m_id": one.row.id, "m_wall": one.wall, "m_due": one.due_at, "m_until": one.useful_until,
             "m_rule": one.rule}
            for one in news
        ],
    )  # fmt: skip
    note(session, [_event(one, now) for one in news])


def _event(one: Retimed, now: datetime) -> dict[str, Any]:
    word = "new hours" if one.row.tz_version == IN_DOUBT else "new zone data"
    return {"clinic_id": one.row.clinic_id, "message_id": one.row.id, "source": "plan", "word": word,
            "status": Status.SCHEDULED.value, "reason": None, "at": now}  # fmt: skip


def renew_notices(session: Session, starts: Mapping[UUID, tuple[UUID, datetime]]) -> None:
    """Let waiting notices of a move tell the start as it is now: message id → (clinic id, aware start)."""
    vault = vault_of(session)
    for row in session.execute(select(Message.id, Message.facts_sealed).where(Message.id.in_(starts))).all():
        clinic_id, start = starts[row.id]
        facts = json.loads(vault.open(row.facts_sealed, "message.facts", clinic_id, row.id)) if row.facts_sealed else {}
        if "new_start" in facts:
            text = json.dumps(facts | {"new_start": start.isoformat()})
            session.execute(
                update(Message)
                .where(Message.id == row.id)
                .values(facts_sealed=vault.seal(text, "message.facts", clinic_id, row.id))
                .execution_options(synchronize_session=False)
            )
