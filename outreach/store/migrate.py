"""Brings a database to the newest schema: Alembic called from Python, no ini file."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

MIGRATIONS = Path(__file__).parent / "migrations"

# Two processes that start together must not both migrate: one waits on this lock, then finds nothing to do.
LOCK = 0x6F757472


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration for our folder; with a connection, its commands run on it."""
    found = Config()
    found.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    if connection is not None:
        found.attributes["connection"] = connection
    return found


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate the database at `url` (postgresql+psycopg://...) in one transaction; a second run changes nothing."""
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": LOCK})
            command.upgrade(config(connection), revision)
    finally:
        engine.dispose()
