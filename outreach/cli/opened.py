"""An Outreach for the length of one command: its database, whether or not `outreach up` is running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from outreach.cli.up import urls
from outreach.settings import load_settings
from outreach.store.migrate import upgrade
from outreach.wiring import Outreach, build


@contextmanager
def opened() -> Iterator[Outreach]:
    """Engines of our own are started (and their schema brought up to date) where no URL is configured."""
    settings = load_settings()
    with urls(settings) as (database, broker, engines):
        if engines is not None:
            upgrade(database)
        out = build(settings.model_copy(update={"database_url": database, "redis_url": broker}))
        try:
            yield out
        finally:
            out.close()
