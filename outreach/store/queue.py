"""Messages as the queue: taking due rows, handing them out with a lease, recording what became of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from outreach.domain.status import ENDS, Status, advance
from outreach.errors import Reason
from outreach.store.due import Due, read_due
from outreach.store.traffic import Attempt, Event, Message


def begin_sending(session: Session, going: Sequence[Mapping[str, Any]], lease: timedelta) -> None:
    """Rows go scheduled → sending with attempt, lease and exact words. Commit before a byte leaves.

    Each mapping: id, clinic_id, attempt_id, number, carrier, locale, wording, subject_sealed, body_sealed, segments,
    text_hash.
    The lease runs on the database's own clock: workers' clocks need not agree.
    """
    if not going:
        return
    session.connection().execute(
        update(Message.__table__)  # type: ignore[arg-type]
        .where(Message.__table__.c.id == bindparam("m_id"), Message.__table__.c.status == Status.SCHEDULED.value)
        .values(
            status=Status.SENDING.value,
            attempt_id=bindparam("m_attempt"),
            attempts=bindparam("m_number"),
            lease_until=func.now() + lease,
            carrier=bindparam("m_carrier"),
            locale=bindparam("m_locale"),
            wording=bindparam("m_wording"),
            subject_sealed=bindparam("m_subject"),
            body_sealed=bindparam("m_body"),
            segments=bindparam("m_segments"),
            reason=None,
        ),
        [
            {
                "m_id": g["id"],
                "m_attempt": g["attempt_id"],
                "m_number": g["number"],
                "m_carrier": g["carrier"],
                "m_locale": g["locale"],
                "m_wording": g["wording"],
                "m_subject": g["subject_sealed"],
                "m_body": g["body_sealed"],
                "m_segments": g["segments"],
            }
            for g in going
        ],
    )
    session.execute(
        upsert(Attempt).values(
            [
                {
                    "id": g["attempt_id"],
                    "clinic_id": g["clinic_id"],
                    "message_id": g["id"],
                    "number": g["number"],
                    "carrier": g["carrier"],
                    "started_at": func.clock_timestamp(),
                    "text_hash": g["text_hash"],
                }
                for g in going
            ]
        )
    )


@dataclass(frozen=True)
class Outcome:
    """What became of one attempt. `status` SCHEDULED means: surely not sent, try again at `due_at`.

    A sure answer that comes after the lease ended still counts: nobody else may have this attempt id.
    """

    message_id: UUID
    clinic_id: UUID
    attempt_id: UUID
    status: Status
    word: str
    at: datetime
    carrier_id: str | None = None
    reason: Reason | None = None
    code: str = ""
    due_at: datetime | None = None
    from_status: tuple[Status, ...] = (Status.SENDING, Status.UNKNOWN)


def record(session: Session, outcomes: Sequence[Outcome]) -> int:
    """Write outcomes by compare-and-set on (id, status, attempt): a late writer changes nothing. Returns rows moved.

    A callback that came before our own record has moved the row already; then only the event is kept.
    """
    moved = 0
    for one in outcomes:
        values: dict[str, Any] = {"status": one.status.value, "reason": one.reason.value if one.reason else None}
        if one.carrier_id:
            values["carrier_id"] = one.carrier_id
        if one.status in (Status.ACCEPTED, Status.SENT):
            values["sent_at"] = one.at
        if one.status in ENDS:
            values["ended_at"] = one.at
        if one.due_at is not None:
            values |= {"due_at": one.due_at, "attempt_id": None, "lease_until": None}
        changed = session.execute(
            update(Message)
            .where(
                Message.id == one.message_id,
                Message.attempt_id == one.attempt_id,
                Message.status.in_([s.value for s in one.from_status]),
            )
            .values(values)
            .execution_options(synchronize_session=False)
        )
        moved += changed.rowcount  # type: ignore[attr-defined]
        session.execute(
            update(Attempt)
            .where(Attempt.id == one.attempt_id)
            .values(
                ended_at=func.clock_timestamp(),
                outcome=_outcome_word(one),
                carrier_id=one.carrier_id,
                reason=one.reason.value if one.reason else None,
                code=one.code or None,
            )
            .execution_options(synchronize_session=False)
        )
    session.execute(
        upsert(Event).values([_news(one) for one in outcomes]).on_conflict_do_nothing()
    ) if outcomes else None
    return moved


def _outcome_word(one: Outcome) -> str:
    if one.status in (Status.SCHEDULED, Status.FAILED, Status.EXPIRED):
        return "refused"
    return "unknown" if one.status is Status.UNKNOWN else "accepted"


def _news(one: Outcome) -> dict[str, Any]:
    return {
        "clinic_id": one.clinic_id,
        "message_id": one.message_id,
        "attempt_id": one.attempt_id,
        "source": "us",
        "word": one.word,
        "status": one.status.value,
        "reason": one.reason.value if one.reason else None,
        "code": one.code or None,
        "carrier_id": one.carrier_id,
        "at": one.at,
    }


def hear(
    session: Session,
    attempt_id: UUID,
    *,
    word: str,
    status: Status | None,
    carrier_id: str,
    reason: Reason | None,
    code: str,
    at: datetime,
) -> Row[*tuple[Any, ...]] | None:
    """One piece of a carrier's news: the event is kept once, the status moves forward only.

    Returns (message_id, clinic_id, address_id, moved) or None for an attempt we never made. News of an older attempt
    than the row's own still moves it: that attempt did reach the carrier.
    """
    row = session.execute(
        select(Message.id, Message.clinic_id, Message.address_id, Message.status, Message.sent_at)
        .join(Attempt, Attempt.message_id == Message.id)
        .where(Attempt.id == attempt_id)
        .with_for_update(of=Message)
    ).one_or_none()
    if row is None:
        return None
    session.execute(
        upsert(Event)
        .values(
            clinic_id=row.clinic_id,
            message_id=row.id,
            attempt_id=attempt_id,
            source="carrier",
            word=word,
            status=status.value if status else None,
            reason=reason.value if reason else None,
            code=code or None,
            carrier_id=carrier_id,
            at=at,
        )
        .on_conflict_do_nothing()
    )
    if status is not None and advance(Status(row.status), status) is not Status(row.status):
        values: dict[str, Any] = {
            "status": status.value,
            "carrier_id": carrier_id,
            "sent_at": row.sent_at or at,
            "reason": reason.value if reason else None,
        }
        if status in ENDS:
            values["ended_at"] = at
        session.execute(
            update(Message).where(Message.id == row.id).values(values).execution_options(synchronize_session=False)
        )
    return row


def expire_leases(session: Session, at: datetime, grace: timedelta = timedelta(0)) -> int:
    """Sending rows whose lease is over become unknown: they may be on their way. Returns how many."""
    rows = session.execute(
        update(Message)
        .where(Message.status == Status.SENDING.value, Message.lease_until < func.now() - grace)
        .values(status=Status.UNKNOWN.value)
        .returning(Message.id, Message.clinic_id, Message.attempt_id)
        .execution_options(synchronize_session=False)
    ).all()
    if rows:
        session.execute(
            upsert(Event).values(
                [
                    {
                        "clinic_id": r.clinic_id,
                        "message_id": r.id,
                        "attempt_id": r.attempt_id,
                        "source": "us",
                        "word": "lease over",
                        "status": Status.UNKNOWN.value,
                        "at": at,
                    }
                    for r in rows
                ]
            )
        )
    return len(rows)


@dataclass(frozen=True)
class Doubt:
    """A message that may be on its way, and the attempt that left it so."""

    due: Due
    attempt_id: UUID
    started_at: datetime
    text_hash: bytes | None


def doubtful(session: Session, hold: timedelta, limit: int) -> list[Doubt]:
    """Unknown messages held long enough for the carrier's list to know them."""
    rows = session.execute(
        select(Message.id, Attempt.id, Attempt.started_at, Attempt.text_hash)
        .join(Attempt, Attempt.id == Message.attempt_id)
        .where(Message.status == Status.UNKNOWN.value, Attempt.started_at < func.now() - hold)
        .order_by(Message.lease_until)
        .limit(limit)
    ).all()
    views = {due.message.id: due for due in read_due(session, [row[0] for row in rows])}
    return [Doubt(views[row[0]], *row[1:]) for row in rows]


