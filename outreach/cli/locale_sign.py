"""`outreach locales sign`: a named reviewer puts their name to the shared words as they stand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from outreach.content import approvals
from outreach.content.compose import Words
from outreach.content.coverage import translators
from outreach.content.formats import resolve
from outreach.content.objections import blocked
from outreach.content.workbench import Workbench
from outreach.errors import BadInput
from outreach.settings import ROOT


def add_to(app: typer.Typer) -> None:
    """Called by locales.py; `register` would put them beside `outreach locales`."""
    app.command("sign")(sign)


def sign(
    locale: Annotated[str, typer.Argument(help="The language, such as es.")],
    texts: Annotated[list[str] | None, typer.Argument(help="Which texts; all when none is named.")] = None,
    name: Annotated[str, typer.Option("--reviewer", help="Who has read the words and answers for them.")] = "",
    role: Annotated[str, typer.Option(help="What they are, such as: certified medical translator.")] = "",
) -> None:
    """Write signatures into locales/<locale>/approvals.jsonl, which comes with the words to every clinic.

    It approves nothing: each clinic decides for itself. Refused where the checker finds errors. Exit 1: refused.
    """
    bench = Workbench(ROOT)
    found = resolve(locale, bench.grounds().house.languages)
    words = Words.load(ROOT, [found])
    there = approvals.texts(words, found)
    if unknown := [one for one in texts or () if one not in there]:
        raise BadInput(f"There is no text {', '.join(unknown)}; there are: {', '.join(there)}.")
    wanted = [there[key] for key in texts or there]
    shelf = bench.shelf(found)
    if wrong := [one.key for one in wanted if blocked(shelf, one)]:
        raise BadInput(f"The checker finds errors in {', '.join(wrong)}. See: outreach locales check {found}")
    wrote = translators(ROOT, found, [unit.key for one in wanted for unit in one.units])
    count = approvals.sign(ROOT, wanted, name, role, datetime.now(UTC).date(), wrote)
    typer.echo(f"signed: {count} of {len(wanted)} texts in {found}")
    typer.echo("Clinics approve for themselves: outreach approve --help")
