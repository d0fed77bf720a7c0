"""`outreach approve`: what somebody has read may reach a clinic's patients; with --withdraw, may no more."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.orm import Session

from outreach.actions.approve import Reviewer, withdraw
from outreach.actions.review import Read, State, review, reviewer, stands
from outreach.cli.opened import opened
from outreach.content.formats import resolve
from outreach.content.objections import blocked
from outreach.domain.access import Permission, Role, may
from outreach.errors import BadInput
from outreach.store import clinics, staff
from outreach.store.tables import Staff


def register(app: typer.Typer) -> None:
    app.command("approve")(approve)


def approve(
    locale: Annotated[str, typer.Argument(help="The language, such as es.")],
    texts: Annotated[list[str] | None, typer.Argument(help="Which texts, such as pre.tomorrow neutral.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that can be approved.")] = False,
    name: Annotated[str, typer.Option("--reviewer", help="Who has read the words and answers for them.")] = "",
    role: Annotated[str, typer.Option(help="What they are, such as: certified medical translator.")] = "",
    clinic: Annotated[str | None, typer.Option(help="Its short name; not needed where there is one clinic.")] = None,
    by: Annotated[str, typer.Option(help="E-mail of the member of staff who decides; else it was the operator.")] = "",
    back: Annotated[bool, typer.Option("--withdraw", help="Take the approvals back instead.")] = False,
) -> None:
    """Approve the words of a language exactly as they stand. Exit 1: refused, and nothing is approved."""
    if bool(texts) == every:
        raise typer.BadParameter("name the texts, or say --all.")
    with opened() as out, out.sessions.begin() as session:
        chosen, words = clinics.chosen(session, clinic), out.words
        found = resolve(locale, words.voices)
        there = {one.key: one for one in out.speakers.texts(words).values() if one.locale == found}
        if unknown := [one for one in texts or () if one not in there]:
            raise BadInput(f"There is no text {', '.join(unknown)}; there are: {', '.join(there)}.")
        who = Reviewer(name, role, _decider(session, chosen.id, by) if by else None)
        if back:
            who = reviewer(who, chosen.demo)
            taken = sum(withdraw(session, chosen.id, found, key, who, out.clock()) for key in texts or there)
            typer.echo(f"withdrawn: {taken}")
            return
        spoken = out.speakers.view(session, chosen, words)
        standing = stands(session, chosen.id, spoken, out.bench, [there[key] for key in texts or there])
        new = [one.text for one in standing if one.state is not State.APPROVED]
        left: list[str] = []
        if every:
            shelf = out.bench.shelf(found)
            left = [one.key for one in new if not one.complete or blocked(shelf, one)]
            new = [one for one in new if one.key not in left]
        if new:
            read = [Read(found, one.key, one.digest.hex()) for one in new]
            woken = review(session, chosen.id, chosen.demo, words, out.bench, read, who, out.clock())
            typer.echo(f"approved in {found}: {', '.join(one.key for one in new)}")
            if woken:
                typer.echo(f"{woken} messages that waited go on")
        else:
            typer.echo("nothing new to approve")
    if left:
        typer.echo(f"left out, not translated in full or with errors: {', '.join(left)}", err=True)
        raise typer.Exit(1)


def _decider(session: Session, clinic_id: UUID, email: str) -> UUID:
    """BadInput: nobody of this clinic with that address may approve words."""
    known = staff.id_of(session, email)
    person = session.get(Staff, known) if known else None
    if person is None or person.clinic_id != clinic_id or not may(Role(person.role), Permission.APPROVE):
        raise BadInput("Nobody of this clinic who may approve words signs in with that address.")
    return person.id
