"""A kept connection, for whoever asks the database all the time in batches: claiming, recording, hearing receipts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session, sessionmaker

from outreach.store.aside import apart, considerate
from outreach.store.rows import as_before, by_index, commit

CLOSING = 5.0
"""Seconds that a connection has to be made fit for the pool again; else it is closed."""


class Desk:
    """Taking a connection from the pool for each transaction would ask it first whether it is alive.

    `joins_batches`: see store.rows.by_index; `patience`: seconds after which a silent database is given up.
    """

    def __init__(
        self, sessions: sessionmaker[Session], engine: Engine, *, joins_batches: bool = False, patience: float = 30.0
    ) -> None:
        self._sessions, self._engine, self._joins_batches, self._patience = sessions, engine, joins_batches, patience
        self._connection: Connection | None = None
        self._hurry: Callable[[], object] = bool

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction over it; after any fault the next begins with a fresh one."""
        if self._connection is None:
            self._connection = apart(self._connect)
        try:
            with self._sessions(bind=self._connection) as session, session.begin():
                yield session
                commit(session)
        except BaseException:
            apart(self.close)
            raise

    def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            if not connection.invalidated:
                self._hurry = considerate(connection, min(self._patience, CLOSING))
                as_before(connection)
            self._hurry()
            connection.close()

    def _connect(self) -> Connection:
        connection = self._engine.connect()
        self._hurry = considerate(connection, self._patience)
        try:
            by_index(connection, joins_batches=self._joins_batches)
        except BaseException:
            self._hurry()
            connection.invalidate()
            connection.close()
            raise
        return connection
