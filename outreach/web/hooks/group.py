"""Group commit: what arrives within a few milliseconds is written in one transaction, and each waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from threading import Condition, Thread
from typing import Generic, TypeVar

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoneFree

log = structlog.get_logger()
Item = TypeVar("Item")
Waiting = tuple[Item, "asyncio.Future[None]"]

MOST = 500
WAIT = 0.005
AWAY = (OperationalError, InterfaceError, NoneFree)
"""The database is not there, or blocked: no item is at fault, and the same may go well later."""
SLOW = 3.0
"""Seconds after which a failure is not tried again: the database is silent, and who waits has no time for it. More than
PostgreSQL takes to find a deadlock (1 s)."""
FULL = 5000
"""So many may wait; whoever comes then is told so at once."""
IDLE = 1.0
"""Seconds after which a thread without work ends; the next item starts another."""


class Closed(Exception):
    """Nothing is taken: the application is shutting down, or too many wait already."""


class Group(Generic[Item]):
    """Items of any number of event loops, written by one thread in batches of `MOST` items or `WAIT` seconds.

    `write` commits what it is given, or raises and has written nothing. An OperationalError (a connection that was cut,
    a deadlock) is tried once more. Any other error means that one of the items is at fault: then each is written alone,
    so that it fails alone. Where the database did not answer for SLOW seconds, all who wait are told so; `write` itself
    must end in time, for there is one thread. `rest` lets go of what `write` keeps between batches: after trouble, or
    without a crowd.
    """

    def __init__(self, write: Callable[[Sequence[Item]], object], rest: Callable[[], object]) -> None:
        self._write = write
        self._rest = rest
        self._waiting: list[Waiting[Item]] = []
        self._since = 0.0
        self._changed = Condition()
        self._thread: Thread | None = None
        self._asleep = False
        self._closed = False

    async def add(self, item: Item) -> None:
        """Returns once `item` is committed; raises what kept it from that."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._changed:
            if self._closed or len(self._waiting) >= FULL:
                raise Closed
            if not self._waiting:
                self._since = time.monotonic()
            self._waiting.append((item, future))
            if self._thread is None:
                self._thread = Thread(target=self._run, name="receipts", daemon=True)
                self._thread.start()
            elif self._asleep or len(self._waiting) == MOST:
                self._changed.notify()
        await future

    def close(self) -> None:
        """Write what waits, and take nothing more. Blocks: not for an event loop's own thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while True:
            if batch := self._take():
                begun = time.monotonic()
                errors = self._commit([item for item, _ in batch])
                if isinstance(errors[-1], AWAY) and time.monotonic() - begun > SLOW:
                    batch, errors = self._with_all_others(batch, errors[-1])
                if len(batch) == 1:  # no crowd: nothing is worth keeping for the next one
                    self._rest()
                _tell(batch, errors)
                continue
            self._rest()
            with self._changed:
                if not self._waiting:
                    self._thread = None
                    return

    def _take(self) -> list[Waiting[Item]]:
        """The next batch, once it is full or old enough; none after a while without work."""
        with self._changed:
            if not self._waiting and not self._closed:
                self._asleep = True
                self._changed.wait(IDLE)
                self._asleep = False
            rest = self._since + WAIT - time.monotonic()
            if self._waiting and rest > 0 and not self._closed:
                self._changed.wait_for(lambda: len(self._waiting) >= MOST or self._closed, rest)
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            return batch

    def _with_all_others(
        self, batch: list[Waiting[Item]], error: Exception
    ) -> tuple[list[Waiting[Item]], list[Exception | None]]:
        with self._changed:
            batch, self._waiting = batch + self._waiting, []
        return batch, [error] * len(batch)

    def _commit(self, items: list[Item]) -> list[Exception | None]:
        """Per item: None when it is committed, else why not."""
        try:
            self._twice(items)
        except AWAY as error:
            self._rest()
            return [error] * len(items)
        except Exception as error:
            self._rest()
            if len(items) == 1:
                log.exception("a receipt cannot be kept")
                return [error]
            return [error for item in items for error in self._commit([item])]
        return [None] * len(items)

    def _twice(self, items: list[Item]) -> None:
        begun = time.monotonic()
        try:
            self._write(items)
        except OperationalError:
            if time.monotonic() - begun > SLOW:
                raise
            self._rest()
            self._write(items)


def _tell(batch: Sequence[Waiting[Item]], errors: Sequence[Exception | None]) -> None:
    """Wake who waits, each in its own event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[None], Exception | None]]] = {}
    for (_, future), error in zip(batch, errors, strict=True):
        loops.setdefault(future.get_loop(), []).append((future, error))
    for loop, settled in loops.items():
        try:
            loop.call_soon_threadsafe(_settle, settled)
        except RuntimeError:  # that loop has ended, and with it everybody who asked
            log.warning("nobody waits for a commit", count=len(settled))


def _settle(settled: list[tuple[asyncio.Future[None], Exception | None]]) -> None:
    for future, error in settled:
        if future.done():  # its request was cancelled; the item is kept all the same
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
