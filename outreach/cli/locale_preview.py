"""`outreach locales preview` and `pseudo`: what patients would see, for a colleague; and what nobody would."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from outreach.content import previews, pseudo
from outreach.content.compose import Wording
from outreach.content.formats import resolve
from outreach.content.workbench import Workbench
from outreach.errors import BadFile
from outreach.settings import ROOT


class Kind(StrEnum):
    """How much a message tells on a locked screen."""

    FULL = "full"
    NEUTRAL = "neutral"


def add_to(app: typer.Typer) -> None:
    """Called by locales.py; `register` would put them beside `outreach locales`."""
    app.command("preview")(preview)
    app.command("pseudo")(write_pseudo)


def preview(
    locales: Annotated[list[str] | None, typer.Argument(help="Locales; all when none is named.")] = None,
    out: Annotated[Path, typer.Option(help="The folder to write into.")] = ROOT / "var" / "preview",
    wording: Annotated[Kind, typer.Option(help="The full wording, or that for a locked screen.")] = Kind.FULL,
    with_pseudo: Annotated[bool, typer.Option("--pseudo", help="The two pseudo-locales instead.")] = False,
) -> None:
    """Write every message as SMS, e-mail and page into HTML files that open from a disk and load nothing."""
    bench = Workbench(ROOT)
    languages = bench.grounds().house.languages
    wanted = [resolve(name, languages) for name in locales or languages]
    kind: Wording = "neutral" if wording is Kind.NEUTRAL else "full"
    made = previews.pseudo_sheets(bench, kind) if with_pseudo else previews.sheets(bench, wanted, kind)
    written = previews.write(ROOT, out, made, kind)
    typer.echo(f"wrote {len(written)} files; open {written[0]}")


def write_pseudo(
    rtl: Annotated[bool, typer.Option("--rtl", help="Right-to-left letters, instead of long accented words.")] = False,
    out: Annotated[Path | None, typer.Option(help="A folder like locales/; printed when left out.")] = None,
) -> None:
    """Write a pseudo-locale, to see which words are hard-coded, cut off or in the wrong direction. For no patient."""
    locale = pseudo.RTL if rtl else pseudo.ACCENTED
    said = pseudo.po(locale, Workbench(ROOT).grounds().house.units)
    if out is None:
        typer.echo(said, nl=False)
        return
    path = out / locale / "LC_MESSAGES" / "messages.po"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(said, "utf-8")
    except OSError as error:
        raise BadFile(path, 0, f"it cannot be written ({error.strerror}).", "Choose another folder.") from error
    typer.echo(f"wrote {path}")
