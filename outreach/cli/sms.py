"""`outreach sms`: what a text costs before it is sent."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from outreach.domain.segments import Segments, count, normalise
from outreach.errors import BadInput

app = typer.Typer(help="SMS texts.", no_args_is_help=True)


def register(commands: typer.Typer) -> None:
    commands.add_typer(app, name="sms")


@app.callback()
def main() -> None:
    """SMS texts."""


@app.command("count")
def count_command(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Read a text from standard input; print its encoding, units, segments and the characters that force UCS-2."""
    try:
        text = normalise(sys.stdin.buffer.read().decode("utf-8").removesuffix("\n"))
    except UnicodeDecodeError as error:
        typer.echo(f"error: The text is not UTF-8 (byte {error.start}); save or pipe it as UTF-8.", err=True)
        raise typer.Exit(2) from None
    except BadInput as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    found = count(text)
    typer.echo(json.dumps(_plain(found), ensure_ascii=False) if as_json else _shown(found))


def _plain(found: Segments) -> dict[str, object]:
    return asdict(found) | {"forcing": [{"position": at, "character": char} for at, char in found.forcing]}


def _shown(found: Segments) -> str:
    lines = [f"{found.encoding}, {found.units} units, {found.segments} segment{'s' * (found.segments != 1)}"]
    if found.forcing:
        lines.append("forced by:")
        lines += [f"  position {at}: {char}  U+{ord(char):04X}" for at, char in found.forcing]
    return "\n".join(lines)
