"""`outreach audit verify`: whether the record of who did what is as it was written."""

from __future__ import annotations

from typing import Annotated

import typer

from outreach.cli.opened import opened
from outreach.errors import BadInput
from outreach.store import audit, clinics

Seen = Annotated[
    str, typer.Option(help="A digest that an earlier run printed: entries cut off since then are noticed.")
]


def register(commands: typer.Typer) -> None:
    app = typer.Typer(help="Who did what to whom, when.", no_args_is_help=True)
    app.callback()(about)
    app.command("verify")(verify)
    commands.add_typer(app, name="audit")


def about() -> None:
    """Who did what to whom, when."""


def verify(
    clinic: Annotated[str | None, typer.Option(help="Its short name; every clinic's without it.")] = None,
    seen: Seen = "",
) -> None:
    """Compute every entry's digest anew. Exit 1: an entry was changed, or is gone; the first one is named.

    Keep the digest that is printed somewhere else: whoever can write to the database could cut off the newest entries,
    and only a digest kept elsewhere tells.
    """
    head, broken = _bytes(seen), False
    with opened() as out, out.sessions() as session:
        chosen = [clinics.chosen(session, clinic)] if clinic is not None or seen else clinics.every(session)
        for one in chosen:
            verdict = audit.verify(session, one.id)
            if verdict.broken is not None:
                broken = True
                print(f"{one.slug}: entry {verdict.broken} is not as it was written, or the one before it is gone")
            elif head and not audit.knows(session, one.id, head):
                broken = True
                print(f"{one.slug}: {verdict.rows} entries fit, but the digest given is not among them: some are gone")
            else:
                print(f"{one.slug}: {verdict.rows} entries, all as they were written; digest {verdict.head.hex()}")
    if broken:
        raise typer.Exit(1)


def _bytes(digest: str) -> bytes:
    try:
        return bytes.fromhex(digest)
    except ValueError:
        raise BadInput("--seen is not a digest: give the 64 digits and letters that an earlier run printed.") from None
