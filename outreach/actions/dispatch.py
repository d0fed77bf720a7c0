"""The pump: claim due messages, hand them over concurrently on one event loop, record in batches, until told to stop.

No transaction is open while the network is slow, and no message is begun that its lease may not outlive. While the
database answers (books) the loop goes on posting: all of it happens on one thread.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import uvloop
from sqlalchemy.orm import Session, sessionmaker

from outreach.actions.books import Claimer, Recorder
from outreach.actions.carry import carry, not_begun
from outreach.actions.lanes import Lanes
from outreach.actions.prepare import Handed, Sources
from outreach.actions.slots import Slots
from outreach.actions.speak import Speakers
from outreach.actions.timekeeper import Timekeeper
from outreach.collector import calm
from outreach.content.lexicon import Lexicon
from outreach.domain.channel import Channel
from outreach.domain.law import Law
from outreach.domain.sequence import Sequence as Steps
from outreach.providers.base import Provider, ticks
from outreach.store.aside import stepping_aside, until
from outreach.store.due import Due
from outreach.store.queue import Outcome
from outreach.store.turns import Ahead

FLUSH = 0.1
"""Seconds an outcome waits at most for others to be recorded with it."""
RIPE = 2
"""What has landed is written down when it fills this part of the window, or FLUSH is over."""
FRESH = 5.0
"""Seconds for which the last look counts: a process that was frozen after it may not know of a STOP."""
BUNCH = 16
"""Messages begun in one piece; then answers that came in are read."""


@dataclass(frozen=True)
class Pump:
    """What draining needs. `timeout`: seconds a carrier may take to answer; `lease` must be longer than it.

    `providers` by the carrier's name; `window`, `mail_window`: messages in flight at once; `poll`: seconds between two
    looks for due messages; `ahead`: how far our clock may run before the database's.
    """

    sessions: sessionmaker[Session]
    providers: Mapping[str, Provider]
    lexicon: Lexicon
    sequences: Mapping[str, Steps]
    public_url: str
    clock: Callable[[], datetime]
    window: int = 32
    mail_window: int = 8
    timeout: float = 10.0
    lease: float = 60.0
    poll: float = 0.1
    ahead: Ahead = Ahead()  # noqa: RUF009  immutable
    laws: Mapping[str, Law] = field(default_factory=dict)
    speakers: Speakers = field(default_factory=Speakers)

    def room(self, channel: Channel) -> int:
        """How many messages of a channel may be in flight."""
        return self.window if channel is Channel.SMS else self.mail_window

    def sources(self) -> Sources:
        """For one claim: it says everything in the same words, the next one in those that are in use by then."""
        words, carriers = self.lexicon.words, frozenset(self.providers)
        return Sources(words, self.sequences, self.public_url, carriers, self.laws, self.speakers)


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
    with calm(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(shift.work())


class _Shift:
    """One drain at work: what is in the air, and what waits to be recorded."""

    def __init__(self, pump: Pump, stop_at: float, linger: bool, stop: threading.Event) -> None:
        clock = Timekeeper(pump.clock, pump.ahead.seconds)
        self.pump, self.stop_at, self.linger, self.stop = replace(pump, clock=clock), stop_at, linger, stop
        self.lanes = Lanes({provider.channel for provider in pump.providers.values()}, pump.poll)
        self.slots = Slots({channel: pump.room(channel) for channel in Channel})
        self.claimer = Claimer(
            pump.sessions, pump.sources, self.lanes, clock, pump.lease, pump.timeout, pump.ahead, self.slots.free
        )  # fmt: skip
        self.recorder = Recorder(pump.sessions, pump.lease)
        self.counts: Counter[str] = Counter()
        self.landed: list[tuple[Handed, Outcome]] = []
        self.oldest = 0.0
        self.asking = self.writing = 0
        self.freed, self.came = asyncio.Event(), asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()
        self.fault: Exception | None = None

    async def work(self) -> Tally:
        """Until there is nothing to do, or no time to do it. Claiming and recording go on side by side."""
        try:
            await asyncio.gather(self._claiming(), self._recording())
        finally:
            for provider in self.pump.providers.values():
                await provider.hang_up()
            for desk in (self.claimer, self.recorder):
                await asyncio.to_thread(desk.close)
        if self.fault is not None:
            raise self.fault
        return Tally(self.counts + self.recorder.counts)

    async def _claiming(self) -> None:
        while not self._over():
            now, room = time.monotonic(), self._room()
            look = self.lanes.next_look(now) if room else self.stop_at
            if not room or look > now:
                await until(self.freed, min(look - now, self.pump.poll))
                continue
            self.asking += 1
            try:
                with self.slots.claiming():
                    found = await stepping_aside(self.claimer.claim, room)
            except Exception as error:  # nothing new is begun after it; it is raised when everything has landed
                self.fault = error
            else:
                self.counts += found.counts
                if found.handed:
                    await self._begin_all(found.handed)
                await self._plan_anew(found.overtaken)
            finally:
                self.asking -= 1
        self.came.set()

    async def _begin_all(self, handed: Sequence[Handed]) -> None:
        """All but those whose patient said no since they were claimed; none, surely, where nobody can tell."""
        try:
            kept = await stepping_aside(self.claimer.last_look, handed)
        except Exception as error:
            self.fault = self.fault or error
            kept = {one.parcel.attempt_id.int: not_begun(one, self.pump.clock()) for one in handed}
        going, fresh_by = [], ticks() + FRESH
        for one in handed:
            if outcome := kept.get(one.parcel.attempt_id.int) if kept else None:
                self._land(one, outcome)
            else:
                going.append(one._replace(begin_by=min(one.begin_by, fresh_by)))
                self.slots.take(one.parcel.channel)
        self._keep(self._begin(going))

    async def _plan_anew(self, overtaken: Sequence[Due]) -> None:
        """After the others were begun: a fault here must not keep what is committed as `sending` on the ground."""
        if not overtaken:
            return
        try:
            await stepping_aside(self.claimer.plan_anew, overtaken)
        except Exception as error:
            self.fault = self.fault or error

    async def _recording(self) -> None:
        while not self._over():
            wait = self.oldest + FLUSH - time.monotonic() if self.landed else self.pump.poll
            if not self.landed or (wait > 0 and not self._ripe()):
                await until(self.came, wait)
                continue
            self.asking += 1
            landed, self.landed = self.landed, []
            self.writing = len(landed)
            fault = await stepping_aside(self.recorder.record, landed)
            self.fault = self.fault or fault
            self.lanes.news()
            self.asking, self.writing = self.asking - 1, 0
        self.freed.set()

    def _over(self) -> bool:
        if self.asking or self.landed or self.slots.in_flight:
            return False
        return self._closing() or not (self.linger or self.lanes.more)

    def _closing(self) -> bool:
        """Nothing new is begun any more."""
        return self.fault is not None or self.stop.is_set() or time.monotonic() >= self.stop_at

    def _room(self) -> dict[Channel, int]:
        """Free places by channel, where enough are free that a claim is worth its price.

        None while more than a window waits to be written down: what carriers say (that a sender is blocked) must be
        known before more is given to them.
        """
        if self._closing() or len(self.landed) + self.writing > self.pump.window:
            return {}
        return self.slots.room(self.lanes.channels)

    def _ripe(self) -> bool:
        """Enough has landed for one transaction, or nothing more is to come."""
        return len(self.landed) * RIPE >= self.pump.window or not self.slots.in_flight

    async def _begin(self, going: Sequence[Handed]) -> None:
        """Bunch by bunch, while the next claim is under way: its answers, and the carrier's, are read in between."""
        for one in range(0, len(going), BUNCH):
            for handed in going[one : one + BUNCH]:
                self._keep(self._fly(handed))
            await asyncio.sleep(0)

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        """Let it run; a task that nobody holds may be collected in the middle of its work."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _fly(self, handed: Handed) -> None:
        """Carry one message. Landings wake others only where they are enough: each would cost as much as a claim."""
        channel = handed.parcel.channel
        try:
            outcome = await carry(self.pump.providers[handed.sender.carrier], handed, self.pump.clock)
        except Exception as error:  # without a clock nothing can be told of it: its lease ends, and it is in doubt
            self.fault = self.fault or error
            self.came.set()
            self.freed.set()
            return
        finally:
            self.slots.give_back(channel)
        self._land(handed, outcome)
        if self.lanes.busy and not self.freed.is_set() and self.slots.worth(channel):
            self.freed.set()

    def _land(self, handed: Handed, outcome: Outcome) -> None:
        if not self.landed:
            self.oldest = time.monotonic()
        self.landed.append((handed, outcome))
        if self._ripe():
            self.came.set()
