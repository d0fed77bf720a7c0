"""`outreach locales`: from templates to translators and back."""

from __future__ import annotations

from typing import Annotated

import typer

from outreach.content import console_words, extraction, plurals
from outreach.content.compose import Words
from outreach.content.measure import Finding, measure
from outreach.errors import BadInput
from outreach.settings import ROOT

app = typer.Typer(help="Templates and translations.", no_args_is_help=True)


def register(root: typer.Typer) -> None:
    root.add_typer(app, name="locales")


@app.command()
def extract() -> None:
    """Write locales/messages.pot (what patients read) and locales/console.pot (what staff read) from the sources."""
    for module in (extraction, console_words):
        typer.echo(f"wrote {module.extract(ROOT).relative_to(ROOT)}")


@app.command()
def update(
    locales: Annotated[list[str] | None, typer.Argument(help="Locales; all when none is named.")] = None,
) -> None:
    """Bring catalogs up to date with the templates; what is new or has changed stands there empty."""
    extraction.extract(ROOT)
    console_words.extract(ROOT)
    for locale in locales or extraction.targets(ROOT):
        if locale not in plurals.HEADERS:
            typer.echo(f"No plural rule is known for {locale!r}; add it to outreach/content/plurals.py.", err=True)
            raise typer.Exit(2)
        typer.echo(f"updated {extraction.update(ROOT, locale).relative_to(ROOT)}")
        if locale in console_words.targets(ROOT):
            typer.echo(f"updated {console_words.update(ROOT, locale).relative_to(ROOT)}")


@app.command()
def check() -> None:
    """Read every catalog, and compose every message in every language with the longest values."""
    try:
        words = Words.load(ROOT)
        findings = measure(words, ROOT / "config" / "longest.yaml")
    except BadInput as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    for locale in words.voices:
        missing = words.missing(locale)
        typer.echo(f"{locale}: complete" if not missing else f"{locale}: {len(missing)} missing, first {missing[0]}")
    over = [finding for finding in findings if finding.over]
    for finding in over:
        typer.echo(_shown(finding), err=True)
    for name, module in (("messages", extraction), ("console", console_words)):
        if (ROOT / "locales" / f"{name}.pot").read_bytes() != module.template(ROOT):
            typer.echo(f"locales/{name}.pot is out of date; run: outreach locales extract", err=True)
            over = over or findings
    raise typer.Exit(1 if over else 0)


def _shown(found: Finding) -> str:
    return (
        f"{found.locale} {found.key} ({found.wording}): {found.segments} segments, {found.budget} allowed; "
        f"{found.encoding}, {len(found.text)} characters"
    )
