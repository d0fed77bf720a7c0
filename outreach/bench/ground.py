"""What is measured on: engines of our own in a folder that goes away, and the carrier's stand-in as its own process."""

from __future__ import annotations

import base64
import contextlib
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from outreach.bench.carrier_process import CarrierProcess, carrier
from outreach.embedded import Engines
from outreach.settings import Settings
from outreach.store.migrate import upgrade
from outreach.wiring import Outreach, build

PATTERN = "bench_pattern"
ACCOUNT = "AC" + "0" * 32


@dataclass
class Ground:
    """Engines that run, a pattern database that others are copied from, and the stand-in."""

    engines: Engines
    carrier: CarrierProcess
    latency: float
    key: str
    token: str

    @property
    def postgres(self) -> int:
        return self.engines.pids["postgres"]

    @property
    def valkey(self) -> int:
        return self.engines.pids["valkey"]

    def settings(self, database_url: str) -> Settings:
        return Settings(
            database_url=database_url, redis_url=self.engines.redis_url, var=self.engines.var, key=self.key,
            twilio_account_sid=ACCOUNT, twilio_auth_token=self.token, twilio_base_url=self.carrier.url,
            public_url="http://127.0.0.1:8000", sandbox=False, demo=False,
        )  # fmt: skip

    @contextlib.contextmanager
    def outreach(self) -> Iterator[Outreach]:
        """The whole of it, as the workers compose it, over an empty database of its own."""
        name = f"bench_{uuid4().hex[:12]}"
        with self._administrator() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(PATTERN))
            )
        url = make_url(self.engines.database_url).set(database=name).render_as_string(hide_password=False)
        out = build(self.settings(url))
        try:
            yield out
        finally:
            out.close()
            with self._administrator() as connection:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def version(self) -> str:
        with self._administrator() as connection:
            row = connection.execute("SHOW server_version").fetchone()
        return str(row[0]) if row else "?"

    def prepare(self) -> None:
        """The pattern database; and no vacuum but ours, between the measured stretches."""
        url = make_url(self.engines.database_url).set(database=PATTERN).render_as_string(hide_password=False)
        with self._administrator() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(PATTERN)))
            connection.execute("ALTER SYSTEM SET autovacuum = off")
            connection.execute("ALTER SYSTEM SET max_wal_size = '4GB'")  # no checkpoint in the middle of a stretch
            connection.execute("SELECT pg_reload_conf()")
        upgrade(url)

    @contextlib.contextmanager
    def _administrator(self) -> Iterator[psycopg.Connection[Any]]:
        url = make_url(self.engines.database_url).set(drivername="postgresql", database="postgres")
        with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
            yield connection


@contextlib.contextmanager
def ground(latency_ms: float) -> Iterator[Ground]:
    """Set up, and take down without a trace."""
    folder = Path(tempfile.mkdtemp(prefix="outreach-bench-"))
    folder.chmod(0o711)
    with contextlib.ExitStack() as stack:
        stack.callback(Engines.discard, folder)
        engines = Engines.start(folder)
        stack.callback(engines.stop)
        stand_in = stack.enter_context(carrier(latency_ms))
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        made = Ground(engines, stand_in, latency_ms / 1000, key, secrets.token_hex(16))
        made.prepare()
        yield made


def settle(engine: Engine) -> None:
    """Vacuum, analyse and checkpoint now, so that none of it falls into what is measured next."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM (ANALYZE)")
        connection.exec_driver_sql("CHECKPOINT")
