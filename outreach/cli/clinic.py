"""`outreach clinic add|list`: a clinic of one's own, from a file with the lines of the sample's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outreach.actions.establish import establish
from outreach.cli.opened import opened
from outreach.content.laws import load_laws
from outreach.settings import ROOT
from outreach.store import clinics


def register(commands: typer.Typer) -> None:
    app = typer.Typer(help="Clinics.", no_args_is_help=True)
    app.command("add")(add)
    app.command("list")(listed)
    commands.add_typer(app, name="clinic")


def add(
    file: Annotated[Path, typer.Argument(help="YAML with the lines of config/sample/clinic.yaml.")],
) -> None:
    """Begin a clinic; say what it still needs before the first message can go."""
    laws = load_laws(ROOT / "config" / "law")
    with opened() as out, out.sessions.begin() as session:
        slug = establish(session, file, laws, out.words.locales, out.answering, out.clock()).slug
    print(
        f"{slug} is there. Before its first message can go:\n"
        f"  outreach staff add-administrator --clinic {slug} --email you@example.org\n"
        f"  outreach approvals --clinic {slug}        # its words: nothing is sent that nobody has approved"
    )


def listed() -> None:
    """Every clinic: its short name, language, zone and law."""
    with opened() as out, out.sessions() as session:
        for one in clinics.every(session):
            print(f"{one.slug:<20}  {one.locale:<8}  {one.zone:<24}  {one.law}{'  demo' if one.demo else ''}")
