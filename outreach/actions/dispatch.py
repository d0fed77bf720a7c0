"""The pump: claim due messages, hand them over concurrently on one event loop, record in batches, until told to stop.

No transaction is open while the network is slow, and no message is begun that its lease may not outlive. The database
is asked by one thread, while the loop goes on posting.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import structlog
import uvloop
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from outreach.actions.claim import Claim, Handed, Sources, claim
from outreach.actions.land import land
from outreach.actions.lanes import Lanes
from outreach.actions.timekeeper import Timekeeper
from outreach.content.compose import Words
from outreach.domain.channel import Channel
from outreach.domain.retry import Retry, after_refusal
from outreach.domain.sequence import Sequence as Steps
from outreach.domain.status import Status
from outreach.errors import Reason, Refused, Uncertain
from outreach.providers.base import LATE, Provider, ticks
from outreach.store.queue import Outcome
from outreach.store.turns import Ahead

log = structlog.get_logger()

FLUSH = 0.1
"""Seconds an outcome waits at most for others to be recorded with it."""
REFILL = 4
"""A claim is made when this part of the window (one in so many) is free: smaller claims cost more each."""


@dataclass(frozen=True)
class Pump:
    """What draining needs. `timeout`: seconds a carrier may take to answer; `lease` must be longer than it.

    `providers` by the carrier's name; `window`, `mail_window`: messages in flight at once; `poll`: seconds between two
    looks for due messages; `ahead`: how far our clock may run before the database's.
    """

    sessions: sessionmaker[Session]
    providers: Mapping[str, Provider]
    words: Words
    sequences: Mapping[str, Steps]
    public_url: str
    clock: Callable[[], datetime]
    window: int = 32
    mail_window: int = 8
    timeout: float = 10.0
    lease: float = 60.0
    poll: float = 0.1
    ahead: Ahead = Ahead()  # noqa: RUF009  immutable

    def room(self, channel: Channel) -> int:
        """How many messages of a channel may be in flight."""
        return self.window if channel is Channel.SMS else self.mail_window


@dataclass
class Tally:
    """What one drain did, by word."""

    counts: Counter[str] = field(default_factory=Counter)

    @property
    def handled(self) -> int:
        return self.counts.total()


def drain(pump: Pump, seconds: float = 50.0, linger: bool = False, stop: threading.Event | None = None) -> Tally:
    """Send until nothing is due or `seconds` are over; with `linger` wait for more until they are.

    Whatever was begun is finished and recorded, also after `stop` is set. OperationalError: the database went away;
    what was in the air has been landed as far as its leases allowed.
    """
    shift = _Shift(pump, time.monotonic() + seconds, linger, stop or threading.Event())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(shift.work())


class _Shift:
    """One drain at work: what is in the air, what waits to be recorded, and what is known of the lanes."""

    def __init__(self, pump: Pump, stop_at: float, linger: bool, stop: threading.Event) -> None:
        self.time = Timekeeper(pump.clock, pump.ahead.seconds)
        self.pump, self.stop_at, self.linger, self.stop = replace(pump, clock=self.time), stop_at, linger, stop
        self.sources = Sources(pump.words, pump.sequences, pump.public_url, frozenset(pump.providers))
        self.lanes = Lanes({provider.channel for provider in pump.providers.values()}, pump.poll)
        self.tally = Tally()
        self.flying: Counter[Channel] = Counter()
        self.patients: set[UUID] = set()
        self.landed: list[tuple[Handed, Outcome]] = []
        self.oldest = 0.0
        self.changed = asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()
        self.away: Exception | None = None
        self.connection: Connection | None = None

    async def work(self) -> Tally:
        """Until there is nothing to do, or no time to do it."""
        with ThreadPoolExecutor(1, thread_name_prefix="database") as database:
            loop = asyncio.get_running_loop()
            try:
                while not self._over():
                    landed, self.landed = self.landed, []
                    if landed or self._may_claim():
                        found = await loop.run_in_executor(database, self._turn, landed)
                        for one in found:
                            self._begin(one)
                    await self._rest()
            finally:
                for provider in self.pump.providers.values():
                    await provider.hang_up()
                await loop.run_in_executor(database, self._hang_up)
        if self.away is not None:
            raise self.away
        return self.tally

    def _over(self) -> bool:
        if self.tasks or self.landed:
            return False
        return self._closing() or not (self.linger or self.lanes.more)

    def _closing(self) -> bool:
        """Nothing new is begun any more."""
        return self.away is not None or self.stop.is_set() or time.monotonic() >= self.stop_at

    def _may_claim(self) -> bool:
        return not self._closing() and bool(self._room())

    def _room(self) -> dict[Channel, int]:
        """Free places by channel, where enough are free that a claim is worth its price."""
        free = {channel: self.pump.room(channel) - self.flying[channel] for channel in self.lanes.channels}
        return {channel: room for channel, room in free.items() if room * REFILL >= self.pump.room(channel)}

    async def _rest(self) -> None:
        """Until something can be done: places became free, outcomes wait long enough, or it is time to look again."""
        while not self._over():
            now = time.monotonic()
            claiming = self.lanes.next_look(now) if self._may_claim() else self.stop_at
            flushing = self.oldest + FLUSH if self.landed else now + self.pump.poll
            due = min(claiming, flushing) if not self._closing() else flushing
            if due <= now or len(self.landed) * 2 >= self.pump.window:
                return
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), due - now)
            except TimeoutError:
                return

    def _begin(self, handed: Handed) -> None:
        self.flying[handed.parcel.channel] += 1
        self.patients.add(handed.due.message.patient_id)
        task = asyncio.get_running_loop().create_task(self._carry(handed))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _carry(self, handed: Handed) -> None:
        outcome = await _hand_over(self.pump, handed)
        self.flying[handed.parcel.channel] -= 1
        self.patients.discard(handed.due.message.patient_id)
        if not self.landed:
            self.oldest = time.monotonic()
        self.landed.append((handed, outcome))
        self.changed.set()

    # in the database's thread

    def _turn(self, landed: Sequence[tuple[Handed, Outcome]]) -> list[Handed]:
        """Record what came back, then claim what fits. After a fault nothing new is begun; what flies is landed."""
        try:
            if landed:
                self._land(landed)
                self.lanes.more = True
            return self._claim().handed if self._may_claim() else []
        except Exception as error:  # raised again when everything has landed
            self.away = self.away or error
            return []

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        """A transaction over the one connection of this shift: taking one from the pool each time asks it first."""
        if self.connection is None:
            self.connection = self.pump.sessions.kw["bind"].connect()
        try:
            with self.pump.sessions(bind=self.connection) as session, session.begin():
                yield session
        except BaseException:
            self._hang_up()
            raise

    def _hang_up(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def _claim(self) -> Claim:
        pump, room = self.pump, self._room()
        found = Claim()
        with self._transaction() as session:
            self.time.compare(session)
            now = pump.clock()
            self.lanes.look(session, now, pump.ahead)
            wanted = self.lanes.share(room)
            if wanted:
                busy = self.patients | self.lanes.busy_elsewhere()
                found = claim(session, self.sources, wanted, now, lease=pump.lease, timeout=pump.timeout, busy=busy,
                              ahead=pump.ahead)  # fmt: skip
        self.lanes.learn(found, wanted, now)
        self.tally.counts += found.counts
        return found

    def _land(self, landed: Sequence[tuple[Handed, Outcome]]) -> None:
        """Record a batch, and keep trying while the database is away: what carriers said must not be forgotten.

        If it stays away longer than the lease, the rows become doubtful and callbacks or the carrier's list settle
        them.
        """
        if not landed:
            return
        give_up = time.monotonic() + self.pump.lease
        while True:
            try:
                with self._transaction() as session:
                    land(session, landed)
                break
            except OperationalError as error:
                if time.monotonic() > give_up:
                    raise
                log.warning("database away, outcomes wait", count=len(landed), error=type(error).__name__)
                time.sleep(1)
            except Exception as error:  # one that cannot be written must not take the others with it
                attempts = [str(outcome.attempt_id) for _, outcome in landed]
                log.exception("not recorded", attempt=attempts[0], count=len(landed), error=type(error).__name__)
                if len(landed) == 1:
                    return
                for one in landed:
                    self._land([one])
                return
        self.tally.counts.update(outcome.status.value for _, outcome in landed)


async def _hand_over(pump: Pump, handed: Handed) -> Outcome:
    """One call to the carrier; every ending becomes an Outcome."""
    if ticks() > handed.begin_by:
        # Less than a time-out is left on the lease (the machine slept?): another worker may hold it soon. Not begun.
        return _not_begun(handed, pump)
    try:
        accepted = await pump.providers[handed.sender.carrier].send(handed.parcel)
    except Refused as refused:
        if refused.code == LATE:  # it stood in line for a connection: the carrier never heard of it
            return _not_begun(handed, pump)
        return _refused(handed, pump, refused)
    except Uncertain:
        return _outcome(handed, pump, Status.UNKNOWN, "no answer")
    except Exception as error:  # a bug of ours in the middle of a send: it may have left, so it is in doubt, and loud
        log.exception("send failed", attempt=str(handed.parcel.attempt_id), error=type(error).__name__)
        return _outcome(handed, pump, Status.UNKNOWN, "fault")
    return _outcome(handed, pump, accepted.status, "accepted", carrier_id=accepted.carrier_id)


def _not_begun(handed: Handed, pump: Pump) -> Outcome:
    return _outcome(handed, pump, Status.SCHEDULED, "not begun", due_at=pump.clock())


def _refused(handed: Handed, pump: Pump, refused: Refused) -> Outcome:
    message = handed.due.message
    if refused.reason is Reason.UNKNOWN_CODE:
        log.warning("unknown code, treated as final", carrier=handed.sender.carrier, code=refused.code)
    decision = after_refusal(
        refused, message.attempts + 1, pump.clock(), message.useful_until, str(handed.parcel.attempt_id)
    )
    if isinstance(decision, Retry):
        return _outcome(handed, pump, Status.SCHEDULED, "refused", reason=refused.reason, code=refused.code,
                        due_at=decision.at)  # fmt: skip
    return _outcome(handed, pump, decision.status, "refused", reason=decision.reason, code=refused.code)


def _outcome(handed: Handed, pump: Pump, status: Status, word: str, **more: object) -> Outcome:
    message = handed.due.message
    return Outcome(message.id, message.clinic_id, handed.parcel.attempt_id, status, word, pump.clock(), **more)  # type: ignore[arg-type]
