"""The way to the database: connections whose end is noticed, also when it comes without a word."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import generators
from psycopg.abc import RV, PQGen
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import Engine, create_engine, event, make_url

from outreach.store.aside import give_up

ENDS_KNOWN: Mapping[str, int] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""libpq's settings (seconds, the last in milliseconds): a machine that has gone is noticed within half a minute. What a
database's URL says of them itself, counts."""

AT_REST = 5.0
"""Seconds that a connection of the pool has for the question whether it is still alive."""

LONGEST = 1800.0
"""Seconds that any one statement has: a page or a task that waits longer waits for nobody. See also actions.desk."""


class Kept(psycopg.Connection[Any]):
    """Gives up waiting for an answer (see store.aside.give_up), and lets the server remember what it has prepared."""

    patience = AT_REST

    def rollback(self) -> None:
        """The driver's own makes the server forget every prepared statement, for a table might be gone with what was
        undone. Ours makes none; and whoever only reads ends with a rollback: each page would be planned anew."""
        if self.pgconn.transaction_status != TransactionStatus.INTRANS or self.pgconn.pipeline_status:
            super().rollback()
            return
        with self.lock:
            self.pgconn.send_query(b"ROLLBACK")
            result = self.wait(generators.execute(self.pgconn))[-1]
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result)

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        if timeout is not None:  # whoever says how long knows what to do then
            return super().wait(gen, interval, timeout)
        begun = time.monotonic()
        try:
            return super().wait(gen, interval, self.patience)
        except psycopg.OperationalError:
            give_up(self, begun, self.patience)
            raise


def reach(url: str) -> Engine:
    """The engine of one process."""
    target = make_url(url)
    settings = {name: value for name, value in ENDS_KNOWN.items() if name not in target.query}
    engine = create_engine(
        target, pool_pre_ping=True, hide_parameters=True, pool_size=5, max_overflow=10, connect_args=settings
    )

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, args: Any, named: Any) -> Kept:
        return Kept.connect(*args, **named)

    @event.listens_for(engine, "checkout")
    def lend(driver: Kept, _record: Any, _lent: Any) -> None:
        driver.patience = LONGEST

    @event.listens_for(engine, "checkin")
    def take_back(driver: Kept | None, _record: Any) -> None:
        if driver is not None:
            driver.patience = AT_REST

    return engine
