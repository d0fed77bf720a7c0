"""Kill switches: putting one on, reading those that are on, lifting one and waking what it held."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Interval, Text, case, cast, func, or_, select, text, type_coerce, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from outreach.domain.brakes import RULES, Pauses, Scope
from outreach.domain.channel import Channel
from outreach.domain.decision import LOOK_AGAIN
from outreach.domain.status import Status
from outreach.errors import NotFound, Reason
from outreach.store import strikes
from outreach.store.arrays import Ids
from outreach.store.brakes import Pause, Strike
from outreach.store.rows import Ask, together
from outreach.store.tables import Enrolment, Patient
from outreach.store.traffic import Message, Queued, Sender

ON = text("lifted_at is null")


@dataclass(frozen=True)
class Held:
    """A switch that is on. clinic_id None: in every clinic. `until` None: until somebody lifts it."""

    id: UUID
    clinic_id: UUID | None
    scope: Scope
    key: str
    reason: str
    actor: str
    since: datetime
    until: datetime | None


_HELD = (Pause.id, Pause.clinic_id, Pause.scope, Pause.key, Pause.reason, Pause.actor, Pause.since, Pause.until)


_ACTIVE = """
select clinic_id, scope, key from pause
where lifted_at is null and (until is null or until > %(now)b)
  and (clinic_id is null or clinic_id = any(%(ids)b::uuid[]))
"""


def active(session: Session, clinic_ids: Collection[UUID], now: datetime) -> Pauses:
    """What is on for these clinics or for all: one small query over a partial index."""
    return told(together(session, asking(clinic_ids, now))[0])


def asking(clinic_ids: Collection[UUID], now: datetime) -> Ask:
    return Ask(_ACTIVE, {"now": now, "ids": Ids.of(clinic_ids)})


def told(rows: Iterable[tuple[UUID | None, str, str]]) -> Pauses:
    """The answer to `asking`."""
    return Pauses(frozenset((clinic_id, Scope(scope), key) for clinic_id, scope, key in rows))


def listing(session: Session, clinic_id: UUID | None, now: datetime) -> list[Held]:
    """The switches that are on for a clinic, those for every clinic included; None: all there are."""
    whose = [] if clinic_id is None else [or_(Pause.clinic_id.is_(None), Pause.clinic_id == clinic_id)]
    rows = session.execute(
        select(*_HELD)
        .where(Pause.lifted_at.is_(None), or_(Pause.until.is_(None), Pause.until > now), *whose)
        .order_by(Pause.since, Pause.id)
    ).mappings()
    return [Held(**{**row, "scope": Scope(row["scope"])}) for row in rows]


def switch_on(
    session: Session,
    clinic_id: UUID | None,
    scope: Scope,
    key: str,
    reason: str,
    actor: str,
    now: datetime,
    until: datetime | None = None,
) -> UUID:
    """Hold back what `scope` and `key` name. It being on already, it lasts as long as the longer of both."""
    _end_lapsed(session, now, clinic_id, scope, key)
    fresh = upsert(Pause).values(
        id=uuid4(), clinic_id=clinic_id, scope=scope.value, key=key, reason=reason, actor=actor, since=now, until=until
    )
    lasting = case(
        (or_(Pause.until.is_(None), fresh.excluded.until.is_(None)), None),
        else_=func.greatest(Pause.until, fresh.excluded.until),
    )
    made: UUID | None = session.scalar(
        fresh.on_conflict_do_update(
            index_elements=["clinic_id", "scope", "key"], index_where=ON, set_={"until": lasting}
        ).returning(Pause.id)
    )
    assert made is not None
    return made


def rested(session: Session, strike: strikes.Key, kind: Reason, now: datetime) -> timedelta:
    """The longest rest for this kind of trouble that is over, and that began with this strike or after it."""
    clinic_id, scope, key = strike
    place = Strike.clinic_id == clinic_id, Strike.scope == scope, Strike.key == key
    longest: timedelta | None = session.scalar(
        select(func.max(type_coerce(Pause.until - Pause.since, Interval()))).where(
            Pause.clinic_id == clinic_id, Pause.scope == scope, Pause.key == key.rpartition("/")[2],
            Pause.reason == kind.value, Pause.until <= now,
            Pause.since >= select(Strike.since).where(*place).scalar_subquery(),
        )
    )  # fmt: skip
    return longest or timedelta(0)


def lift(session: Session, pause_id: UUID, actor: str, now: datetime, clinic_id: UUID | None = None) -> int:
    """Let go on. Returns how many waiting messages were woken. `clinic_id`: only a switch of this very clinic.

    NotFound: no such switch is on (somebody else lifted it), or it is not this clinic's to lift.
    """
    whose = [] if clinic_id is None else [Pause.clinic_id == clinic_id]
    row = session.execute(
        update(Pause)
        .where(Pause.id == pause_id, Pause.lifted_at.is_(None), *whose)
        .values(lifted_at=now, lifted_by=actor)
        .returning(Pause.clinic_id, Pause.scope, Pause.key)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if row is None:
        raise NotFound("no such pause is on")
    _forgive(session, row.clinic_id, row.scope, row.key)
    return wake(session, row.clinic_id, now)


def end_lapsed(session: Session, now: datetime) -> int:
    """Close the switches whose time is over, and wake what they held. Returns how many were over."""
    over = session.execute(
        update(Pause)
        .where(Pause.lifted_at.is_(None), Pause.until <= now)
        .values(lifted_at=Pause.until, lifted_by="time")
        .returning(Pause.clinic_id, Pause.scope, Pause.key)
        .execution_options(synchronize_session=False)
    ).all()
    for row in over:
        _forgive(session, row.clinic_id, row.scope, row.key)
    for clinic_id in {row.clinic_id for row in over}:
        wake(session, clinic_id, now)
    return len(over)


def wake(session: Session, clinic_id: UUID | None, now: datetime, held: Reason = Reason.PAUSED) -> int:
    """Messages that wait for this reason are due now; what is still held goes back to waiting when claimed.

    Those no longer of use are left to end as too late, each with its event.
    """
    woken = session.execute(
        update(Message)
        .where(*_due_soon(now, clinic_id), Message.reason == held.value, Message.useful_until > now)
        .values(due_at=now, reason=None)
        .execution_options(synchronize_session=False)
    )
    return int(woken.rowcount)  # type: ignore[attr-defined]


def wordless(session: Session, now: datetime) -> set[tuple[UUID, str]]:
    """The clinics and steps of which a message waits for words to be approved."""
    waits = select(Message.clinic_id, Message.step).where(*_due_soon(now), Message.reason == Reason.UNAPPROVED.value)
    return {(row[0], row[1]) for row in session.execute(waits.distinct())}


def waiting(session: Session, held: Held, clinic_id: UUID, now: datetime) -> int:
    """How many of a clinic's messages wait for this switch. Of a sender: what is due on its channel."""
    waits = or_(Message.due_at <= now, Message.reason == Reason.PAUSED.value)
    if held.scope in (Scope.SERVICE, Scope.CLINIC):
        theirs: list[ColumnElement[bool]] = [waits]
    elif held.scope is Scope.SENDER:
        theirs = [waits, Message.channel.in_(select(Sender.channel).where(cast(Sender.id, Text) == held.key))]
    else:
        theirs = [Message.reason == Reason.PAUSED.value, _of(held)]
    count = select(func.count()).select_from(Message).where(*_due_soon(now, clinic_id), *theirs)
    return session.scalar(count) or 0


