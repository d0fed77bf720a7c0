"""Statements over whole batches, written as PostgreSQL reads them: arrays in, tuples out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

AWAY = (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction)
"""The database is not there for us just now; after a failover an old primary may still answer, and refuse to write."""


class Ask(NamedTuple):
    """One statement with its values, to be asked together with others."""

    statement: str
    values: Mapping[str, object]


def together(session: Session, *asks: Ask) -> list[Sequence[Any]]:
    """Ask several things in one round trip; their rows, in order. Each sees what the one before it did and locked."""
    driver = _driver(session)
    with _ours(asks[0].statement):
        with driver.pipeline():  # left before the rows are read: reading them inside would be a round trip more
            cursors = [driver.execute(statement, values, binary=True) for statement, values in asks]
        return [cursor.fetchall() for cursor in cursors]


def fetch(session: Session, statement: str, **values: object) -> Sequence[Any]:
    """Run one statement with `%(name)b` places (binary, so that lists of ids need no text) and return its rows.

    It goes to the driver at once: what a batch costs is decided here, and a statement built of expressions costs more
    than the hundred rows it touches. A database that is away is SQLAlchemy's OperationalError, as everywhere.
    """
    with _ours(statement):
        return _driver(session).execute(statement, values, binary=True).fetchall()


def run(session: Session, statement: str, **values: object) -> int:
    """The same without rows; returns how many were touched."""
    with _ours(statement):
        return _driver(session).execute(statement, values).rowcount


@contextmanager
def _ours(statement: str) -> Iterator[None]:
    """The driver's word for a database that is away, as SQLAlchemy's, without the values."""
    try:
        yield
    except AWAY as error:
        raise OperationalError(statement, None, error, hide_parameters=True) from error


def _driver(session: Session) -> psycopg.Connection[Any]:
    return session.connection().connection.driver_connection  # type: ignore[return-value]


# A worker that hangs in the middle of a transaction must not keep its rows locked, out of sight of recover, for ever.
_BY_INDEX = (
    "set idle_in_transaction_session_timeout = '30s'; set plan_cache_mode = force_generic_plan; "
    "set enable_seqscan = off; set enable_mergejoin = off; set enable_bitmapscan = off"
)
_ONE_BY_ONE = "; set enable_hashjoin = off"
_PLAN_ANEW = "; discard plans"


def by_index(connection: Connection, *, joins_batches: bool = False) -> None:
    """On this connection a batch of a hundred goes by index, whatever the statistics say of tables this size.

    Without it the server may plan to read a whole table for the hundred, and keep that plan while the table grows.
    `joins_batches`: some statements join what they made themselves, for which a hash is right. Ends with `as_before`.
    """
    with connection.begin():
        connection.exec_driver_sql(_BY_INDEX + ("" if joins_batches else _ONE_BY_ONE) + _PLAN_ANEW)


def as_before(connection: Connection) -> None:
    """Make a connection fit for the pool again; one that is broken stays broken, and the pool finds out."""
    try:
        with connection.begin():
            connection.exec_driver_sql("reset all")
    except OperationalError:
        connection.invalidate()
