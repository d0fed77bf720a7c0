"""`outreach access`: the table of doors as a page, who may do what."""

from __future__ import annotations

from typing import Annotated

import typer

from outreach.settings import ROOT
from outreach.web.access import table

PAGE = ROOT / "docs" / "access.md"


def register(app: typer.Typer) -> None:
    app.command("access")(access)


def access(
    write: Annotated[
        bool, typer.Option("--write", help=f"Write {PAGE.relative_to(ROOT)} instead of printing.")
    ] = False,
) -> None:
    """Every route with who may pass it, by role or by a key's scope."""
    if write:
        PAGE.write_text(table(), "utf-8")
        print(f"{PAGE.relative_to(ROOT)} is written")
    else:
        print(table(), end="")
