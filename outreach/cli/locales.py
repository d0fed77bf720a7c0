"""`outreach locales`: from templates to translators and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outreach.cli import locale_new, locale_preview, locale_rows, locale_sign, locale_stats
from outreach.content import console_words, extraction, plurals, segment_table
from outreach.content.checker import reports
from outreach.content.checker.findings import Fault, Finding
from outreach.content.checker.house import House, check_file, check_locale
from outreach.content.formats import resolve
from outreach.content.measure import longest
from outreach.errors import BadInput
from outreach.settings import ROOT

app = typer.Typer(help="Templates and translations.", no_args_is_help=True)


def register(root: typer.Typer) -> None:
    for one in (locale_stats, locale_preview, locale_rows, locale_new, locale_sign):
        one.add_to(app)
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
    """Bring catalogs up to date with the templates, by key and never by likeness.

    What is new stands there empty; what has changed is marked, beside the English that it was translated from.
    """
    extraction.extract(ROOT)
    console_words.extract(ROOT)
    for locale in locales or extraction.targets(ROOT):
        if locale not in plurals.HEADERS:
            typer.echo(
                f"error: No plural rule is known for {locale!r}; add it to outreach/content/plurals.py.", err=True
            )
            raise typer.Exit(2)
        typer.echo(f"updated {extraction.update(ROOT, locale).relative_to(ROOT)}")
        if locale in console_words.targets(ROOT):
            typer.echo(f"updated {console_words.update(ROOT, locale).relative_to(ROOT)}")


@app.command()
def check(
    locales: Annotated[list[str] | None, typer.Argument(help="Locales; all when none is named.")] = None,
    style: Annotated[str, typer.Option("--format", help=f"One of: {', '.join(reports.FORMATS)}.")] = "text",
    po: Annotated[Path | None, typer.Option(help="Check this catalog instead, of whatever project.")] = None,
    pot: Annotated[Path | None, typer.Option(help="The template that --po is compared with.")] = None,
) -> None:
    """Look for everything that is wrong in the translations, as a translator should hear it.

    Exit code 1 where something must be mended; advice alone does not count.
    """
    if style not in reports.FORMATS:
        raise typer.BadParameter(f"{style!r} is unknown; choose one of {', '.join(reports.FORMATS)}.")
    if pot and not po:
        raise typer.BadParameter("--pot needs --po: the catalog to be compared with it.")
    house = House(ROOT)
    try:
        checked = {str(po): check_file(house, po, pot, (locales or [""])[0])} if po else _ours(house, locales or [])
        typer.echo(reports.written(style, checked, ROOT))
    except BadInput as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    raise typer.Exit(any(one.fault.blocking for findings in checked.values() for one in findings))


@app.command()
def segments(
    write: Annotated[bool, typer.Option("--write", help="Write docs/segments.md instead of printing it.")] = False,
) -> None:
    """Say how many segments each SMS takes in each language, with typical and with the longest values."""
    said = segment_table.page(
        House(ROOT), *(longest(ROOT / "config" / f"{name}.yaml") for name in ("typical", "longest"))
    )
    if not write:
        typer.echo(said)
        return
    path = ROOT / "docs" / "segments.md"
    path.write_text(said, "utf-8")
    typer.echo(f"wrote {path.relative_to(ROOT)}")


def _ours(house: House, named: list[str]) -> dict[str, list[Finding]]:
    values = longest(ROOT / "config" / "longest.yaml")
    wanted = [resolve(name, house.languages) for name in named] or list(house.languages)
    checked = {locale: check_locale(house, locale, values) + _console(house, locale) for locale in wanted}
    return checked if named else checked | {"templates": _templates()}


def _console(house: House, locale: str) -> list[Finding]:
    """What staff read, where it is translated."""
    if locale not in console_words.targets(ROOT):
        return []
    path = ROOT / "locales" / locale / "LC_MESSAGES" / "console.po"
    return check_file(house, path, ROOT / "locales" / "console.pot", locale)


def _templates() -> list[Finding]:
    """The two template files against the sources they are made of."""
    found = []
    for name, module in (("messages", extraction), ("console", console_words)):
        path = ROOT / "locales" / f"{name}.pot"
        if path.read_bytes() != module.template(ROOT):
            fault = Fault("file.stale", "the sources have changed since.", "Run: outreach locales extract.")
            found.append(Finding(str(path), 0, "", "", fault))
    return found
