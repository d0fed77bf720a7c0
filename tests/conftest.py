"""One PostgreSQL and one Valkey for the whole run, however many processes it has; a database of its own for each test
that commits."""

from __future__ import annotations

import fcntl
import gc
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import redis
from argon2 import PasswordHasher
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from outreach.embedded import Engines
from outreach.settings import ROOT
from outreach.store import staff
from outreach.store.migrate import upgrade
from outreach.store.vault import Vault

VAR = "OUTREACH_TEST_VAR"
# A password costs half a second on purpose, and a thousand tests sign in: here it costs next to nothing. That the real
# cost is argon2's is tested where passwords are (tests/web/test_signin.py).
staff._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
TEMPLATE = "pattern"
LENT = "lent"
_EMPTY = """
DO $$
DECLARE one record; filled boolean;
BEGIN
  -- No triggers: what is append-only goes too. What was said is the same in every test, and stays.
  SET LOCAL session_replication_role = replica;
  FOR one IN SELECT c.oid::regclass AS name FROM pg_class c WHERE c.relkind = 'r'
    AND c.relnamespace = 'public'::regnamespace AND c.relname NOT IN ('alembic_version', 'said')
  LOOP
    EXECUTE format('SELECT exists (SELECT FROM %s)', one.name) INTO filled;
    IF filled THEN EXECUTE format('DELETE FROM %s', one.name); END IF;
  END LOOP;
  PERFORM setval(s.oid::regclass, 1, false) FROM pg_class s WHERE s.relkind = 'S'
    AND s.relnamespace = 'public'::regnamespace AND s.relname <> 'said_id_seq';
END $$
"""


