"""`outreach facts`: which messages rest on which fact, and what no message may claim."""

from __future__ import annotations

from typing import Annotated

import typer

from outreach.content import facts, sources
from outreach.content.checker import reports
from outreach.settings import ROOT


def register(root: typer.Typer) -> None:
    root.command("facts")(main)


def main(
    name: Annotated[str, typer.Argument(help="A fact (S1) or a message (pre.the_day); all when left out.")] = "",
) -> None:
    """Print, per fact, its source and the messages that use it, and per message its facts.

    Exit code 1 where a unit has no support, names a fact that does not exist, or claims what may not be claimed.
    """
    known = facts.load_facts(ROOT / "config" / "facts.yaml")
    claims = facts.load_claims(ROOT / "config" / "claims.yaml", known)
    parts = sources.read(ROOT / "templates")
    used = facts.users(parts)
    if name and name not in known and name not in used:
        typer.echo(f"error: {name} is neither a fact nor a message. Facts: {', '.join(known)}.", err=True)
        raise typer.Exit(2)
    for fact in known.values():
        if name in ("", fact.name):
            _fact(fact, used)
    for message, units in used.items():
        if name in ("", message):
            resting = dict.fromkeys(one for named in units.values() for one in named)
            typer.echo(f"{message}: {' '.join(resting)}")
            if name:
                _units(message, parts, claims)
    findings = facts.check(parts, known, claims, ROOT / "templates")
    if findings:
        typer.echo(reports.written("text", {"facts": findings}, ROOT), err=True)
        raise typer.Exit(1)


def _fact(fact: facts.Fact, used: dict[str, dict[str, tuple[str, ...]]]) -> None:
    messages = [message for message, units in used.items() if any(fact.name in named for named in units.values())]
    typer.echo(f"{fact.name} ({fact.certainty}): {fact.says}")
    typer.echo(f"   document {', '.join(fact.documents)}: {fact.place}")
    typer.echo(f"   in: {', '.join(messages) or 'no message'}")


def _units(message: str, parts: dict[str, sources.Part], claims: facts.Claims) -> None:
    """The units of one message, each with those of its facts that its own words speak of."""
    for name, part in parts.items():
        if name.startswith(f"messages/{message}/"):
            for unit, named in facts.resting(part):
                said = " ".join(facts.stated(unit, named, claims)) or "nothing medical"
                typer.echo(f"   {unit.key} ({said}): {unit.plural or unit.text}")
