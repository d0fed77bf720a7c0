"""`outreach alerts`: what people should know of, and taking an alert away."""

from __future__ import annotations

import json
from typing import Annotated
from uuid import UUID

import typer

from outreach.cli.opened import opened
from outreach.errors import BadInput, NotFound
from outreach.store import alerts as stored
from outreach.store import clinics
from outreach.store.alerts import Raised


def register(app: typer.Typer) -> None:
    app.command("alerts")(alerts)


def alerts(
    clinic: Annotated[str | None, typer.Option(help="Its short name; without it, every clinic's.")] = None,
    clear: Annotated[str, typer.Option(help="The id of an alert somebody has seen to.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """Show the open alerts. Exit 0: there is none; 1: there are some; with --clear 0 once it is gone."""
    with opened() as out, out.sessions.begin() as session:
        slugs = {one.id: one.slug for one in clinics.every(session)}
        chosen = clinics.chosen(session, clinic).id if clinic is not None else None
        if clear:
            if not stored.clear_by_id(session, chosen, id_of(clear), out.clock()):
                raise NotFound(f"There is no open alert {clear}. `outreach alerts` lists those there are.")
            print("cleared")
            return
        found = stored.every_open(session) if chosen is None else stored.open_alerts(session, chosen)
    if as_json:
        print(json.dumps([_row(one, slugs) for one in found], indent=1))
    else:
        for one in found:
            row = _row(one, slugs)
            print(f"{row['id']}  {row['clinic']}  {one.kind}  {one.last_at:%Y-%m-%d %H:%MZ}  x{one.count}  {one.about}")
        print(f"{len(found)} open" if found else "no alerts")
    if found:
        raise typer.Exit(1)


def id_of(text: str) -> UUID:
    """BadInput when it is none."""
    try:
        return UUID(text)
    except ValueError:
        raise BadInput(f'"{text}" is not an id.') from None


def _row(one: Raised, slugs: dict[UUID, str]) -> dict[str, str | int]:
    return {
        "id": str(one.id), "clinic": slugs.get(one.clinic_id, "-") if one.clinic_id else "-", "kind": one.kind,
        "key": one.key, "about": one.about, "count": one.count, "raised": one.raised_at.isoformat(),
        "last": one.last_at.isoformat(),
    }  # fmt: skip
