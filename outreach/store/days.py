"""A clinic's day: how its messages stand, which visits there are, and what does not go by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Result, bindparam, func, select
from sqlalchemy.orm import Session

from outreach.domain.channel import SPECS
from outreach.domain.consent import Standing
from outreach.domain.plan import LATE_USE, Visit
from outreach.domain.status import Status
from outreach.errors import Reason
from outreach.store.seen import IN_ORDER, Seen, opened, seen
from outreach.store.tables import Course, Infusion, Patient, Staff
from outreach.store.traffic import Message
from outreach.store.vault import vault_of
from outreach.store.waiting import awaiting_yes, unasked, waits

_OF: Mapping[Status, str] = MappingProxyType({
    status: group
    for group, statuses in {
        "due": (Status.SCHEDULED, Status.SENDING),
        "sent": (Status.ACCEPTED, Status.SENT),
        "arrived": (Status.DELIVERED,),
        "trouble": (Status.UNKNOWN, Status.UNDELIVERED, Status.FAILED),
        "not_sent": (Status.SUPPRESSED, Status.EXPIRED, Status.CANCELLED),
    }.items()
    for status in statuses
})  # fmt: skip
GROUPS = ("due", "waiting", "sent", "mailed", "arrived", "trouble", "not_sent")
"""How the front desk asks for messages. `waiting`: was due before the patient agreed, and goes once they do; `sent`
awaits a receipt; `mailed` never gets one, and waiting for it would be waiting for nothing."""
_UNASKED = Reason.NO_CONSENT.value
_MAILED = tuple(channel.value for channel, spec in SPECS.items() if not spec.receipts)


@dataclass(frozen=True)
class Tally:
    """The messages due in a stretch of time, by group; `reasons`: how many of those not sent or failed for each."""

    groups: Mapping[str, int]
    reasons: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.groups.values())


_Of = UUID | BindParameter[Any]
_At = datetime | BindParameter[Any]


def _within(clinic_id: _Of, start: _At, end: _At) -> list[ColumnElement[bool]]:
    tests = select(Staff.test_patient_id).where(Staff.clinic_id == clinic_id, Staff.test_patient_id.is_not(None))
    return [Message.clinic_id == clinic_id, Message.due_at >= start, Message.due_at < end,
            Message.patient_id.not_in(tests)]  # fmt: skip


# With the few that a yes would still bring back, so that the rest of that question is asked of them alone.
_TALLY = (  # built once: every statement that is built anew costs half a millisecond before it is asked
    select(Message.status, Message.reason, Message.channel, func.count(),
           func.array_agg(Message.id).filter(unasked(bindparam("now"), bindparam("then"))))
    .where(*_within(bindparam("clinic_id"), bindparam("since"), bindparam("until")))
    .group_by(Message.status, Message.reason, Message.channel)
)  # fmt: skip


def tally(session: Session, clinic_id: UUID, start: datetime, end: datetime, now: datetime) -> Tally:
    """Counts over one range of the index (clinic_id, due_at); messages to staff do not count."""
    asked = {"clinic_id": clinic_id, "since": start, "until": end, "now": now, "then": now + LATE_USE}
    groups, reasons, may_wait = Counter(dict.fromkeys(GROUPS, 0)), Counter[str](), list[UUID]()
    for status, reason, channel, number, ids in session.execute(_TALLY, asked):
        group = _OF[Status(status)]
        groups["mailed" if group == "sent" and channel in _MAILED else group] += number
        if reason and group in ("trouble", "not_sent"):
            reasons[reason] += number
        may_wait += ids or ()
    if held := len(awaiting_yes(session, may_wait, now)):
        groups["waiting"] = held
        for counted, name in ((groups, "not_sent"), (reasons, _UNASKED)):
            counted[name] -= held
    return Tally(groups, +reasons)


def listing(
    session: Session, clinic_id: UUID, start: datetime, end: datetime, now: datetime, limit: int, *,
    group: str = "", reason: str = "", offset: int = 0,
) -> list[Seen]:  # fmt: skip
    """Messages due in [start, end), earliest first: those of one group ("": all), or that ended for a reason."""
    where, held = _within(clinic_id, start, end), waits(now, now + LATE_USE)
    if group == "waiting":
        where.append(held)
    elif group:
        like = "sent" if group == "mailed" else group
        where.append(Message.status.in_([status.value for status, of in _OF.items() if of == like]))
    if group in ("sent", "mailed"):
        where.append(Message.channel.in_(_MAILED) if group == "mailed" else Message.channel.not_in(_MAILED))
    if reason:
        where.append(Message.reason == reason)
    if group == "not_sent" or reason == _UNASKED:
        where.append(~held)
    rows = session.execute(
        seen().where(*where).order_by(Message.due_at, Message.patient_id, *IN_ORDER[1:]).offset(offset).limit(limit)
    ).mappings()
    vault = vault_of(session)
    return [opened(vault, dict(row)) for row in rows]


@dataclass(frozen=True)
class Due:
    """A visit of the day. `agreed`: the patient may be written to at some address; `stopped`: has said no to it."""

    visit: Visit
    patient_id: UUID
    agreed: bool
    stopped: bool


_VISITS = (  # built once, as _TALLY
    select(
        Infusion.id, Infusion.course_id, Infusion.starts, Infusion.zone, Infusion.minutes, Infusion.revision,
        Infusion.status, Course.patient_id, Patient.standing,
    )
    .join(Course, Course.id == Infusion.course_id)
    .join(Patient, Patient.id == Course.patient_id)
    .where(
        Infusion.clinic_id == bindparam("clinic_id"), Infusion.starts >= bindparam("since"),
        Infusion.starts < bindparam("until"), Infusion.status != "cancelled",
    )
    .order_by(Infusion.starts, Infusion.id)
    .limit(bindparam("most"))
)  # fmt: skip


def visits(session: Session, clinic_id: UUID, start: datetime, end: datetime, limit: int) -> list[Due]:
    """Visits that begin in [start, end) of their own wall clocks (naive), earliest first; cancelled ones left out."""
    asked = {"clinic_id": clinic_id, "since": start, "until": end, "most": limit}
    rows: Result[Any] = session.execute(_VISITS, asked)
    return [
        Due(
            Visit(row.id, row.course_id, row.starts, row.zone, row.minutes, row.revision, row.status),
            row.patient_id, row.standing == Standing.AGREED, row.standing == Standing.REFUSED,
        )
        for row in rows
    ]  # fmt: skip
