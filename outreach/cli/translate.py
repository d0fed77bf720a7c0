"""`outreach translate`: the workbench in a browser, on this machine alone, over the files as they are checked out."""

from __future__ import annotations

import getpass
import subprocess
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from outreach.content.formats import load_languages, resolve
from outreach.errors import BadInput
from outreach.settings import ROOT
from outreach.web.translate.local import create

HOST = "127.0.0.1"
PORT = 8790


def register(root: typer.Typer) -> None:
    root.command("translate")(main)


def main(
    locale: Annotated[str, typer.Argument(help="The language to begin with; all when left out.")] = "",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the pages are.")] = PORT,
    name: Annotated[
        str, typer.Option(help="Whom the credits name, best with an e-mail address; Git's, if it knows.")
    ] = "",
    folder: Annotated[Path, typer.Option(help="Another folder with config/, templates/ and locales/.")] = ROOT,
) -> None:
    """Translate in a browser: no account, no database, no network. What you save goes into the files."""
    languages = load_languages(folder / "config" / "languages.yaml")
    path = f"/translate/{resolve(locale, languages)}" if locale else "/translate"
    who = name.strip() or _known()
    if not who:
        raise BadInput('Say who translates: --name "Ana Reviewer <ana@example.org>".')
    typer.echo(f"For {who}: http://{HOST}:{port}{path}   (Ctrl+C ends it)")
    uvicorn.run(create(folder.resolve(), who), host=HOST, port=port, log_level="warning", access_log=False,
                timeout_graceful_shutdown=1)  # fmt: skip


def _known() -> str:
    """Who Git says this is, else the account of this machine."""
    said = []
    for field in ("user.name", "user.email"):
        try:
            found = subprocess.run(["git", "config", field], capture_output=True, text=True, timeout=5, check=False)
            said.append(found.stdout.strip())
        except OSError:
            said.append("")
    if said[0]:
        return f"{said[0]} <{said[1]}>" if said[1] else said[0]
    return getpass.getuser()
