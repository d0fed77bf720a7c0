"""The pump: claim due messages, hand them over concurrently on one event loop, record in batches, until told to stop.

No transaction is open while the network is slow, and no message is begun that its lease may not outlive. The database
is asked by one thread (books), while the loop goes on posting.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

import uvloop
from sqlalchemy.orm import Session, sessionmaker

from outreach.actions.books import Books
from outreach.actions.carry import carry
from outreach.actions.claim import Handed, Sources
from outreach.actions.lanes import Lanes
from outreach.actions.timekeeper import Timekeeper
from outreach.content.compose import Words
from outreach.domain.channel import Channel
from outreach.domain.sequence import Sequence as Steps
from outreach.providers.base import Provider
from outreach.store.queue import Outcome
from outreach.store.turns import Ahead

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
    with _calm_collector(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(shift.work())


@contextmanager
def _calm_collector() -> Iterator[None]:
    """What is alive now stays alive: the collector need not look at it again for every few messages."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


class _Shift:
    """One drain at work: what is in the air, and what waits to be recorded."""

    def __init__(self, pump: Pump, stop_at: float, linger: bool, stop: threading.Event) -> None:
        clock = Timekeeper(pump.clock, pump.ahead.seconds)
        self.pump, self.stop_at, self.linger, self.stop = replace(pump, clock=clock), stop_at, linger, stop
        sources = Sources(pump.words, pump.sequences, pump.public_url, frozenset(pump.providers))
        self.lanes = Lanes({provider.channel for provider in pump.providers.values()}, pump.poll)
        self.books = Books(pump.sessions, sources, self.lanes, clock, pump.lease, pump.timeout, pump.ahead)
        self.flying: Counter[Channel] = Counter()
        self.landed: list[tuple[Handed, Outcome]] = []
        self.oldest = 0.0
        self.changed = asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()

    async def work(self) -> Tally:
        """Until there is nothing to do, or no time to do it."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="database") as database:
            try:
                while not self._over():
                    landed, self.landed = self.landed, []
                    room = self._room()
                    if landed or room:
                        for one in await loop.run_in_executor(database, self.books.turn, landed, room):
                            self._begin(one)
                    await self._rest()
            finally:
                for provider in self.pump.providers.values():
                    await provider.hang_up()
                await loop.run_in_executor(database, self.books.close)
        if self.books.fault is not None:
            raise self.books.fault
        return Tally(self.books.counts)

    def _over(self) -> bool:
        if self.flying.total() or self.landed:
            return False
        return self._closing() or not (self.linger or self.lanes.more)

    def _closing(self) -> bool:
        """Nothing new is begun any more."""
        return self.books.fault is not None or self.stop.is_set() or time.monotonic() >= self.stop_at

    def _room(self) -> dict[Channel, int]:
        """Free places by channel, where enough are free that a claim is worth its price."""
        if self._closing():
            return {}
        return {channel: room for channel in self.lanes.channels if (room := self._worth(channel))}

    def _worth(self, channel: Channel) -> int:
        limit = self.pump.room(channel)
        free = limit - self.flying[channel]
        return free if free * REFILL >= limit else 0

    async def _rest(self) -> None:
        """Until something can be done: places became free, outcomes wait long enough, or it is time to look again.

        Landings wake it only where they are enough for a turn: to be woken by each would cost as much as the turn.
        """
        loop = asyncio.get_running_loop()
        while not self._over():
            now = time.monotonic()
            claiming = self.lanes.next_look(now) if self._room() else self.stop_at
            flushing = self.oldest + FLUSH if self.landed else now + self.pump.poll
            wait = (flushing if self._closing() else min(claiming, flushing)) - now
            if wait <= 0 or len(self.landed) * 2 >= self.pump.window:
                return
            self.changed.clear()
            timer = loop.call_later(wait, self.changed.set)
            await self.changed.wait()
            timer.cancel()

    def _begin(self, handed: Handed) -> None:
        self.flying[handed.parcel.channel] += 1
        task = asyncio.get_running_loop().create_task(self._fly(handed))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _fly(self, handed: Handed) -> None:
        outcome = await carry(self.pump.providers[handed.sender.carrier], handed, self.pump.clock)
        channel = handed.parcel.channel
        self.flying[channel] -= 1
        if not self.landed:
            self.oldest = time.monotonic()
        self.landed.append((handed, outcome))
        ripe = self.lanes.busy and self._worth(channel)
        if ripe or not self.flying[channel] or len(self.landed) * 2 >= self.pump.window:
            self.changed.set()