def _of(held: Held) -> ColumnElement[bool]:
    if held.scope is Scope.STEP:
        return Message.step == held.key
    if held.scope is Scope.SEQUENCE:
        return Message.enrolment_id.in_(select(Enrolment.id).where(Enrolment.sequence == held.key))
    # As the claim asks: the language the patient speaks now, not the one an answer was once planned in.
    return Message.patient_id.in_(select(Patient.id).where(Patient.locale == held.key))


def _due_soon(now: datetime, clinic_id: UUID | None = None) -> list[ColumnElement[bool]]:
    """A held message is looked at again within LOOK_AGAIN; all columns of the index of turns, so that it is used."""
    soon = select(Queued.message_id).where(
        *([] if clinic_id is None else [Queued.clinic_id == clinic_id]),
        Queued.channel.in_([channel.value for channel in Channel]),
        Queued.urgent.in_([True, False]),
        Queued.due_at <= now + LOOK_AGAIN + timedelta(hours=1),  # the hour: clocks need not agree
    )
    return [Message.id.in_(soon), Message.status == Status.SCHEDULED.value]


def _end_lapsed(session: Session, now: datetime, clinic_id: UUID | None, scope: Scope, key: str) -> None:
    """A switch whose time is over would stand in the way of a new one."""
    whose = Pause.clinic_id.is_(None) if clinic_id is None else Pause.clinic_id == clinic_id
    session.execute(
        update(Pause)
        .where(whose, Pause.scope == scope.value, Pause.key == key, Pause.lifted_at.is_(None), Pause.until <= now)
        .values(lifted_at=Pause.until, lifted_by="time")
        .execution_options(synchronize_session=False)
    )


def _forgive(session: Session, clinic_id: UUID | None, scope: str, key: str) -> None:
    """Whoever lifts a switch has seen to its cause: counting begins anew. But a rest is a trial: see domain's Rule."""
    kinds = [kind for kind, rule in RULES.items() if not rule.rests]
    strikes.clear_named(session, clinic_id, scope, [strike_name(key, kind.value, late) for kind in kinds
                                                    for late in (False, True)])  # fmt: skip


def strike_name(key: str, kind: str, late: bool) -> str:
    """The key of a strike: what it counts against, and the trouble. `late`: told by a receipt, after an acceptance."""
    return f"{kind}/{'late/' if late else ''}{key}"
