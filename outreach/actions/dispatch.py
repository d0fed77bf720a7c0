"""The pump: take due messages, decide, compose, commit, hand over concurrently, record in batches.

No transaction is open while the network is slow, and no message is begun that its lease may not outlive.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from outreach.actions import agree, withdraw
from outreach.actions.compose import compose, standing_of
from outreach.actions.replan import quiet_of
from outreach.content.compose import Words
from outreach.domain.channel import Channel
from outreach.domain.decision import REQUEST, End, Go, Wait, decide
from outreach.domain.message import Accepted, Parcel
from outreach.domain.retry import Retry, after_refusal
from outreach.domain.sequence import Sequence as Steps
from outreach.domain.status import Status
from outreach.errors import BadInput, Reason, Refused, Uncertain
from outreach.providers.base import Provider
from outreach.store import consents
from outreach.store.due import Due, lock_due
from outreach.store.messages import finish
from outreach.store.queue import Outcome, begin_sending, defer, record
from outreach.store.vault import vault_of

log = structlog.get_logger()

SET_ASIDE = timedelta(hours=1)
"""How long a row that no program can read waits before it is tried again; loud in the log each time."""


@dataclass(frozen=True)
class Pump:
    """What draining needs. `timeout`: seconds a carrier may take to answer; `lease` must be longer than it."""

    sessions: sessionmaker[Session]
    providers: Mapping[Channel, Provider]
    words: Words
    sequences: Mapping[str, Steps]
    public_url: str
    clock: Callable[[], datetime]
    window: int = 32
    timeout: float = 10.0
    lease: float = 60.0


@dataclass(frozen=True)
class Handed:
    """A message in the hands of a worker: its parcel, and the monotonic second by which it must have been begun."""

    due: Due
    parcel: Parcel
    provider: Provider
    begin_by: float


@dataclass
class Tally:
    """What one drain did, by word."""

    counts: Counter[str] = field(default_factory=Counter)

    @property
    def handled(self) -> int:
        return self.counts.total()


def drain(pump: Pump, seconds: float = 50.0) -> Tally:
    """Send until nothing is due or `seconds` are over; whatever was begun is finished and recorded."""
    tally = Tally()
    stop_at = time.monotonic() + seconds
    flying: dict[Future[Outcome], Handed] = {}
    with ThreadPoolExecutor(pump.window, thread_name_prefix="post") as pool:
        more, away = True, None
        while more or flying:
            room = pump.window - len(flying)
            if more and room >= max(1, pump.window // 4):
                try:
                    more = time.monotonic() < stop_at and _take(pump, room, pool, flying, tally)
                except OperationalError as error:  # nothing new is begun, but what flies is still landed
                    more, away = False, error
            if flying:
                done, _ = wait(flying, return_when=FIRST_COMPLETED)
                _land(pump, [(flying.pop(one), one) for one in done], tally)
                more = away is None and (more or time.monotonic() < stop_at)
    if away is not None:
        raise away
    return tally


def _take(pump: Pump, room: int, pool: ThreadPoolExecutor, flying: dict[Future[Outcome], Handed], tally: Tally) -> bool:
    """Claim and begin up to `room` messages. False when nothing was due."""
    begun = time.monotonic()
    with pump.sessions.begin() as session:
        due = lock_due(session, pump.clock(), room, list(pump.providers), SET_ASIDE)
        handed = _decide(session, pump, due, begun, tally)
    for one in handed:
        flying[pool.submit(_hand_over, pump, one)] = one
    return bool(due)


def _decide(session: Session, pump: Pump, due: Sequence[Due], begun: float, tally: Tally) -> list[Handed]:
    """Every due row gets its decision in this one transaction; those that go are `sending` when it commits."""
    now = pump.clock()
    ledgers = consents.ledgers(session, {d.message.address_id for d in due if d.message.address_id})
    going: list[Handed] = []
    rows: list[dict[str, Any]] = []
    ends: dict[tuple[Status, Reason], list[UUID]] = {}
    for one in due:
        permission = standing_of(one, ledgers, now)
        quiet = quiet_of(one.clinic)
        message = one.message
        verdict = decide(message.step, one.patient_zone, message.useful_until, permission.standing, quiet, now)
        if isinstance(verdict, Go):
            try:
                handed, row = _prepare(session, pump, one, permission.warned, now, begun)
            except BadInput:
                log.warning("words missing", message=str(message.id), step=message.step, locale=one.patient_locale)
                verdict = End(Status.SUPPRESSED, Reason.WORDS_MISSING)
            except Exception as error:  # one row that cannot be composed must not hold up every clinic's messages
                log.exception("cannot be composed, set aside", message=str(message.id), error=type(error).__name__)
                verdict = Wait(now + SET_ASIDE)
            else:
                going.append(handed)
                rows.append(row)
        if isinstance(verdict, Wait):
            defer(session, message.id, verdict.until)
            tally.counts["waiting"] += 1
        if isinstance(verdict, End):
            ends.setdefault((verdict.status, verdict.reason), []).append(message.id)
            tally.counts[verdict.status.value] += 1
    for (status, reason), ids in ends.items():
        finish(session, ids, status, reason, now)
    begin_sending(session, rows, timedelta(seconds=pump.lease))
    return going


def _prepare(
    session: Session, pump: Pump, due: Due, warned: bool, now: datetime, begun: float
) -> tuple[Handed, dict[str, Any]]:
    """Compose the exact words, seal them into the row, and make the parcel. BadInput: no such words."""
    vault = vault_of(session)
    message, provider = due.message, pump.providers[due.message.channel]
    token = vault.token("message", message.id)
    links = f"{pump.public_url}/p/{token}", f"{pump.public_url}/u/{token}"
    composed = compose(due, pump.words, pump.sequences, *links, warned, now)
    attempt_id, content = uuid4(), composed.content
    assert due.to is not None  # decide() ended it otherwise
    parcel = Parcel(
        attempt_id=attempt_id,
        channel=message.channel,
        sender=due.clinic.sms_sender if message.channel is Channel.SMS else due.clinic.email_sender,
        sender_name=due.clinic.name,
        to=due.to,
        content=content,
        status_callback=f"{pump.public_url}/hooks/twilio/status/{attempt_id}",
        unsubscribe_url=f"{pump.public_url}/u/{token}",
        message_domain=due.clinic.email_sender.rpartition("@")[2] or "localhost",
        valid_seconds=_valid_seconds(message.useful_until, now),
    )
    row = {
        "id": message.id, "clinic_id": message.clinic_id, "attempt_id": attempt_id, "number": message.attempts + 1,
        "carrier": provider.name, "locale": content.locale, "wording": composed.wording,
        "subject_sealed": vault.seal(content.subject, "message.subject", message.clinic_id, message.id),
        "body_sealed": vault.seal(content.text, "message.body", message.clinic_id, message.id),
        "segments": content.segments, "text_hash": text_hash(content.text),
    }  # fmt: skip
    return Handed(due, parcel, provider, begun + pump.lease - pump.timeout), row


def text_hash(text: str) -> bytes:
    """What we know a text by when the carrier lists it."""
    return hashlib.sha256(text.encode()).digest()


def _valid_seconds(useful_until: datetime, now: datetime) -> int:
    return int(min(max((useful_until - now).total_seconds(), 60), 14400))


def _hand_over(pump: Pump, handed: Handed) -> Outcome:
    """One call to the carrier, in a thread of the window; every ending becomes an Outcome."""
    message = handed.due.message
    if time.monotonic() > handed.begin_by:
        # Less than a time-out is left on the lease (the machine slept?): another worker may hold it soon. Not begun.
        return _outcome(handed, pump, Status.SCHEDULED, "not begun", due_at=message.due_at)
    try:
        accepted: Accepted = handed.provider.send(handed.parcel)
    except Refused as refused:
        return _refused(handed, pump, refused)
    except Uncertain:
        return _outcome(handed, pump, Status.UNKNOWN, "no answer")
    except Exception as error:  # a bug of ours in the middle of a send: it may have left, so it is in doubt, and loud
        log.exception("send failed", attempt=str(handed.parcel.attempt_id), error=type(error).__name__)
        return _outcome(handed, pump, Status.UNKNOWN, "fault")
    return _outcome(handed, pump, accepted.status, "accepted", carrier_id=accepted.carrier_id)


def _refused(handed: Handed, pump: Pump, refused: Refused) -> Outcome:
    message = handed.due.message
    decision = after_refusal(
        refused, message.attempts + 1, pump.clock(), message.useful_until, str(handed.parcel.attempt_id)
    )
    if isinstance(decision, Retry):
        return _outcome(handed, pump, Status.SCHEDULED, "refused", reason=refused.reason, code=refused.code,
                        due_at=decision.at)  # fmt: skip
    return _outcome(handed, pump, decision.status, "refused", reason=decision.reason, code=refused.code)


def _outcome(handed: Handed, pump: Pump, status: Status, word: str, **more: Any) -> Outcome:
    message = handed.due.message
    return Outcome(message.id, message.clinic_id, handed.parcel.attempt_id, status, word, pump.clock(), **more)


def _land(pump: Pump, landed: Sequence[tuple[Handed, Future[Outcome]]], tally: Tally) -> None:
    """Record a batch, and keep trying while the database is away: what carriers said must not be forgotten.

    If it stays away longer than the lease, the rows become doubtful and callbacks or the carrier's list settle them.
    """
    outcomes = [future.result() for _, future in landed]
    give_up = time.monotonic() + pump.lease
    while True:
        try:
            _record(pump, landed, outcomes)
            break
        except OperationalError as error:
            if time.monotonic() > give_up:
                raise
            log.warning("database away, outcomes wait", count=len(outcomes), error=type(error).__name__)
            time.sleep(1)
    tally.counts.update(outcome.status.value for outcome in outcomes)


def _record(pump: Pump, landed: Sequence[tuple[Handed, Future[Outcome]]], outcomes: Sequence[Outcome]) -> None:
    with pump.sessions.begin() as session:
        record(session, outcomes)
        for (handed, _), outcome in zip(landed, outcomes, strict=True):
            if handed.due.message.step == REQUEST and outcome.status in (Status.ACCEPTED, Status.SENT):
                agree.asked(session, handed.due.message, handed.parcel, outcome.at)
            if outcome.reason is Reason.UNSUBSCRIBED_AT_CARRIER and handed.due.message.address_id:
                withdraw.stop(session, handed.due.message.address_id, method="carrier",
                              evidence=str(outcome.attempt_id), now=outcome.at)  # fmt: skip
