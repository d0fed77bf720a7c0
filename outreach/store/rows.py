"""Statements over whole batches, written as PostgreSQL reads them: arrays in, tuples out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session


def fetch(session: Session, statement: str, **values: object) -> Sequence[Any]:
    """Run one statement with `%(name)b` places (binary, so that lists of ids need no text) and return its rows.

    Faults come as SQLAlchemy's own. What a batch costs is decided here: a statement built by expressions costs more
    than the hundred rows it touches.
    """
    return session.connection().exec_driver_sql(statement, values).all()


_BY_INDEX = """
select set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
  set_config('enable_mergejoin', 'off', true), set_config('enable_bitmapscan', 'off', true)
"""


def by_index(session: Session) -> None:
    """For this transaction: a batch of a hundred goes by index, whatever the statistics say of tables this size.

    Without it the server may plan to read a whole table for the hundred, and keep that plan while the table grows.
    """
    session.connection().exec_driver_sql(_BY_INDEX)


def run(session: Session, statement: str, **values: object) -> int:
    """The same without rows; returns how many were touched."""
    return session.connection().exec_driver_sql(statement, values).rowcount
