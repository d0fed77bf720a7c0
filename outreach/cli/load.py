"""`outreach load`: patients, addresses, languages, zones, infusions and consent on paper from a CSV or XLSX file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from outreach.actions.load import Loaded, Tick, load_rows
from outreach.actions.roster import RowError
from outreach.cli.up import urls
from outreach.errors import BadFile
from outreach.settings import load_settings
from outreach.store import clinics, enrolments
from outreach.store.migrate import upgrade
from outreach.wiring import Outreach, build

MANY = 500
WHOLE = "a whole list"
"""Whose turn it is when a file is loaded: one file of a clinic after the other."""


def register(app: typer.Typer) -> None:
    app.command("load")(load)


def load(
    file: Annotated[Path, typer.Argument(help="CSV or Excel (.xlsx).")],
    clinic: Annotated[str | None, typer.Option(help="Its short name; needed where there are several.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Load patients and infusions. Exit 0: all rows are in; 1: some were refused; 2: the file cannot be used."""
    settings = load_settings()
    try:
        with urls(settings) as (database, broker, engines):
            if engines is not None:
                upgrade(database)
            out = build(settings.model_copy(update={"database_url": database, "redis_url": broker}))
            try:
                result = _load(out, file, clinic, dry_run)
            finally:
                out.close()
    except BadFile as error:
        _unusable(error, as_json)
        raise typer.Exit(2) from None
    _print(result, file, dry_run, as_json)
    if result.errors:
        raise typer.Exit(1)


def _load(out: Outreach, file: Path, slug: str | None, dry_run: bool) -> Loaded:
    with out.sessions.begin() as session, _progress() as tick:
        chosen = clinics.chosen(session, slug)
        enrolments.take_turn(session, chosen.id, WHOLE)  # of two files at once the second sees the first
        result = load_rows(session, file, clinic=chosen, sequences=out.sequences, words=out.words, now=out.clock(),
                           tick=tick)  # fmt: skip
        if dry_run:
            session.rollback()
    return result


@contextmanager
def _progress() -> Iterator[Tick | None]:
    """A bar on the error stream, where somebody watches and the file is long."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("loading", total=None, visible=False)

        def tick(done: int, rows: int) -> None:
            bar.update(task, completed=done, total=rows, visible=rows > MANY)

        yield tick


def _unusable(error: BadFile, as_json: bool) -> None:
    if as_json:
        line = RowError(error.line, "", error.what, error.remedy)
        print(json.dumps(Loaded(errors=[line]).as_json(), ensure_ascii=False, indent=1))
    else:
        print(f"error: {error}", file=sys.stderr)


def _print(result: Loaded, file: Path, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result.as_json() | {"dry_run": dry_run}, ensure_ascii=False, indent=1))
        return
    for error in result.errors:
        print(f"{file.name}, {error}", file=sys.stderr)
    refused = len({error.line for error in result.errors})
    print(
        f"{'would load' if dry_run else 'loaded'} {result.loaded} infusions of {result.patients} new patients;"
        f" moved {result.moved}, updated {result.updated}, unchanged {result.unchanged}, refused {refused};"
        f" {result.asked} requests for consent {'would be' if dry_run else 'are'} queued"
    )