def known_carrier_ids(session: Session, carrier_ids: Collection[str]) -> set[str]:
    """Those that belong to an attempt already: no second message may claim them."""
    found = session.scalars(select(Attempt.carrier_id).where(Attempt.carrier_id.in_(carrier_ids)))
    return {one for one in found if one}


def settle(session: Session, status: Status, end: Status, reason: Reason, sent_before: datetime, at: datetime) -> int:
    """Messages that stayed in `status` since `sent_before` or longer end as `end`. Returns how many."""
    rows = session.execute(
        update(Message)
        .where(Message.status == status.value, Message.sent_at <= sent_before)
        .values(status=end.value, reason=reason.value, ended_at=at)
        .returning(Message.id, Message.clinic_id)
        .execution_options(synchronize_session=False)
    ).all()
    if rows:
        session.execute(
            upsert(Event).values(
                [
                    {
                        "clinic_id": r.clinic_id,
                        "message_id": r.id,
                        "source": "us",
                        "word": "settled",
                        "status": end.value,
                        "reason": reason.value,
                        "at": at,
                    }
                    for r in rows
                ]
            )
        )
    return len(rows)


def defer(session: Session, message_id: UUID, until: datetime) -> None:
    """Wait: the message stays scheduled and becomes due again at `until`."""
    session.execute(
        update(Message)
        .where(Message.id == message_id, Message.status == Status.SCHEDULED.value)
        .values(due_at=until)
        .execution_options(synchronize_session=False)
    )
