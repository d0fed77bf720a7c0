"""`outreach locales export` and `import`: a language as a spreadsheet or for a translator's own tool, and back."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from outreach.content import po_writing, rows_csv, rows_xliff
from outreach.content.formats import resolve
from outreach.content.rows import MOST_BYTES, Row, judge, rows
from outreach.content.workbench import Workbench
from outreach.errors import BadFile, BadInput
from outreach.settings import ROOT


class Style(StrEnum):
    """What `export` writes."""

    CSV = "csv"
    XLIFF = "xliff"


def add_to(app: typer.Typer) -> None:
    """Called by locales.py; `register` would put them beside `outreach locales`."""
    app.command("export")(export)
    app.command("import")(take_in)


def export(
    locale: Annotated[str, typer.Argument(help="A locale: es.")],
    style: Annotated[Style, typer.Option("--format", help="csv for spreadsheets, xliff (1.2) for other tools.")],
    to: Annotated[Path | None, typer.Option("-o", "--output", help="The file; printed when left out.")] = None,
) -> None:
    """Write every unit of a language as a row: fill in “translation”, leave the other columns as they are."""
    bench = Workbench(ROOT)
    grounds = bench.grounds()
    shelf = bench.shelf(resolve(locale, grounds.house.languages))
    found = rows(shelf, grounds.comments)
    said = rows_csv.written(found) if style is Style.CSV else rows_xliff.written(found, shelf.language)
    if to is None:
        sys.stdout.buffer.write(said)
        return
    try:
        to.write_bytes(said)
    except OSError as error:
        raise BadFile(to, 0, f"it cannot be written ({error.strerror}).", "Choose another file.") from error
    typer.echo(f"wrote {to}: {len(found)} rows")


def take_in(
    file: Annotated[Path, typer.Argument(help="A file that `export` wrote, with translations filled in.")],
    translator: Annotated[str, typer.Option(help="Who translated: “Ana Pérez <ana@example.org>”.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")] = False,
) -> None:
    """Write the rows of a file that are new into their catalog, and say of each other one why it is refused.

    Exit code 1 where a row is refused; the others are written all the same.
    """
    bench = Workbench(ROOT)
    given = _read(file)
    named = {row.locale for row in given}
    if len(named) != 1:
        raise BadInput(f"{file}: one language is read at a time, and here are {', '.join(sorted(named)) or 'no rows'}.")
    shelf = bench.shelf(resolve(named.pop(), bench.grounds().house.languages))
    verdict = judge(shelf, given)
    if verdict.changes and not dry_run:
        po_writing.write(shelf.path, verdict.changes, translator=translator, now=datetime.now(UTC))
    for refusal in verdict.refused:
        typer.echo(str(refusal), err=True)
    done = "would be written" if dry_run else "written"
    typer.echo(
        f"{shelf.locale}: {len(verdict.changes)} units {done}, {verdict.unchanged} rows as they were, "
        f"{len(verdict.refused)} rows refused"
    )
    raise typer.Exit(1 if verdict.refused else 0)


def _read(file: Path) -> list[Row]:
    try:
        with file.open("rb") as opened:
            raw = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadFile(file, 0, f"it cannot be read ({error.strerror}).", "Check the file.") from error
    begins = raw[:200].lstrip(b"\xef\xbb\xbf \r\n\t")
    return rows_xliff.read(str(file), raw) if begins.startswith(b"<") else rows_csv.read(str(file), raw)
