"""Volleys: several statements to the server in one write, on a connection that is kept for the work of one desk.

The driver's own pipeline writes each statement by itself, asks the socket before each, and builds a cursor for it; for
batches of a hundred rows that cost more than reading the rows.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
from psycopg import abc, generators
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGresult

_PLACE = re.compile(r"%\((\w+)\)([bs])|%%")
_numbers = itertools.count()
_FORMATS = {"b": PyFormat.BINARY, "s": PyFormat.AUTO}
_Key = tuple[bytes, tuple[int, ...]]
_COMMIT: tuple[str, Mapping[str, object]] = ("COMMIT", {})


class Told(NamedTuple):
    """What one statement said: its rows, and how many rows it touched."""

    rows: Sequence[Any]
    touched: int


class _Text(NamedTuple):
    """A statement as the server reads it ($1, $2, ...), and the names and formats of its places."""

    text: bytes
    names: tuple[str, ...]
    formats: tuple[PyFormat, ...]


class Volley:
    """One connection's way of asking. Its statements are prepared once each, under names of our own: a savepoint that
    is rolled back makes the driver forget all prepared ones, so there must be none on such a connection."""

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        self._driver = driver
        self._names: dict[_Key, bytes] = {}
        """Just what the server has prepared: what is forgotten too early stays on a pooled connection for good."""
        self._waiting: list[tuple[str, Mapping[str, object]]] = []

    @property
    def forgetting(self) -> str:
        """What makes the server forget the prepared statements, to be put behind another statement."""
        return "".join(f"; deallocate {name.decode()}" for name in self._names.values())

    def fire(self, asks: Sequence[tuple[str, Mapping[str, object]]]) -> list[Told]:
        """Ask all in one round trip, in the connection's transaction. Each sees what the one before it did.

        Raises what the driver would; what came after a statement that failed was not done.
        """
        before, self._waiting = self._waiting, []
        made = [self._made(statement, values) for statement, values in (*before, *asks)]  # the pipeline is empty yet
        with self._driver.lock:
            return self._driver.wait(self._round(made))[len(before) :]

    def fire_and_commit(self, asks: Sequence[tuple[str, Mapping[str, object]]]) -> list[Told]:
        """Ask all and commit, in one round trip: if one fails, nothing is committed."""
        return self.fire([*asks, _COMMIT])[:-1]

    def load(self, statement: str, values: Mapping[str, object]) -> None:
        """Ask it with the next volley, the commit at the latest: what must be right of it, it must see to itself."""
        self._waiting.append((statement, values))

    def commit(self) -> None:
        """Commit, with what still waits in the same round trip: if that fails, nothing is committed."""
        if self._driver.pgconn.transaction_status == TransactionStatus.INERROR:
            # The server would answer COMMIT with ROLLBACK, and no error.
            raise psycopg.errors.InFailedSqlTransaction("nothing can be committed: a statement failed before")
        if self._waiting or self._driver.pgconn.transaction_status != TransactionStatus.IDLE:
            self.fire([_COMMIT])

    def _made(self, statement: str, values: Mapping[str, object]) -> tuple[_Text, Sequence[Any], abc.Transformer]:
        text = _text(statement)
        dumping: abc.Transformer = Transformer(self._driver)
        return text, dumping.dump_sequence([values[name] for name in text.names], text.formats), dumping

    def _round(self, made: Sequence[tuple[_Text, Sequence[Any], abc.Transformer]]) -> PQGen[list[Told]]:
        pgconn = self._driver.pgconn
        begin = pgconn.transaction_status == TransactionStatus.IDLE and not self._driver.autocommit
        pgconn.enter_pipeline_mode()
        try:
            if begin:
                pgconn.send_query_params(self._begin(), None)
            answers: list[_Key | bool] = [True] if begin else []
            for text, values, dumping in made:
                key = text.text, dumping.types or ()
                if (name := self._names.get(key)) is None:
                    name = self._names[key] = b"volley_%d" % next(_numbers)
                    pgconn.send_prepare(name, text.text, dumping.types)
                    answers.append(key)
                pgconn.send_query_prepared(name, values, dumping.formats, result_format=Format.BINARY)
                answers.append(False)
            pgconn.pipeline_sync()
            yield from generators.send(pgconn)
            results: list[PGresult] = []
            for passing in answers:
                found = yield from generators.fetch_many(pgconn)
                if passing and found[-1].status == ExecStatus.COMMAND_OK:
                    continue
                results += found
                if isinstance(passing, tuple):  # not prepared; what was, stays prepared whatever failed after it
                    del self._names[passing]
            yield from generators.fetch_many(pgconn)  # the end of the pipeline
        finally:
            if pgconn.status == ConnStatus.OK:
                pgconn.exit_pipeline_mode()
        _raise(results)
        return [_told(result, dumping) for result, (_, _, dumping) in zip(results, made, strict=True)]

    def _begin(self) -> bytes:
        level = self._driver.isolation_level
        return b"BEGIN" if level is None else b"BEGIN ISOLATION LEVEL " + level.name.replace("_", " ").encode()


def _raise(results: Sequence[PGresult]) -> None:
    for result in results:
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result)


def _told(result: PGresult, loading: abc.Transformer) -> Told:
    rows: Sequence[Any] = ()
    if result.status == ExecStatus.TUPLES_OK:
        loading.set_pgresult(result)
        rows = loading.load_rows(0, result.ntuples, tuple)
    return Told(rows, result.command_tuples or 0)


@lru_cache(256)
def _text(statement: str) -> _Text:
    names: dict[str, PyFormat] = {}

    def place(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        names.setdefault(found[1], _FORMATS[found[2]])
        return f"${list(names).index(found[1]) + 1}"

    return _Text(_PLACE.sub(place, statement).encode(), tuple(names), tuple(names.values()))
