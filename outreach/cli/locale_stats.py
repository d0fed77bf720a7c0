"""`outreach locales stats`: how far each language is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from outreach.content.formats import resolve
from outreach.content.standing import Standing, standing
from outreach.content.workbench import Workbench
from outreach.settings import ROOT

_NUMBERS = ("done", "fuzzy", "changed", "missing", "words", "send", "errors", "advice", "unread")


def add_to(app: typer.Typer) -> None:
    """Called by locales.py; `register` would put them beside `outreach locales`."""
    app.command("stats")(stats)


def stats(
    locales: Annotated[list[str] | None, typer.Argument(help="Locales; all when none is named.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Say how far each language is: units, messages that can be sent, findings, what was read back, and by whom."""
    bench = Workbench(ROOT)
    languages = bench.grounds().house.languages
    found = [standing(bench, resolve(name, languages)) for name in locales or languages]
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=2))
        return
    numbers = (Column(name, justify="right", no_wrap=True) for name in _NUMBERS)
    table = Table(Column("locale", no_wrap=True), *numbers, "reviewer", box=None, padding=(0, 1, 0, 0))
    for one in found:
        table.add_row(*_row(one))
    Console().print(table)
    typer.echo("words: still to translate · send: messages that can be sent · unread: not put back into English since")
    for one in found:
        if one.problem:
            typer.echo(f"{one.locale} cannot be loaded: {one.problem}")


def _row(one: Standing) -> Iterator[str]:
    yield one.locale
    yield f"{one.translated}/{one.units}"
    yield from map(str, (one.fuzzy, one.changed, one.missing, one.words_left))
    yield "–" if one.sendable is None else f"{one.sendable}/{one.messages}"
    yield from (str(one.errors), str(one.advice), str(one.units - one.read_back))
    yield ", ".join(one.reviewers) or "none yet"
