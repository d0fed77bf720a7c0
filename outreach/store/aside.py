"""Stepping aside: who waits for the database on an event loop's own thread lets the loop go on meanwhile.

A thread for it would fight the loop for the interpreter's lock, a sixth of the pump's CPU (docs/decisions). Outside of
`stepping_aside` everything here simply blocks, as in a thread. Nobody waits without end, however.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg.waiting import wait_async
from sqlalchemy import Connection
from sqlalchemy.util.concurrency import await_, greenlet_spawn, in_greenlet

A = TypeVar("A")
R = TypeVar("R")
LOOK = 5.0
"""Seconds after which a connection that waits looks whether its socket is still there."""


async def stepping_aside(work: Callable[[A], R], what: A) -> R:
    """Do plain blocking work on the loop's thread; while it waits over a `considerate` connection the loop goes on."""
    return await greenlet_spawn(work, what)


def considerate(connection: Connection, patience: float) -> Callable[[], object]:
    """From now on this connection steps aside where it waits; call what is returned before it goes back to the pool.

    After `patience` seconds without an answer it is closed: see `give_up`.
    """
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    plain = driver.wait

    def wait(generator: Any, *args: Any, **named: Any) -> Any:
        begun = time.monotonic()
        try:
            if not in_greenlet():
                return plain(generator, *args, **({"timeout": patience} | named))
            return await_(wait_async(generator, driver.pgconn.socket, LOOK, patience))
        except psycopg.OperationalError:
            give_up(driver, begun, patience)
            raise

    vars(driver)["wait"] = wait
    return lambda: vars(driver).pop("wait", None)


def give_up(driver: psycopg.Connection[Any], begun: float, patience: float) -> None:
    """After a fault: close a connection that was waited for as long as there is patience (psycopg stops waiting then).

    Its answer would come to a question that nobody asks any more. What was asked may have been done; if it was the
    commit, all of it. A proxy that passes nothing on any more acknowledges what it gets, so no setting of TCP notices.
    """
    if time.monotonic() - begun >= patience:
        driver.close()


def apart(work: Callable[[], R]) -> R:
    """What can only block (connecting) is done by a thread, while the loop goes on."""
    return await_(asyncio.get_running_loop().run_in_executor(None, work)) if in_greenlet() else work()


def breathe() -> None:
    """Let the loop do what is ready meanwhile: long work in one piece keeps every answer waiting that has come in."""
    if in_greenlet():
        await_(asyncio.sleep(0))


def rest(seconds: float) -> None:
    """Wait, and let the loop go on."""
    if in_greenlet():
        await_(asyncio.sleep(seconds))
    else:
        time.sleep(seconds)


async def until(event: asyncio.Event, seconds: float) -> None:
    """Until the event, or so many seconds; a timer instead of a task of its own."""
    event.clear()
    timer = asyncio.get_running_loop().call_later(max(seconds, 0.001), event.set)
    await event.wait()
    timer.cancel()
