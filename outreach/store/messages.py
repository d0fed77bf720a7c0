"""Messages as the plan: adding, cancelling, ending, reviving."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Required, TypedDict, Unpack
from uuid import UUID

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.orm import Session

from outreach.domain.channel import Channel
from outreach.domain.decision import ANSWERS
from outreach.domain.message import Planned
from outreach.domain.plan import LATE_USE
from outreach.domain.status import ENDS, Status
from outreach.errors import Reason
from outreach.store.arrays import Blobs, Ids, Instants, Numbers, Texts, Walls
from outreach.store.ids import fresh_id
from outreach.store.rows import Ask, together
from outreach.store.traffic import Event, Message
from outreach.store.vault import vault_of
from outreach.store.waiting import of_use, still_true

HANDED_OVER = (Status.SENDING, Status.UNKNOWN, Status.ACCEPTED, Status.SENT, Status.DELIVERED, Status.UNDELIVERED)


def planning(
    *,
    clinic_id: UUID,
    patient_id: UUID,
    enrolment_id: UUID,
    planned: Sequence[Planned],
    addresses: Mapping[Channel, UUID],
    now: datetime,
) -> Ask:
    """To write what the planner decided; what is there already stays untouched. Its rows are the new ones."""
    rows = [
        _fresh(clinic_id, patient_id, one.channel, one.step, one.due_at, one.useful_until, now)
        | {
            "enrolment_id": enrolment_id,
            "course_id": one.course_id,
            "infusion_id": one.infusion_id,
            "address_id": addresses.get(one.channel),
            "revision": one.revision,
            "wall": one.wall,
            "zone": one.zone,
            "tz_version": one.tz_version,
            "rule": one.rule,
            "status": one.status.value,
            "reason": one.reason.value if one.reason else None,
            "ended_at": now if one.status in ENDS else None,
        }
        for one in planned
    ]
    return _plan(rows)


class Occasion(TypedDict, total=False):
    """A message that something brought about: an agreement, a reply, a move. `occasion` names what; once each."""

    clinic_id: Required[UUID]
    patient_id: Required[UUID]
    address_id: Required[UUID]
    channel: Required[Channel]
    step: Required[str]
    occasion: Required[str]
    zone: Required[str]
    due_at: Required[datetime]
    useful_until: Required[datetime]
    wall: Required[datetime]
    tz_version: Required[str]
    facts: Mapping[str, str] | None
    locale: str | None
    enrolment_id: UUID | None
    course_id: UUID | None
    revision: int
    rule: str


def add_occasion(session: Session, **one: Unpack[Occasion]) -> UUID | None:
    """Plan it. None: it was there already."""
    return add_occasions(session, [one])[0]


def add_occasions(session: Session, wanted: Sequence[Occasion]) -> list[UUID | None]:
    """Plan several at once; None for each that was there already."""
    vault = vault_of(session)
    rows: list[dict[str, Any]] = []
    for one in wanted:
        known: dict[str, Any] = dict(one)
        facts = known.pop("facts", None)
        fresh = _fresh(one["clinic_id"], one["patient_id"], one["channel"], one["step"], one["due_at"],
                       one["useful_until"], one["due_at"])  # fmt: skip
        if facts:
            sealed = vault.seal(json.dumps(dict(facts)), "message.facts", one["clinic_id"], fresh["id"])
            fresh["facts_sealed"] = sealed
        known |= {"channel": one["channel"].value, "status": Status.SCHEDULED.value}
        rows.append({"revision": 0, "rule": "at once"} | known | fresh)
    added = {row[0] for row in together(session, _plan(rows))[0]} if rows else set[UUID]()
    return [row["id"] if row["id"] in added else None for row in rows]


def _plan(rows: Sequence[Mapping[str, Any]]) -> Ask:
    return Ask(_PLAN, {name: kind.of([row.get(name) for row in rows]) for name, (kind, _) in _COLUMNS.items()})


_COLUMNS: Mapping[str, tuple[Any, str]] = {
    **dict.fromkeys(("id", "clinic_id", "patient_id", "enrolment_id", "course_id", "infusion_id", "address_id"),
                    (Ids, "uuid")),
    **dict.fromkeys(("occasion", "step", "channel", "zone", "tz_version", "rule", "status", "reason", "locale"),
                    (Texts, "text")),
    **dict.fromkeys(("due_at", "useful_until", "planned_at", "ended_at"), (Instants, "timestamptz")),
    "wall": (Walls, "timestamp"), "revision": (Numbers, "int"), "urgent": (Numbers, "int"),
    "facts_sealed": (Blobs, "bytea"),
}  # fmt: skip
_NAMES = ", ".join(_COLUMNS)
_ARRAYS = ", ".join(f"%({name})b::{of}[]" for name, (_, of) in _COLUMNS.items())
# A value for each column, and its news in the same breath: a course is over a hundred rows, and a statement with a
# place for each value of each costs the client more to read than the server to run.
_PLAN = f"""
with planned as (
  insert into message ({_NAMES}, attempts, segments)
  select {_NAMES.replace("urgent", "urgent <> 0")}, 0, 0 from unnest({_ARRAYS}) as row({_NAMES})
  on conflict do nothing returning id, clinic_id, status, reason, planned_at)
