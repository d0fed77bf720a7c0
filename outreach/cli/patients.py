"""`outreach patients reindex`: makes patients of before findable by name, number and identifier."""

from __future__ import annotations

import typer

from outreach.cli.opened import opened
from outreach.store import search

BATCH = 500


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Patients.", no_args_is_help=True)
    group.command("reindex")(reindex)
    app.add_typer(group, name="patients")


def reindex() -> None:
    """Compute anew what every patient is found by. May be stopped and run again; a second run changes nothing."""
    changed = total = 0
    place = None
    with opened() as out:
        while True:
            with out.sessions.begin() as session:
                batch = search.after(session, place, BATCH)
                changed += search.relearn(session, [one for _, one in batch]) if batch else 0
            if not batch:
                break
            place, total = batch[-1], total + len(batch)
    print(f"{total} patients, {changed} made findable anew")
