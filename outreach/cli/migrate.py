"""`outreach migrate`: the schema alone; what a server's compose file runs before the rest."""

from __future__ import annotations

import typer

from outreach.cli.checks import check_database
from outreach.cli.supervise import say
from outreach.cli.up import urls
from outreach.settings import load_settings
from outreach.store.migrate import upgrade


def register(app: typer.Typer) -> None:
    app.command("migrate")(migrate)


def migrate() -> None:
    """Bring the database to the newest schema, then stop."""
    with urls(load_settings()) as (database, _broker, _engines):
        check_database(database)
        upgrade(database)
    say("the database has the newest schema")
