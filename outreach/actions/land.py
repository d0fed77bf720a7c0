"""Landing: what carriers answered is written down, and what follows from it is done in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.actions import agree, brake, fallback, withdraw
from outreach.actions.prepare import Handed
from outreach.actions.receive import not_in_our_tables
from outreach.actions.unanswered import did_not_go
from outreach.domain.decision import REQUEST
from outreach.domain.status import Status
from outreach.errors import Reason
from outreach.store import strikes
from outreach.store.queue import Outcome, record
from outreach.store.traffic import Message

log = structlog.get_logger()
# By name, since Python looks an enumeration's member up anew each time, and this is asked for each message.
_TAKEN, _FAILED = (Status.ACCEPTED, Status.SENT), Status.FAILED
_UNKNOWN, _UNSUBSCRIBED = Reason.UNKNOWN_CODE, Reason.UNSUBSCRIBED_AT_CARRIER


def land(session: Session, landed: Sequence[tuple[Handed, Outcome]]) -> None:
    """Record a batch of outcomes with their consequences: the ledger, the brakes, and other ways."""
    if not landed:
        return
    trials = _trials(landed)
    moved, (struck,) = record(
        session, [outcome for _, outcome in landed], strikes.asking({trial.clinic_id for trial in trials})
    )
    if len(moved) < len(landed):  # mostly since a callback came first
        _tell_gone(session, [outcome for _, outcome in landed if outcome.message_id not in moved])
    # Before the brakes, as receipts do: both lock these alerts, then the clinics.
    for code in sorted(one.code for _, one in landed if one.reason is _UNKNOWN):
        not_in_our_tables(session, "unknown code", code, "a carrier refused a message with", landed[0][1].at)
    brake.judge(session, trials, landed[0][1].at, struck=bool(struck))
    for handed, outcome in landed:
        message = handed.due.message
        if message.step == REQUEST and outcome.status in _TAKEN:
            agree.asked(session, message, handed.parcel, outcome.at)
        if outcome.status is _FAILED and message.id in moved:
            did_not_go(session, message.clinic_id, message.id, message.step, outcome.reason, outcome.at)
        if outcome.reason is _UNSUBSCRIBED and message.address_id:
            withdraw.stop(session, message.address_id, method="carrier", evidence=str(outcome.attempt_id),
                          now=outcome.at)  # fmt: skip
    lost = [(one.message_id, one.reason) for _, one in landed if one.status is _FAILED and one.message_id in moved]
    if lost:
        fallback.after_failure(session, lost, landed[0][1].at)


def _tell_gone(session: Session, unmoved: Sequence[Outcome]) -> None:
    """What was erased while it was in the air: its event stands, and nothing else is left to write to."""
    known = set(session.scalars(select(Message.id).where(Message.id.in_([one.message_id for one in unmoved]))))
    for one in unmoved:
        if one.message_id not in known:
            log.warning("erased in the air", message=str(one.message_id), attempt=str(one.attempt_id), word=one.word)


def _trials(landed: Sequence[tuple[Handed, Outcome]]) -> list[brake.Trial]:
    """What the answers say of senders and steps. What was not begun, or met a fault of ours, says nothing; of a
    hundred acceptances of one step by one sender in a row, the first says it all."""
    trials: list[brake.Trial] = []
    well: set[tuple[int, str]] = set()
    for handed, outcome in landed:
        if outcome.word not in ("accepted", "refused", "no answer"):
            continue
        step = handed.due.message.step
        reason = Reason.NO_ANSWER if outcome.word == "no answer" else outcome.reason
        if reason is not None:
            well.clear()
        elif (place := (handed.sender.id.int, step)) in well:
            continue
        else:
            well.add(place)
        clinic = handed.due.clinic
        trials.append(brake.Trial(clinic.id, handed.sender.id, step, clinic.zone, reason))
    return trials
