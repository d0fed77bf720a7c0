"""`outreach replies`: what a patient's reply is taken for, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from outreach.actions.size_up import ASKING
from outreach.content.keywords import load_replies
from outreach.domain.replies import Understood, understand
from outreach.errors import BadInput
from outreach.settings import ROOT

app = typer.Typer(help="What patients write back.", no_args_is_help=True)
COLOURS = {"stop": "red", "urgent": "bold red", "help": "yellow", "answer": "green", "start": "green", "thanks": "cyan"}


def register(commands: typer.Typer) -> None:
    commands.add_typer(app, name="replies")


@app.callback()
def main() -> None:
    """What patients write back."""


@app.command("understand")
def understand_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each message.")] = False,
    asked: Annotated[str, typer.Option(help=f"What was asked last: {', '.join(ASKING)}; nothing by default.")] = "",
) -> None:
    """Read messages from standard input, one a line; print what each is taken for, and the word and rule that decided.

    In a line, \\n stands for a line break. An empty line is an empty message.
    """
    if asked and asked not in ASKING:
        typer.echo(
            f"error: --asked {asked}: no message of that name asks something. Choose: {', '.join(ASKING)}.", err=True
        )
        raise typer.Exit(2)
    words = load_replies(ROOT / "config" / "replies.yaml")
    found = [(number, text, understand(text, words, asked or None)) for number, text in enumerate(_messages(), 1)]
    if as_json:
        for number, text, one in found:
            typer.echo(json.dumps({"line": number, "text": text} | _plain(one), ensure_ascii=False))
        return
    table = Table("Line", "Taken for", "Why", "Message", box=None, pad_edge=False)
    for number, text, one in found:
        table.add_row(str(number), f"[{COLOURS.get(one.kind, 'default')}]{_shown(one)}[/]", one.why, text.strip())
    Console().print(table)


def _messages() -> Iterator[str]:
    for number, line in enumerate(sys.stdin.buffer.read().splitlines(), 1):
        try:
            yield line.decode("utf-8").replace("\\n", "\n")
        except UnicodeDecodeError as error:
            raise BadInput(f"Line {number} is not UTF-8 (byte {error.start}). Save or pipe it as UTF-8.") from None


def _plain(one: Understood) -> dict[str, Any]:
    return {
        "kind": one.kind, "answer": one.answer, "urgent": list(one.urgent), "wish": one.wish or None,
        "needs_person": one.doubtful or one.robot or bool(one.urgent) or one.kind == "other", "locale": one.locale,
        "locales": list(one.locales), "robot": one.robot, "symptom": one.symptom, "why": one.why,
    }  # fmt: skip


def _shown(one: Understood) -> str:
    parts = [one.kind + (f" {one.answer}" if one.answer else "")]
    if one.urgent:
        parts.append(f"urgent: {', '.join(one.urgent)}")
    if one.robot:
        parts.append("automatic")
    if one.wish:
        parts.append(f"wants: {one.wish}")
    if one.symptom:
        parts.append("tells of a symptom")
    return " · ".join(parts)
