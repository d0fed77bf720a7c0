"""Statements over whole batches, written as PostgreSQL reads them: arrays in, tuples out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from outreach.store.volley import Volley

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
        if volley := _volley(driver):
            return [told.rows for told in volley.fire(asks)]
        if len(asks) == 1:
            return [driver.execute(*asks[0], binary=True).fetchall()]
        with driver.pipeline():  # left before the rows are read: reading them inside would be a round trip more
            cursors = [driver.execute(statement, values, binary=True) for statement, values in asks]
        return [cursor.fetchall() for cursor in cursors]


def together_last(session: Session, *asks: Ask) -> list[Sequence[Any]]:
    """The same as the last thing of the transaction: on a desk's connection in one round trip with its end."""
    if volley := _volley(_driver(session)):
        with _ours(asks[0].statement):
            return [told.rows for told in volley.fire_and_commit(asks)]
    return together(session, *asks)


def fetch(session: Session, statement: str, **values: object) -> Sequence[Any]:
    """Run one statement with `%(name)b` places (binary, so that lists of ids need no text) and return its rows.

    It goes to the driver at once: what a batch costs is decided here, and a statement built of expressions costs more
    than the hundred rows it touches. A database that is away is SQLAlchemy's OperationalError, as everywhere.
    """
    driver = _driver(session)
    with _ours(statement):
        if volley := _volley(driver):
            return volley.fire([(statement, values)])[0].rows
        return driver.execute(statement, values, binary=True).fetchall()


def run(session: Session, statement: str, **values: object) -> int:
    """The same without rows; returns how many were touched."""
    driver = _driver(session)
    with _ours(statement):
        if volley := _volley(driver):
            return volley.fire([(statement, values)])[0].touched
        return driver.execute(statement, values).rowcount


def run_by_commit(session: Session, statement: str, **values: object) -> None:
    """Run it before the transaction ends; on a desk's connection in one round trip with the commit."""
    if volley := _volley(_driver(session)):
        volley.load(statement, values)
    else:
        run(session, statement, **values)


def commit(session: Session) -> None:
    """For the edge that owns the transaction: commit on a desk's connection (the session's own commit then finds
    nothing left to do)."""
    session.flush()
    if volley := _volley(_driver(session)):
        with _ours("COMMIT"):
            volley.commit()


@contextmanager
def _ours(statement: str) -> Iterator[None]:
    """The driver's word for a database that is away, or for what cannot be beside what is there, as SQLAlchemy's,
    without the values."""
    try:
        yield
    except AWAY as error:
        raise OperationalError(statement, None, error, hide_parameters=True) from error
    except psycopg.IntegrityError as error:
        raise IntegrityError(statement, None, error, hide_parameters=True) from error


def _driver(session: Session) -> psycopg.Connection[Any]:
    return session.connection().connection.driver_connection  # type: ignore[return-value]


def _volley(driver: psycopg.Connection[Any]) -> Volley | None:
    return vars(driver).get("volley")


# A worker that hangs in the middle of a transaction must not keep its rows locked, out of sight of recover, for ever.
_BY_INDEX = (
    "set idle_in_transaction_session_timeout = '30s'; set plan_cache_mode = force_generic_plan; "
    "set enable_seqscan = off; set enable_mergejoin = off; set enable_bitmapscan = off"
)
_ONE_BY_ONE = "; set enable_hashjoin = off"
_PLAN_ANEW = "; discard plans"
PREPARED_AFTER = 5
"""How often the driver is asked for a statement until it has it prepared: its own default."""


def by_index(connection: Connection, *, joins_batches: bool = False) -> None:
    """On this connection a batch of a hundred goes by index, whatever the statistics say of tables this size.

    Without it the server may plan to read a whole table for the hundred, and keep that plan while the table grows.
    `joins_batches`: some statements join what they made themselves, for which a hash is right. Ends with `as_before`.
    """
    with connection.begin():
        connection.exec_driver_sql(_BY_INDEX + ("" if joins_batches else _ONE_BY_ONE) + _PLAN_ANEW)
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    driver.execute("select")
    psycopg.Connection.rollback(driver)  # the driver's own, which forgets what was prepared here: see Volley
    driver.prepare_threshold = None
    vars(driver)["volley"] = Volley(driver)


def as_before(connection: Connection) -> None:
    """Make a connection fit for the pool again; one that is not, after a fault, is dropped by it."""
    try:
        driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
        volley: Volley | None = vars(driver).pop("volley", None)
        driver.prepare_threshold = PREPARED_AFTER
        with connection.begin():
            connection.exec_driver_sql("reset all" + (volley.forgetting if volley else ""))
    except DBAPIError:  # away, or after a fault in which the driver made it forget what was prepared
        connection.invalidate()
