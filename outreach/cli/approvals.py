"""`outreach approvals`: which words a clinic has approved, in which language, and what to do about the rest."""

from __future__ import annotations

import json
from collections import Counter
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from outreach.actions.review import Stand, State, stands
from outreach.cli.opened import opened
from outreach.content.formats import resolve
from outreach.store import clinics

SIGNS = {
    State.APPROVED: "✓ approved", State.EARLIER: "↻ changed: earlier words are sent", State.CHANGED: "✕ changed since",
    State.WITHDRAWN: "✕ withdrawn", State.NEVER: "○ not approved", State.UNTRANSLATED: "– not translated",
}  # fmt: skip


def register(app: typer.Typer) -> None:
    app.command("approvals")(approvals)


def approvals(
    locale: Annotated[str | None, typer.Argument(help="One language, text by text; all in brief without it.")] = None,
    clinic: Annotated[str | None, typer.Option(help="Its short name; not needed where there is one clinic.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every text as JSON.")] = False,
) -> None:
    """Show how a clinic's words stand. Exit 0: everything is approved as it stands; 1: something is not."""
    with opened() as out, out.sessions() as session:
        chosen = clinics.chosen(session, clinic)
        words = out.words
        only = resolve(locale, words.voices) if locale else ""
        spoken = out.speakers.view(session, chosen, words)
        wanted = [one for one in out.speakers.texts(words).values() if only in ("", one.locale)]
        found = stands(session, chosen.id, spoken, out.bench, wanted)
        offered = spoken.offered
    if as_json:
        typer.echo(json.dumps([_row(one) for one in found], ensure_ascii=False, indent=1))
    elif only:
        _texts(found)
    else:
        _languages(found, offered)
    open_ = [one for one in found if one.state is not State.APPROVED]
    if open_ and not as_json:
        _what_to_do(found, chosen.slug, clinic is not None)
    raise typer.Exit(1 if open_ else 0)


def _languages(found: list[Stand], offered: tuple[str, ...]) -> None:
    heads = ("approved", "earlier sent", "not approved", "not translated")
    table = Table("locale", *(Column(one, justify="right") for one in heads), "offered", box=None)
    for locale in dict.fromkeys(one.text.locale for one in found):
        states = Counter(one.state for one in found if one.text.locale == locale)
        lacking = states[State.NEVER] + states[State.CHANGED] + states[State.WITHDRAWN]
        numbers = (states[State.APPROVED], states[State.EARLIER], lacking, states[State.UNTRANSLATED])
        table.add_row(locale, *map(str, numbers), "yes" if locale in offered else "no")
    Console().print(table)


def _texts(found: list[Stand]) -> None:
    table = Table("text", "state", "decided by", "in the shared words", box=None)
    for one in found:
        by = one.decision
        who = f"{by.reviewer} ({by.reviewer_role}), {by.at:%Y-%m-%d}" if by else ""
        signed = f"{one.signature.reviewer} ({one.signature.role})" if one.signature else "no named reviewer"
        table.add_row(one.text.key, SIGNS[one.state], who, signed)
    Console().print(table)


def _what_to_do(found: list[Stand], slug: str, named: bool) -> None:
    """The very command lines; nothing is approved by an upgrade, so whoever upgrades sees them first."""
    ready = {one.text.locale for one in found if one.state not in (State.APPROVED, State.UNTRANSLATED)}
    whose = f" --clinic {slug}" if named else ""
    if ready:
        typer.echo("\nMessages go out in approved words only. Have the words read (the page Languages of the console")
        typer.echo("shows them side by side), then approve them there, or here:")
        for locale in sorted(ready):
            typer.echo(f'  outreach approve {locale} --all --reviewer "NAME" --role "ROLE"{whose}')
    if any(one.state is State.UNTRANSLATED for one in found):
        typer.echo("What is not translated in full: outreach locales stats")


def _row(one: Stand) -> dict[str, object]:
    by = one.decision
    return {
        "locale": one.text.locale, "text": one.text.key, "state": one.state.value, "digest": one.text.digest.hex(),
        "reviewer": by.reviewer if by else None, "role": by.reviewer_role if by else None,
        "at": by.at.isoformat() if by else None,
        "signed_by": f"{one.signature.reviewer}, {one.signature.role}" if one.signature else None,
    }  # fmt: skip