def pytest_configure(config: pytest.Config) -> None:
    """The first process makes the folder, those of xdist inherit its name. No setting of the machine counts."""
    if hasattr(config, "workerinput"):
        return
    for name in [name for name in os.environ if name.startswith("OUTREACH_")]:
        del os.environ[name]
    # Else each process of xdist rewrites every test, and each `outreach` that a test starts compiles the whole package.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    folder = Path(tempfile.mkdtemp(prefix="outreach-test-"))
    folder.chmod(0o711)
    os.environ[VAR] = os.environ["TMPDIR"] = str(folder)  # what tests leave in the temporary folder goes with it
    tempfile.tempdir = None


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and VAR in os.environ:
        Engines.discard(Path(os.environ.pop(VAR)))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep a group of tests in one process. pytest-xdist 3.8 notes the group where pytest 9.2 looks no more, and then
    deals groups out like any tests: what they share was set up in every process. tests/test_house.py looks."""
    if not config.getoption("loadgroup", False):
        return
    for item in items:
        mark = item.get_closest_marker("xdist_group")
        if mark is not None and not item.nodeid.endswith(f"@{mark.args[0]}"):
            item._id = item.id.parse(f"{item.nodeid}@{mark.args[0]}")  # type: ignore[attr-defined]


def pytest_collection_finish() -> None:
    """What is there when the tests begin stays: looking through it for garbage again and again is a tenth of a run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """Started by whoever needs them first, stopped by the last one out."""
    running = Engines.start(Path(os.environ[VAR]), durable=False)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def pattern(engines: Engines) -> str:
    """The name of a migrated, empty database that others are copied from; made once for the whole run."""
    with (engines.var / "pattern.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with _administrator(engines) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (TEMPLATE,)).fetchone()
        if known is None:
            with _database(engines, None) as url:
                upgrade(url)
                name = url.rpartition("/")[2]
                with _administrator(engines) as connection:
                    connection.execute(f"ALTER DATABASE {name} RENAME TO {TEMPLATE}".encode())
    return TEMPLATE


@pytest.fixture(scope="session")
def database_url(engines: Engines, pattern: str) -> Iterator[str]:
    """A migrated database of this process; leave it as you found it (`session` does)."""
    with _database(engines, pattern) as url:
        yield url


@pytest.fixture(scope="session")
def _lent_database_url(engines: Engines, pattern: str) -> Iterator[str]:
    with _database(engines, pattern) as url:
        yield url


@pytest.fixture(scope="session")
def _empty(engines: Engines, _lent_database_url: str) -> Iterator[Callable[[], None]]:
    """Empties the lent database over one connection that stays: a new one costs ten times what emptying does. Those of
    the lent engine stay too, unless a test left something open or a temporary table."""
    name = _lent_database_url.rpartition("/")[2]
    others = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()
        AND NOT (application_name = %s AND state = 'idle'
                 AND NOT exists (SELECT FROM pg_class WHERE relpersistence = 't'))"""
    with ExitStack() as stack:
        kept: list[psycopg.Connection] = []

        def empty() -> None:
            if not kept:
                kept.append(stack.enter_context(_administrator(engines, name)))
            kept[-1].execute(others, (name, LENT))
            kept[-1].execute(_EMPTY.encode())

        def surely() -> None:
            try:
                empty()
            except psycopg.OperationalError:  # a test cut all connections, this one too
                kept.pop().close()
                empty()

        yield surely


@pytest.fixture
def fresh_database_url(_lent_database_url: str, _empty: Callable[[], None]) -> Iterator[str]:
    """A migrated, empty database that this test has for itself; emptied after it, which is far cheaper than making a
    new one."""
    yield _lent_database_url
    _empty()


@pytest.fixture(scope="session")
def lasting_database_url(engines: Engines, pattern: str) -> Iterator[str]:
    """A migrated, empty database of this process, for what is started once and commits: the site of the browser."""
    with _database(engines, pattern) as url:
        yield url


@pytest.fixture
def bare_database_url(engines: Engines) -> Iterator[str]:
    """An empty database without any table, of this one test."""
    with _database(engines, None) as url:
        yield url


@pytest.fixture(scope="session")
def _lent_engine(_lent_database_url: str) -> Iterator[Engine]:
    """One for all tests: a new one compiles every statement anew, and a new connection reads every table's shape."""
    made = create_engine(_lent_database_url, connect_args={"application_name": LENT})
    yield made
    made.dispose()


@pytest.fixture
def engine(fresh_database_url: str, _lent_engine: Engine) -> Engine:
    """For tests that need real commits and several connections."""
    with suppress(OperationalError), _lent_engine.connect() as connection:  # a test before may have cut all of them:
        connection.exec_driver_sql("select 1")  # then the pool learns it here, and makes new ones
    return _lent_engine


@pytest.fixture(scope="session")
def _shared_engine(database_url: str) -> Iterator[Engine]:
    made = create_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture
def session(_shared_engine: Engine, vault: Vault) -> Iterator[Session]:
    """A session with a vault; whatever the test commits is rolled back after it."""
    with _shared_engine.connect() as connection:
        transaction = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint", info={"vault": vault}) as made:
            yield made
        transaction.rollback()


@pytest.fixture(scope="session")
def vault() -> Vault:
    return Vault(bytes(range(32)))


@pytest.fixture
def redis_url(engines: Engines) -> str:
    """An empty Valkey database of this process."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    url = f"{engines.redis_url.rpartition('/')[0]}/{number}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """A file of the collection beside the repository: skips, saying so, where it is absent; fails in CI."""

    def find(name: str) -> Path:
        path = ROOT.parent / "shared" / name
        if not path.exists():
            if os.environ.get("CI"):
                pytest.fail(f"../shared/{name} is missing, and CI must have it")
            pytest.skip(f"needs ../shared/{name}, which is not beside this clone")
        return path

    return find


@contextmanager
def _administrator(engines: Engines, database: str = "postgres") -> Iterator[psycopg.Connection]:
    url = f"{engines.database_url.replace('+psycopg', '').rpartition('/')[0]}/{database}"
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@contextmanager
def _database(engines: Engines, pattern: str | None) -> Iterator[str]:
    """A database for a while, copied from `pattern`."""
    name = f"test_{uuid4().hex}"
    with _administrator(engines) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {pattern or 'template0'}".encode())
    try:
        yield f"{engines.database_url.rpartition('/')[0]}/{name}"
    finally:
        with _administrator(engines) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