insert into event (clinic_id, message_id, source, word, status, reason, at)
select clinic_id, id, 'plan', 'planned', status, reason, planned_at from planned returning message_id
"""


def due_of(session: Session, patient_id: UUID, occasion: str) -> datetime | None:
    """When a message of this patient and occasion is, or was, due; None: there is none."""
    own = Message.patient_id == patient_id, Message.occasion == occasion
    return session.scalar(select(Message.due_at).where(*own).limit(1))


def _fresh(
    clinic_id: UUID,
    patient_id: UUID,
    channel: Channel,
    step: str,
    due_at: datetime,
    useful_until: datetime,
    now: datetime,
) -> dict[str, Any]:
    return {
        "id": fresh_id(),
        "clinic_id": clinic_id,
        "patient_id": patient_id,
        "channel": channel.value,
        "step": step,
        "due_at": due_at,
        "useful_until": useful_until,
        "planned_at": now,
        "urgent": step in ANSWERS,
    }


def note(session: Session, news: Sequence[Mapping[str, Any]]) -> None:
    """Append events; nothing is ever changed or taken away."""
    if news:
        # By the table: a statement of mapped classes costs the client as much again.
        session.connection().execute(insert(Event.__table__), [dict(one) for one in news])  # type: ignore[arg-type]


def suppress_scheduled(
    session: Session, address_ids: Collection[UUID], reason: Reason, now: datetime, keep: Collection[str] = ()
) -> int:
    """Suppress everything still to come to these addresses, at once; steps in `keep` stay. Returns how many."""
    theirs = [Message.address_id.in_(address_ids), Message.step.not_in(keep)]
    end = Status.SUPPRESSED
    return _turn(session, Status.SCHEDULED, end, theirs, now, word=end.value, reason=reason)


def finish(session: Session, ids: Collection[UUID], end: Status, reason: Reason, now: datetime) -> int:
    """End messages that are still scheduled, by decision. Returns how many."""
    if not ids:
        return 0
    return _turn(session, Status.SCHEDULED, end, [Message.id.in_(ids)], now, word=end.value, reason=reason)


def bring_back(session: Session, ids: Collection[UUID], now: datetime) -> int:
    """What was suppressed goes after all, where it is of use and still true. Returns how many."""
    return _turn(session, Status.SUPPRESSED, Status.SCHEDULED, [Message.id.in_(ids), still_true()], now, word="revived")


def revive(
    session: Session, address_ids: Collection[UUID], now: datetime, reasons: Collection[Reason] = (Reason.OPTED_OUT,)
) -> int:
    """After START: what STOP suppressed and is still to come is scheduled again. Returns how many.

    A new agreement names more `reasons`: it undoes what staff or a carrier had revoked, which START does not. Where it
    names NO_CONSENT, what fell due while the patient had not said yes, and may go late, goes now if still of use.

    The one way back from an end, and a decision of the patient's, not news: nothing of it ever went out.
    """
    stopped = [
        Message.address_id.in_(address_ids),
        Message.reason.in_([reason.value for reason in reasons]),
        of_use(now, now + LATE_USE),
        still_true(),
    ]
    return _turn(session, Status.SUPPRESSED, Status.SCHEDULED, stopped, now, word="revived")


def say_instead(session: Session, address_ids: Collection[UUID], before: Reason, after: Reason, now: datetime) -> int:
    """What is still to come and suppressed for a reason that is over is so for the one that is left. Their number."""
    theirs = [Message.address_id.in_(address_ids), Message.reason == before.value, Message.due_at > now]
    return _turn(session, Status.SUPPRESSED, Status.SUPPRESSED, theirs, now, word="suppressed", reason=after)


def _turn(
    session: Session,
    before: Status,
    after: Status,
    where: Sequence[ColumnElement[bool]],
    now: datetime,
    *,
    word: str,
    reason: Reason | None = None,
) -> int:
    """By decision, not by news: rows `before` that fit `where` become `after`, an event each. Returns how many."""
    if not where:
        raise ValueError("name what to turn: without a condition every message of every clinic would be")
    why = reason.value if reason else None
    turned = session.execute(
        update(Message)
        .where(Message.status == before.value, *where)
        .values(status=after.value, reason=why, ended_at=now if after in ENDS else None)
        .returning(Message.id, Message.clinic_id)
        .execution_options(synchronize_session=False)
    ).all()
    news = {"source": "us", "word": word, "status": after.value, "reason": why, "at": now}
    note(session, [{"message_id": row.id, "clinic_id": row.clinic_id, **news} for row in turned])
    return len(turned)
