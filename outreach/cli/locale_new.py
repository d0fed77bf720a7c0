"""`outreach locales new`: a language begun."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from outreach.content.new_locale import begin
from outreach.settings import ROOT


def add_to(app: typer.Typer) -> None:
    """Called by locales.py; `register` would put them beside `outreach locales`."""
    app.command("new")(new)


def new(
    locale: Annotated[str, typer.Argument(help="The tag of the language: it, pl, pt_PT.")],
    like: Annotated[str, typer.Option("--from", help="Whose glossary says which terms are needed.")] = "es",
) -> None:
    """Begin a language: its row in config/languages.yaml, its catalog, style sheet and glossary; says what is left."""
    begun = begin(ROOT, locale, like, datetime.now(UTC))
    for path in begun.written:
        typer.echo(f"wrote {path.relative_to(ROOT)}")
    typer.echo("Still to be written by somebody who knows the language:")
    for line in begun.left:
        typer.echo(f"  {line}")
